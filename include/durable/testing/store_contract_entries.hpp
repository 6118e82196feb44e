// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry_json.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/store_contract_support.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <thread>
#include <vector>

/// \file
/// What a store must do with the entries of executions, one thing at a time.
/// `store_contract.hpp` says what each check proves.

namespace durable::inline v0::testing {

namespace detail {

inline void checkEntryFields(const Reopen& reopen) {
    std::vector<Entry> entries;
    for (int kind = 0; kind < 10; ++kind) {
        for (int type = 0; type < 6; ++type) {
            auto entry = stepEntry(static_cast<EntryKind>(kind), "1-2-3", awkward);
            entry.type = static_cast<OperationType>(type);
            entry.subType = static_cast<OperationSubType>(type + kind % 7);
            entry.parentId = "1-2";
            entry.details = EntryDetails{.callbackId = "c+/=",
                                         .handlerName = "other",
                                         .tenantId = awkward,
                                         .heartbeatTimeout = std::chrono::seconds{1}};
            entry.delay = std::chrono::seconds{31'622'400};
            entry.error = fullError();
            entry.attempt = 4'000'000'000;
            entry.replayChildren = true;
            entries.push_back(std::move(entry));
        }
    }
    entries.push_back({.kind = EntryKind::invocationCompleted, .time = at(0)});
    auto store = reopen();
    auto commit = started(1, "settle", "monday");
    commit.entries = entries;
    store->append({&commit, 1});
    store.reset();
    expectEqual("load(1)", entriesToJson(reopen()->load(1)), entriesToJson(entries));
}

inline void checkOrder(const Reopen& reopen) {
    constexpr int executions = 12;
    constexpr int busy = 3;  // the others' entries lie far apart
    constexpr int rounds = 50;
    std::vector<std::vector<Entry>> expected(executions + 1);
    auto store = reopen();
    for (int round = 0; round < rounds; ++round) {
        std::vector<Commit> commits;
        std::vector<std::vector<Entry>> kept;
        const ExecutionId active = round % 10 == 0 ? executions : busy;
        for (int twice = 0; twice < 2; ++twice) {
            for (ExecutionId id = 1; id <= active; ++id) {
                const auto number = std::to_string(2 * round + twice + 1);
                kept.push_back({stepEntry(EntryKind::started, number),
                                stepEntry(EntryKind::succeeded, number, std::to_string(id))});
                auto& all = expected[static_cast<std::size_t>(id)];
                all.insert(all.end(), kept.back().begin(), kept.back().end());
                auto commit = round == 0 && twice == 0 ? started(id, "settle", std::to_string(id))
                                                       : Commit{.execution = id};
                commit.entries = kept.back();
                commits.push_back(commit);
            }
        }
        store->append(commits);
        if (round % 20 == 19) {
            store.reset();
            store = reopen();
        }
        for (ExecutionId id = 1; id <= executions; ++id) {
            expectEqual("load(" + std::to_string(id) + ")", entriesToJson(store->load(id)),
                        entriesToJson(expected[static_cast<std::size_t>(id)]));
        }
    }
}

inline void checkVisitorThatThrows(const Reopen& reopen) {
    struct Enough {};
    const auto store = reopen();
    auto commit = started(1, "settle", "monday");
    const std::vector<Entry> entries{stepEntry(EntryKind::started, "1"),
                                     stepEntry(EntryKind::succeeded, "1")};
    commit.entries = entries;
    store->append({&commit, 1});
    int visited = 0;
    std::string thrown{"nothing"};
    try {
        store->read(1, [&](auto&&...) {
            ++visited;
            throw Enough{};
        });
    } catch (const Enough&) {
        thrown = "enough";
    }
    expectEqual("what read throws", thrown, "enough");
    expectEqual("entries visited", std::to_string(visited), "1");
    const Commit next{.execution = 1, .entries = entries};
    store->append({&next, 1});
    expectEqual("load(1).size()", std::to_string(store->load(1).size()), "4");
}

inline void checkAfterEnd(const Reopen& reopen) {
    auto store = reopen();
    const std::vector<Entry> before{stepEntry(EntryKind::succeeded, "1", "42")};
    const std::vector<Entry> after{{.kind = EntryKind::invocationCompleted, .time = at(9)}};
    auto first = started(1, "settle", "monday");
    first.entries = before;
    const Commit last{.execution = 1, .entries = before, .end = ExecutionEnd{.endTime = at(8)}};
    const Commit late{.execution = 1, .entries = after};
    store->append(std::vector{first, last, late});
    store->append({&late, 1});
    store.reset();
    store = reopen();
    store->append({&late, 1});
    std::vector<Entry> expected{before[0], before[0], after[0], after[0], after[0]};
    expectEqual("load(1)", entriesToJson(store->load(1)), entriesToJson(expected));
    store.reset();
    expectEqual("load(1), opened again", entriesToJson(reopen()->load(1)), entriesToJson(expected));
}

inline void checkThreads(const Reopen& reopen) {
    constexpr std::size_t appends = 200;
    const auto store = reopen();
    store->append(std::vector{started(1, "settle", "first"), started(2, "settle", "second")});
    const std::vector<Entry> entries{stepEntry(EntryKind::heartbeat, "1")};
    std::string failure;
    std::atomic<bool> writing{true};
    std::jthread writer{[&] {
        const std::vector<Commit> both{{.execution = 1, .entries = entries},
                                       {.execution = 2, .entries = entries}};
        try {
            for (std::size_t count = 0; count < appends; ++count) store->append(both);
        } catch (const std::exception& error) {
            failure = error.what();
        }
        writing = false;
    }};
    std::string torn;
    for (std::size_t seen = 0; writing && torn.empty();) {
        const auto first = store->load(1).size();
        const auto second = store->load(2).size();
        const bool listed = store->list({}).size() == 2 && store->find(2).has_value();
        if (first < seen || second < first || !listed) {
            torn = std::to_string(first) + " and " + std::to_string(second) + " entries after " +
                   std::to_string(seen);
        }
        seen = first;
    }
    writer.join();
    expectEqual("append", failure, "");
    expectEqual("entries of two executions, written together", torn, "");
}

inline void checkLarge(const Reopen& reopen) {
    auto store = reopen();
    const std::string megabytes(6 * 1024 * 1024, 'x');
    const std::vector<Entry> large{stepEntry(EntryKind::succeeded, "1", megabytes)};
    auto commit = started(1, "settle", "monday");
    commit.start->input = megabytes;
    commit.entries = large;
    store->append({&commit, 1});
    constexpr int commitsMax = 5'000;
    const std::vector<Entry> small{stepEntry(EntryKind::heartbeat, "1")};
    const std::vector<Commit> many(commitsMax, Commit{.execution = 1, .entries = small});
    store->append(many);
    store.reset();
    store = reopen();
    const auto entries = store->load(1);
    expectEqual("entries", std::to_string(entries.size()), std::to_string(commitsMax + 1));
    expectEqual("payload", std::to_string(entries[0].payload.value_or("").size()),
                std::to_string(megabytes.size()));
    expectEqual("input", std::to_string(store->find(1)->start.input.value_or("").size()),
                std::to_string(megabytes.size()));
}

}  // namespace detail

}  // namespace durable::inline v0::testing
