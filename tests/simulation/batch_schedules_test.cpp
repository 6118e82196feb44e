// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

/// \file
/// Every order in which the branches of a small batch can end, with every policy, limit and set of
/// failures, against a model of the rules that knows nothing of coroutines or journals.

using namespace durable;

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

struct Policy {
    const char* name;
    std::optional<std::size_t> minSuccessful{};
    std::optional<std::size_t> toleratedFailureCount{};
    std::optional<double> toleratedFailurePercentage{};
    bool failsWhileOnlyOneFailed{};  ///< a predicate that takes back what it said
};

const std::array policies{
    Policy{.name = "fail fast"},
    Policy{.name = "all", .toleratedFailurePercentage = 100},
    Policy{.name = "first", .minSuccessful = 1},
    Policy{.name = "two", .minSuccessful = 2},
    Policy{.name = "two, one failure", .minSuccessful = 2, .toleratedFailureCount = 1},
    Policy{.name = "one failure", .toleratedFailureCount = 1},
    Policy{.name = "half", .toleratedFailurePercentage = 50},
    Policy{.name = "predicate", .failsWhileOnlyOneFailed = true},
};

/// One way in which a batch may go.
struct Schedule {
    std::size_t branches{};
    const Policy* policy{};
    std::size_t limit{unlimited};
    std::uint32_t failing{};  ///< a bit for each branch
    std::vector<std::size_t>
        order;  ///< of those in flight, the one that comes first here ends next
    Nesting nesting{Nesting::nested};
    std::size_t maxParked{};

    [[nodiscard]] bool fails(std::size_t branch) const { return (failing >> branch & 1U) != 0; }

    [[nodiscard]] std::string text() const {
        auto text = fmt::format("{} branches, {}, limit {}, failing {:b}, {}, {} parked, order",
                                branches, policy->name, limit == unlimited ? 0 : limit, failing,
                                nesting == Nesting::flat ? "flat" : "nested", maxParked);
        for (const auto branch : order) text += fmt::format(" {}", branch);
        return text;
    }
};

// --- the model ----------------------------------------------------------------------------------

class Model {
public:
    explicit Model(const Schedule& schedule) : schedule_{schedule} {
        start();
        while (!reason_) {
            const auto next = std::ranges::find_if(
                schedule.order, [&](std::size_t branch) { return states_[branch] == 'T'; });
            end(*next);
        }
    }

    /// The reason, and a letter for each branch: Succeeded, Failed, sTarted, - not started.
    [[nodiscard]] std::string outcome() const { return fmt::format("{} {}", reason_, states_); }

private:
    [[nodiscard]] std::size_t count(char state) const {
        return static_cast<std::size_t>(std::ranges::count(states_, state));
    }

    void start() {
        for (auto& state : states_) {
            if (state == '-' && count('T') < schedule_.limit) state = 'T';
        }
    }

    void end(std::size_t branch) {
        states_[branch] = schedule_.fails(branch) ? 'F' : 'S';
        decide();
        if (!reason_) start();
    }

    void decide() {
        const auto& policy = *schedule_.policy;
        const auto failed = count('F');
        const auto succeeded = count('S');
        if (policy.failsWhileOnlyOneFailed) {
            if (failed == 1 && succeeded == 0) {
                reason_ = "CUSTOM_COMPLETION_FAILED";
            } else if (failed + succeeded == schedule_.branches) {
                reason_ = "ALL_COMPLETED";
            }
            return;
        }
        const bool anyCriterion = policy.minSuccessful || policy.toleratedFailureCount ||
                                  policy.toleratedFailurePercentage;
        const bool tooMany =
            (!anyCriterion && failed > 0) ||
            (policy.toleratedFailureCount && failed > *policy.toleratedFailureCount) ||
            (policy.toleratedFailurePercentage &&
             static_cast<double>(100 * failed) >
                 *policy.toleratedFailurePercentage * static_cast<double>(schedule_.branches));
        if (tooMany) {
            reason_ = "FAILURE_TOLERANCE_EXCEEDED";
        } else if (failed + succeeded == schedule_.branches) {
            reason_ = "ALL_COMPLETED";
        } else if (policy.minSuccessful && succeeded >= *policy.minSuccessful) {
            reason_ = "MIN_SUCCESSFUL_REACHED";
        }
    }

    const Schedule& schedule_;
    std::string states_ = std::string(schedule_.branches, '-');
    const char* reason_{};
};

// --- the library --------------------------------------------------------------------------------

/// What a run showed.
struct Seen {
    std::map<std::size_t, std::string> callbacks;  ///< of the branches that have been started
    std::size_t alive{};
    std::size_t mostAlive{};
    std::size_t aliveAfterwards{};
};

/// Counts the frames of branches.
class Alive {
public:
    explicit Alive(Seen& seen) : seen_{seen} {
        seen_.mostAlive = std::max(seen_.mostAlive, ++seen_.alive);
    }
    Alive(const Alive&) = delete;
    Alive& operator=(const Alive&) = delete;
    ~Alive() { --seen_.alive; }

private:
    Seen& seen_;
};

MapConfig configOf(const Schedule& schedule) {
    const auto& policy = *schedule.policy;
    MapConfig config{
        .completionConfig = {.minSuccessful = policy.minSuccessful,
                             .toleratedFailureCount = policy.toleratedFailureCount,
                             .toleratedFailurePercentage = policy.toleratedFailurePercentage},
        .nesting = schedule.nesting};
    if (schedule.limit != unlimited) {
        config.maxConcurrency = static_cast<std::int64_t>(schedule.limit);
    }
    if (policy.failsWhileOnlyOneFailed) {
        config.completionConfig.shouldComplete = [](const CompletionProgress& progress) {
            const bool fails = progress.failureCount == 1 && progress.successCount == 0;
            return fails ? CompletionDecision::completeAsFailed : CompletionDecision::goOn;
        };
    }
    return config;
}

/// A map whose items wait for a callback each.
Task<std::string> handler(DurableContext& ctx, const Schedule& schedule, Seen& seen) {
    std::vector<std::size_t> items(schedule.branches);
    std::iota(items.begin(), items.end(), std::size_t{0});
    auto body = [&seen](DurableContext& item, std::size_t index) -> Task<std::size_t> {
        const Alive alive{seen};
        auto callback = co_await item.createCallback<std::string>();
        seen.callbacks[index] = callback.id();
        co_await callback.result();
        co_return index;
    };
    auto running = ctx.map(items, body, configOf(schedule));
    const auto result = co_await std::move(running);
    seen.aliveAfterwards = seen.alive;

    std::string states(schedule.branches, '?');
    for (const auto index : result.notStarted()) states[index] = '-';
    for (const auto& item : result.all()) {
        const bool succeeded = item.status == BatchItemStatus::succeeded;
        states[item.index] = succeeded ? 'S' : item.error ? 'F' : 'T';
        if (succeeded && *item.result != item.index) states[item.index] = '!';
    }
    co_return fmt::format("{} {}", toString(result.completionReason()), states);
}

/// Runs the schedule and gives what its batch told; the store keeps the journal.
std::string run(const Schedule& schedule, Seen& seen,
                const std::shared_ptr<RecordingStore>& store) {
    TestEngine engine{[&](Engine& e) {
                          e.registerHandler("handler", [&](DurableContext& ctx) {
                              return handler(ctx, schedule, seen);
                          });
                      },
                      store, schedule.maxParked};
    const auto execution = engine->start("handler", {.name = "x"});
    engine.settle();
    std::vector<bool> completed(schedule.branches);
    while (execution.status() == ExecutionStatus::running) {
        const auto next = std::ranges::find_if(schedule.order, [&](std::size_t branch) {
            return seen.callbacks.contains(branch) && !completed[branch];
        });
        if (next == schedule.order.end()) return "waits for nothing";
        completed[*next] = true;
        const auto& id = seen.callbacks.at(*next);
        if (schedule.fails(*next)) {
            engine->failCallback(id, {.message = "failed"});
        } else {
            engine->completeCallback(id, "done");
        }
        engine.settle();
    }
    return execution.result<std::string>();
}

/// How often the end of the batch is recorded, and whether its branches record anything after it.
std::string journalProblem(RecordingStore& store) {
    std::size_t ends = 0;
    for (const auto& entry : store.load(1)) {
        if (entry.operationId == "1" && entry.kind != EntryKind::started) {
            ++ends;
        } else if (ends > 0 && entry.operationId.starts_with("1-")) {
            return fmt::format("{} is recorded after the decision", entry.operationId);
        }
    }
    return ends == 1 ? "" : fmt::format("the decision is recorded {} times", ends);
}

/// What is wrong, or nothing.
std::string problemOf(const Schedule& schedule) {
    Seen seen;
    const auto store = std::make_shared<RecordingStore>();
    const auto outcome = run(schedule, seen, store);
    const auto expected = Model{schedule}.outcome();
    if (outcome != expected) return fmt::format("expected {}, got {}", expected, outcome);
    if (seen.mostAlive > schedule.limit) return fmt::format("{} alive at once", seen.mostAlive);
    if (seen.aliveAfterwards > 0) return fmt::format("{} alive afterwards", seen.aliveAfterwards);
    if (auto problem = journalProblem(*store); !problem.empty()) return problem;

    Seen again;
    const auto replayed = run(schedule, again, store->withoutEndOf(1));
    if (again.mostAlive > 0) return "replay ran branches again";
    return replayed == outcome ? "" : fmt::format("{}, replayed {}", outcome, replayed);
}

/// Calls `visit` for every schedule of so many branches.
template <class Visit>
void forEachSchedule(std::size_t branches, Nesting nesting, std::size_t maxParked, Visit visit) {
    Schedule schedule{
        .branches = branches, .order = {}, .nesting = nesting, .maxParked = maxParked};
    for (const auto& policy : policies) {
        if (policy.minSuccessful.value_or(0) > branches) continue;
        schedule.policy = &policy;
        for (std::size_t limit = 1; limit <= branches; ++limit) {
            schedule.limit = limit == branches ? unlimited : limit;
            for (schedule.failing = 0; schedule.failing < 1U << branches; ++schedule.failing) {
                schedule.order.resize(branches);
                std::iota(schedule.order.begin(), schedule.order.end(), std::size_t{0});
                do visit(schedule);
                while (std::ranges::next_permutation(schedule.order).found);
            }
        }
    }
}

void checkAll(std::size_t branches, Nesting nesting, std::size_t maxParked) {
    std::size_t schedules = 0;
    std::size_t problems = 0;
    forEachSchedule(branches, nesting, maxParked, [&](const Schedule& schedule) {
        ++schedules;
        const auto problem = problemOf(schedule);
        if (problem.empty() || ++problems > 5) return;
        UNSCOPED_INFO(schedule.text() << ": " << problem);
    });
    INFO(schedules << " schedules of " << branches << " branches");
    CHECK(problems == 0);
    CHECK(schedules > 0);
}

}  // namespace

TEST_CASE("a batch goes by its rules in every order in which its branches may end") {
    const char* given = std::getenv("DURABLE_BRANCHES");  // 5 take twelve times as long as 4
    const auto most = given != nullptr ? std::strtoul(given, nullptr, 10) : 4UL;
    for (std::size_t branches = 1; branches <= most; ++branches) {
        checkAll(branches, Nesting::nested, 1000);
    }
}

TEST_CASE("a batch goes by its rules when every suspension ends the invocation") {
    for (std::size_t branches = 1; branches <= 3; ++branches)
        checkAll(branches, Nesting::nested, 0);
}

TEST_CASE("a flat batch goes by its rules in every order in which its branches may end") {
    for (std::size_t branches = 1; branches <= 3; ++branches) {
        checkAll(branches, Nesting::flat, 1000);
    }
}
