// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/journal/entry_json.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/store_contract_support.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

/// \file
/// What a store must do with executions as a whole, one thing at a time.
/// `store_contract.hpp` says what each check proves.

namespace durable::inline v0::testing {

namespace detail {

inline void checkEmpty(const Reopen& reopen) {
    const auto store = reopen();
    store->append({});
    expectEqual("lastExecution()", std::to_string(store->lastExecution()), "0");
    expectEqual("find(1)", textOf(store->find(1)), "none");
    expectEqual("find(\"\", \"\")", textOf(store->find("", "")), "none");
    expectEqual("load(1)", entriesToJson(store->load(1)), "[]");
    expectEqual("list", idsOf(store->list({})), "");
}

inline void checkStart(const Reopen& reopen) {
    ExecutionRecord expected{.id = 3,
                             .start = {.handlerName = "settle " + awkward,
                                       .name = awkward,
                                       .input = awkward,
                                       .startTime = at(999),
                                       .timeout = std::chrono::seconds{31'622'400},
                                       .tenantId = awkward,
                                       .invokerExecution = 2,
                                       .invokerOperation = "1-4"}};
    auto store = reopen();
    const Commit commits[] = {started(2, "other", "other"),
                              {.execution = 3, .start = expected.start}};
    store->append(commits);
    for (int opened = 1; opened <= 2; ++opened) {
        expectEqual("find(3)", textOf(store->find(3)), textOf(expected));
        expectEqual("find by name", textOf(store->find(expected.start.handlerName, awkward)),
                    textOf(expected));
        store.reset();
        store = reopen();
    }
}

inline void checkAbsentAndEmpty(const Reopen& reopen) {
    auto absent = started(1, "settle", "absent");
    absent.start->input.reset();
    absent.end = ExecutionEnd{.endTime = at(1)};
    auto empty = started(2, "settle", "");
    empty.start->input = "";
    empty.end = ExecutionEnd{.result = "", .error = ErrorObject{}, .endTime = at(2)};
    const auto store = reopen();
    store->append(std::vector{absent, empty});
    expectEqual("absent", textOf(store->find(1)),
                textOf(ExecutionRecord{.id = 1, .start = *absent.start, .end = absent.end}));
    expectEqual("empty", textOf(store->find(2)),
                textOf(ExecutionRecord{.id = 2, .start = *empty.start, .end = empty.end}));
}

inline void checkHandlers(const Reopen& reopen) {
    const auto store = reopen();
    store->append(std::vector{started(1, "settle", "monday"), started(2, "report", "monday")});
    expectEqual("settle", textOf(store->find("settle", "monday")), textOf(store->find(1)));
    expectEqual("report", textOf(store->find("report", "monday")), textOf(store->find(2)));
    expectEqual("tuesday", textOf(store->find("report", "tuesday")), "none");
}

inline void checkEnds(const Reopen& reopen) {
    auto store = reopen();
    std::vector<ExecutionRecord> expected;
    for (ExecutionId id = 1; id <= 4; ++id) {
        auto commit = started(id, "settle", std::to_string(id));
        store->append({&commit, 1});
        ExecutionEnd end{.status = static_cast<ExecutionStatus>(id), .endTime = at(100 + id)};
        if (id == 1) end.result = awkward;
        if (id != 1) end.error = fullError();
        const Commit ended{.execution = id, .end = end};
        store->append({&ended, 1});
        expected.push_back({.id = id, .start = *commit.start, .end = end});
    }
    expectEqual("list", textOf(store->list({})), textOf(expected));
    store.reset();
    expectEqual("list, opened again", textOf(reopen()->list({})), textOf(expected));
}

inline void checkOneCommit(const Reopen& reopen) {
    auto store = reopen();
    const std::vector<Entry> entries{stepEntry(EntryKind::succeeded, "1", "42")};
    auto commit = started(1, "settle", "monday");
    commit.entries = entries;
    commit.end = ExecutionEnd{.result = "42", .endTime = at(5)};
    commit.suspension = Suspension{};
    store->append({&commit, 1});
    store.reset();
    store = reopen();
    expectEqual("load(1)", entriesToJson(store->load(1)), entriesToJson(entries));
    expectEqual("find(1)", textOf(store->find(1)),
                textOf(ExecutionRecord{.id = 1, .start = *commit.start, .end = commit.end}));
}

inline void checkSuspension(const Reopen& reopen) {
    auto store = reopen();
    auto commit = started(1, "settle", "monday");
    ExecutionRecord expected{.id = 1, .start = *commit.start};
    store->append({&commit, 1});
    expectEqual("just started", textOf(store->find(1)), textOf(expected));
    for (const Suspension& suspension :
         {Suspension{.waiting = true}, Suspension{.waiting = true, .wakeAt = at(123)},
          Suspension{.waiting = false}}) {
        commit = {.execution = 1, .suspension = suspension};
        store->append({&commit, 1});
        store.reset();
        store = reopen();
        expected.suspension = suspension;
        expectEqual("suspended", textOf(store->find(1)), textOf(expected));
    }
}

inline void checkRefusals(const Reopen& reopen) {
    auto store = reopen();
    const auto first = started(1, "settle", "monday");
    store->append({&first, 1});
    const auto refuses = [&](const char* what, const Commit& wrong) {
        const std::vector commits{started(2, "settle", "tuesday"), wrong};
        std::string refusal = "none";
        try {
            store->append(commits);
        } catch (const StoreError&) {
            refusal = "StoreError";
        }
        expectEqual(what, refusal, "StoreError");
        expectEqual("the rest of its group", textOf(store->find(2)), "none");
        expectEqual("what was there", textOf(store->find(1)),
                    textOf(ExecutionRecord{.id = 1, .start = *first.start}));
    };
    const std::vector<Entry> entries{stepEntry(EntryKind::started, "1")};
    refuses("entries of an unknown execution", {.execution = 7, .entries = entries});
    refuses("the end of an unknown execution", {.execution = 7, .end = ExecutionEnd{}});
    refuses("a number that is taken", started(1, "settle", "wednesday"));
    refuses("a name that is taken", started(3, "settle", "monday"));
    refuses("a name that is taken in its group", started(3, "settle", "tuesday"));
    store.reset();
    expectEqual("opened again", idsOf(reopen()->list({})), "1 ");
}

inline void checkAcknowledging(const Reopen& reopen) {
    auto store = reopen();
    std::vector commits{started(1, "settle", "parent"), started(2, "charge", "child"),
                        started(3, "charge", "late child"), started(4, "charge", "nobody's")};
    for (const std::size_t child : {1U, 2U}) commits[child].start->invokerExecution = 1;
    for (const std::size_t child : {1U, 3U}) commits[child].end = ExecutionEnd{};
    store->append(commits);
    expectEqual("ended and unknown", idsOf(store->list({.onlyUnacknowledged = true})), "2 ");

    const Commit acknowledges{.execution = 1, .acknowledged = {2}};
    store->append({&acknowledges, 1});
    store.reset();
    store = reopen();
    expectEqual("acknowledged", idsOf(store->list({.onlyUnacknowledged = true})), "");
    expectEqual("record", store->find(2)->endAcknowledged ? "yes" : "no", "yes");
    expectEqual("parent", store->find(1)->endAcknowledged ? "yes" : "no", "no");
}

inline void checkList(const Reopen& reopen) {
    const auto store = reopen();
    std::vector<Commit> commits;
    for (const ExecutionId id : {1, 2, 9, 5, 12}) {
        commits.push_back(started(id, id % 2 == 0 ? "even" : "odd", std::to_string(id)));
    }
    commits.push_back({.execution = 5, .end = ExecutionEnd{.status = ExecutionStatus::failed}});
    store->append(commits);
    const auto ids = [&](const ExecutionFilter& filter) { return idsOf(store->list(filter)); };
    expectEqual("all", ids({}), "1 2 5 9 12 ");
    expectEqual("by handler", ids({.handlerName = "odd"}), "1 5 9 ");
    expectEqual("of no handler", ids({.handlerName = "prime"}), "");
    expectEqual("running", ids({.status = ExecutionStatus::running}), "1 2 9 12 ");
    expectEqual("failed", ids({.status = ExecutionStatus::failed}), "5 ");
    expectEqual("first two", ids({.countMax = 2}), "1 2 ");
    expectEqual("next two", ids({.after = 2, .countMax = 2}), "5 9 ");
    expectEqual("odd, running, after 1",
                ids({.handlerName = "odd", .status = ExecutionStatus::running, .after = 1}), "9 ");
    expectEqual("after the last", ids({.after = 12}), "");
    expectEqual("lastExecution()", std::to_string(store->lastExecution()), "12");
}

}  // namespace detail

}  // namespace durable::inline v0::testing
