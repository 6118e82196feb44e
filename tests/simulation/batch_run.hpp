// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simulation/batch_model.hpp>
#include <support/test_engine.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// \file
/// A planned batch in the library, and what is seen of it.

/// How the batch is run.
struct Setting {
    bool hasSteps{};  ///< before each suspension of a branch, and after
    durable::Nesting nesting{durable::Nesting::nested};
    std::size_t maxParked{1000};
    std::size_t inlineResultBytesMax{durable::Limits{}.inlineResultBytesMax};

    [[nodiscard]] std::string text() const {
        return fmt::format(
            "{} steps, {}, {} parked, {} bytes inline", hasSteps ? "with" : "without",
            nesting == durable::Nesting::flat ? "flat" : "nested", maxParked, inlineResultBytesMax);
    }
};

/// What a run showed.
struct Seen {
    std::size_t begun{};  ///< how often the code of a branch was begun
    std::size_t alive{};
    std::size_t mostAlive{};
    std::size_t aliveAfterwards{};
};

/// Counts the frames of branches.
class Alive {
public:
    explicit Alive(Seen& seen) : seen_{seen} {
        ++seen_.begun;
        seen_.mostAlive = std::max(seen_.mostAlive, ++seen_.alive);
    }
    Alive(const Alive&) = delete;
    Alive& operator=(const Alive&) = delete;
    ~Alive() { --seen_.alive; }

private:
    Seen& seen_;
};

/// A map whose items wait for callbacks, of which each is called "branch wait".
inline durable::Task<std::string> plannedBatch(durable::DurableContext& ctx, const Plan& plan,
                                               const Setting& setting, Seen& seen) {
    std::vector<std::size_t> items(plan.branches());
    std::iota(items.begin(), items.end(), std::size_t{0});
    durable::MapConfig config{.completionConfig = plan.rules.config(), .nesting = setting.nesting};
    if (plan.limit != unlimited) config.maxConcurrency = static_cast<std::int64_t>(plan.limit);
    auto body = [&](durable::DurableContext& item,
                    std::size_t branch) -> durable::Task<std::string> {
        const Alive alive{seen};
        if (setting.hasSteps) co_await item.step([] {});
        for (int i = 0; i < plan.suspensions[branch]; ++i) {
            auto callback =
                co_await item.createCallback<std::string>(fmt::format("{} {}", branch, i));
            co_await callback.result();
            if (setting.hasSteps) co_await item.step([] {});
        }
        if (plan.fails[branch]) throw std::runtime_error{fmt::format("failed {}", branch)};
        co_return fmt::format("result {}", branch);
    };
    auto running = ctx.map("batch", items, body, config);
    const auto result = co_await std::move(running);
    seen.aliveAfterwards = std::max(seen.aliveAfterwards, seen.alive);

    std::string states(plan.branches(), '?');
    for (const auto index : result.notStarted()) states[index] = '-';
    for (const auto& item : result.all()) {
        using enum durable::BatchItemStatus;
        auto& state = states[item.index];
        state = item.status == succeeded ? 'S' : item.status == failed ? 'F' : 'T';
        const bool rightResult = item.result == fmt::format("result {}", item.index);
        const bool rightError =
            item.error && item.error->what() == fmt::format("failed {}", item.index);
        if (rightResult != (state == 'S') || rightError != (state == 'F')) state = '!';
    }
    auto outcome = fmt::format("{} {}", toString(result.completionReason()), states);
    co_await ctx.wait(std::chrono::seconds{1});
    co_return outcome;
}

/// The world of a planned batch: completes its callbacks in the order of the plan, and those of
/// branches that the decision has stopped late, when nobody waits for them any more.
class World {
public:
    World(const Plan& plan, TestEngine& engine, durable::Execution execution)
        : plan_{plan}, engine_{engine}, execution_{std::move(execution)} {}

    void run() {
        engine_.settle();
        while (completeNext(plan_.order)) {
        }
        for (const auto& [place, id] : open()) complete(id);
        engine_.finish(execution_);
    }

private:
    using Place = std::pair<std::size_t, int>;  ///< branch, and which of its callbacks

    /// The callbacks that are open, by their names.
    [[nodiscard]] std::map<Place, std::string> open() const {
        std::map<Place, std::string> callbacks;
        std::map<std::string, Place> places;
        for (const auto& entry : engine_.store()->load(execution_.id())) {
            if (entry.type != durable::OperationType::callback) continue;
            if (entry.kind == durable::EntryKind::started) {
                const auto space = entry.name.find(' ');
                const Place place{std::stoul(entry.name.substr(0, space)),
                                  std::stoi(entry.name.substr(space))};
                places[entry.operationId] = place;
                callbacks[place] = entry.details.orDefault().callbackId;
            } else {
                callbacks.erase(places.at(entry.operationId));
            }
        }
        return callbacks;
    }

    [[nodiscard]] bool isDecided() const {
        const auto entries = engine_.store()->load(execution_.id());
        return std::ranges::any_of(entries, [](const durable::Entry& entry) {
            return entry.operationId == "1" && entry.kind != durable::EntryKind::started;
        });
    }

    bool completeNext(const std::vector<std::size_t>& order) {
        if (isDecided()) return false;
        const auto callbacks = open();
        for (const auto branch : order) {
            const auto callback = callbacks.lower_bound({branch, 0});
            if (callback == callbacks.end() || callback->first.first != branch) continue;
            complete(callback->second);
            return true;
        }
        return false;
    }

    void complete(const std::string& id) {
        engine_->completeCallback(id, "done");
        engine_.settle();
    }

    const Plan& plan_;
    TestEngine& engine_;
    durable::Execution execution_;
};

/// Runs the plan on what the store has of it, and gives what its batch told.
inline std::string runPlan(const Plan& plan, const Setting& setting, Seen& seen,
                           const std::shared_ptr<RecordingStore>& store) {
    TestEngine engine{[&](durable::Engine& e) {
                          e.registerHandler("handler", [&](durable::DurableContext& ctx) {
                              return plannedBatch(ctx, plan, setting, seen);
                          });
                      },
                      store, setting.maxParked,
                      durable::Limits{.inlineResultBytesMax = setting.inlineResultBytesMax}};
    const auto execution = engine->start("handler", {.name = "x"});
    World{plan, engine, execution}.run();
    if (execution.status() == durable::ExecutionStatus::running) return "waits for ever";
    if (execution.error()) return execution.error()->messageOr("failed without a message");
    return execution.result<std::string>();
}

/// How often the end of the batch is recorded, and whether its branches record anything after it.
inline std::string journalProblem(RecordingStore& store) {
    std::size_t ends = 0;
    for (const auto& entry : store.load(1)) {
        const bool isWorlds = entry.type == durable::OperationType::callback &&
                              entry.kind != durable::EntryKind::started;
        if (entry.operationId == "1" && entry.kind != durable::EntryKind::started) {
            ++ends;
        } else if (ends > 0 && entry.operationId.starts_with("1-") && !isWorlds) {
            return fmt::format("{} is recorded after the decision", entry.operationId);
        }
    }
    return ends == 1 ? "" : fmt::format("the decision is recorded {} times", ends);
}

/// What is wrong with a run that gave `outcome`, or nothing.
inline std::string problemOf(const Plan& plan, const std::string& outcome, const Seen& seen,
                             RecordingStore& store) {
    const auto expected = Model{plan}.outcome();
    if (outcome != expected) return fmt::format("expected {}, got {}", expected, outcome);
    if (seen.mostAlive > plan.limit) return fmt::format("{} alive at once", seen.mostAlive);
    if (seen.aliveAfterwards > 0) return fmt::format("{} alive afterwards", seen.aliveAfterwards);
    return journalProblem(store);
}
