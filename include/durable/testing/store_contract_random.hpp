// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry_json.hpp>
#include <durable/store/memory_store.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/store_contract_support.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// \file
/// Random sequences of commits, compared between a store and the memory store.

namespace durable::inline v0::testing {

namespace detail {

/// Makes commits as an engine might: executions start, get entries, wait and end, in any mixture.
class RandomCommits {
public:
    explicit RandomCommits(std::uint64_t seed) : random_{seed} {}

    /// Valid until the next call.
    [[nodiscard]] const std::vector<Commit>& next() {
        entries_.clear();
        commits_.clear();
        for (auto count = below(8); count > 0; --count) commits_.push_back(commit());
        return commits_;
    }

    [[nodiscard]] ExecutionId executionsMax() const { return last_ + 2; }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

private:
    [[nodiscard]] Commit commit() {
        const bool starts = last_ == 0 || below(4) == 0;
        // Engines give ids in rising order, but may write them in another and leave some out.
        if (starts) last_ += 1 + static_cast<ExecutionId>(below(2));
        Commit commit;
        if (starts) {
            commit = started(last_, "handler-" + std::to_string(below(3)), std::to_string(last_));
            if (below(2) == 0) commit.start->input = text();
            if (below(3) == 0) commit.start->timeout = std::chrono::seconds{below(100'000)};
            if (below(3) == 0) commit.start->tenantId = "tenant";
            if (below(2) == 0 && !known_.empty()) {
                commit.start->invokerExecution = anyKnown();
                commit.start->invokerOperation = "1-2";
            }
            known_.push_back(last_);
        } else {
            commit.execution = anyKnown();
        }
        if (below(5) != 0) commit.entries = entries();
        if (below(6) == 0) commit.end = end();
        if (below(4) == 0) commit.suspension = suspension();
        if (below(8) == 0) commit.acknowledged.push_back(anyKnown());
        return commit;
    }

    [[nodiscard]] std::span<const Entry> entries() {
        auto& made = entries_.emplace_back();
        for (auto count = below(4); count > 0; --count) {
            auto entry = stepEntry(static_cast<EntryKind>(below(10)), std::to_string(below(9) + 1));
            entry.time = at(static_cast<std::int64_t>(below(100'000)));
            entry.attempt = static_cast<std::uint32_t>(below(3));
            if (below(2) == 0) entry.payload = text();
            if (below(4) == 0) entry.error = fullError();
            made.push_back(std::move(entry));
        }
        return made;
    }

    [[nodiscard]] ExecutionEnd end() {
        ExecutionEnd end{.status = static_cast<ExecutionStatus>(1 + below(4)),
                         .endTime = at(static_cast<std::int64_t>(below(100'000)))};
        if (below(2) == 0) end.result = text();
        if (below(3) == 0) end.error = fullError();
        return end;
    }

    [[nodiscard]] Suspension suspension() {
        Suspension suspension{.waiting = below(2) == 0};
        if (below(2) == 0) suspension.wakeAt = at(static_cast<std::int64_t>(below(100'000)));
        return suspension;
    }

    [[nodiscard]] std::string text() {
        if (below(5) == 0) return awkward;
        return std::string(below(below(20) == 0 ? 20'000 : 40), 'x');
    }

    [[nodiscard]] ExecutionId anyKnown() { return known_[below(known_.size())]; }

    std::mt19937_64 random_;
    ExecutionId last_{};
    std::vector<ExecutionId> known_{};
    std::vector<Commit> commits_{};
    std::vector<std::vector<Entry>> entries_{};
};

/// Everything that `store` tells must be what `model` tells.
inline void compare(Store& store, Store& model, ExecutionId executionsMax) {
    expectEqual("lastExecution()", std::to_string(store.lastExecution()),
                std::to_string(model.lastExecution()));
    for (ExecutionId id = 1; id <= executionsMax; ++id) {
        const auto execution = "execution " + std::to_string(id);
        const auto record = model.find(id);
        expectEqual("find: " + execution, textOf(store.find(id)), textOf(record));
        expectEqual("load: " + execution, entriesToJson(store.load(id)),
                    entriesToJson(model.load(id)));
        if (!record) continue;
        const auto& [handler, name] = std::pair{record->start.handlerName, record->start.name};
        expectEqual("find by name: " + execution, textOf(store.find(handler, name)),
                    textOf(record));
    }
    for (const auto status : {ExecutionStatus::running, ExecutionStatus::failed}) {
        const ExecutionFilter filter{.status = status, .countMax = 5};
        expectEqual("list by status", textOf(store.list(filter)), textOf(model.list(filter)));
    }
    const ExecutionFilter handler{.handlerName = "handler-1", .after = executionsMax / 2};
    expectEqual("list by handler", textOf(store.list(handler)), textOf(model.list(handler)));
    const ExecutionFilter unacknowledged{.onlyUnacknowledged = true};
    expectEqual("list unacknowledged", textOf(store.list(unacknowledged)),
                textOf(model.list(unacknowledged)));
}

inline void compareAtRandom(const Reopen& reopen, std::uint64_t seed) {
    constexpr int appends = 60;
    RandomCommits random{seed};
    MemoryStore model;
    auto store = reopen();
    for (int count = 1; count <= appends; ++count) {
        try {
            const auto& commits = random.next();
            model.append(commits);
            store->append(commits);
            if (random.below(6) == 0) {
                store.reset();
                store = reopen();
            }
            if (count % 6 == 0 || count < 6) compare(*store, model, random.executionsMax());
        } catch (const std::exception& error) {
            throw std::runtime_error{"storeContract(" + std::to_string(seed) + "), append " +
                                     std::to_string(count) + ": " + error.what()};
        }
    }
}

}  // namespace detail

}  // namespace durable::inline v0::testing
