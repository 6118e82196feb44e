// SPDX-License-Identifier: Apache-2.0
#include <durable/journal/entry_json.hpp>
#include <durable/journal/history.hpp>
#include <durable/journal/service.hpp>

#include <support/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

Entry started(OperationType type, std::string id, std::optional<std::chrono::seconds> delay = {}) {
    return {.kind = EntryKind::started, .operationId = std::move(id), .type = type, .delay = delay};
}

const Entry begun{.kind = EntryKind::started};

/// Folds two entries of one operation after its start.
void foldTwo(OperationType type, EntryKind first, EntryKind second) {
    ExecutionState state;
    state.fold(begun);
    state.fold(started(type, "1"));
    state.fold({.kind = first, .operationId = "1"});
    state.fold({.kind = second, .operationId = "1"});
}

bool refused(const ExecutionState& state, OperationUpdate update) {
    return std::holds_alternative<Refusal>(apply(state, std::move(update), {}));
}

}  // namespace

TEST_CASE("an impossible number in an id is damage, and does not change the context around it") {
    ExecutionState state;
    state.fold(begun);

    CHECK_THROWS_AS(state.fold({.kind = EntryKind::succeeded, .operationId = "100000001"}),
                    std::invalid_argument);
    CHECK_THROWS_AS(state.fold(started(OperationType::step, "4294967295")), std::invalid_argument);
    CHECK(state.status() == ExecutionStatus::running);
}

TEST_CASE("an id that lies deeper than any operation can is damage, and no stack overflows") {
    const auto idOfDepth = [](std::size_t numbers) {
        std::string id{"1"};
        for (std::size_t i = 1; i < numbers; ++i) id += "-1";
        return id;
    };
    ExecutionState state;
    state.fold(begun);

    CHECK_THROWS_AS(state.fold(started(OperationType::step, idOfDepth(1'000'000))),
                    std::invalid_argument);
    CHECK_THROWS_AS(state.fold(started(OperationType::step, idOfDepth(contextDepthMax + 2))),
                    std::invalid_argument);
    CHECK_NOTHROW(state.fold(started(OperationType::step, idOfDepth(contextDepthMax + 1))));
}

TEST_CASE("an operation has one id") {
    Operation root;
    root.place(1);

    CHECK(findOperation(root, "1") != nullptr);
    CHECK(findOperation(root, "1-") == nullptr);
    CHECK(findOperation(root, "01") == nullptr);
    CHECK(findOperation(root, "+1") == nullptr);
}

TEST_CASE("an operation that has ended does not change: entries that say so are damage") {
    CHECK_THROWS(foldTwo(OperationType::step, EntryKind::succeeded, EntryKind::failed));
    CHECK_THROWS(foldTwo(OperationType::step, EntryKind::succeeded, EntryKind::started));
    CHECK_THROWS(foldTwo(OperationType::wait, EntryKind::succeeded, EntryKind::cancelled));
}

TEST_CASE("what happens to an operation fits its type and its status, or the journal is damaged") {
    const auto isDamage = [](const Entry& before, const Entry& after) {
        ExecutionState state;
        state.fold(begun);
        try {
            state.fold(before);
            state.fold(after);
            return false;
        } catch (const std::invalid_argument&) {
            return true;
        }
    };
    const auto happens = [](EntryKind kind) { return Entry{.kind = kind, .operationId = "1"}; };
    const auto retried = Entry{
        .kind = EntryKind::retried, .operationId = "1", .type = OperationType::step, .delay = 1s};

    // Each of these would set a timer that can never fire, or lose one that should.
    CHECK(isDamage(started(OperationType::wait, "1", 5s), happens(EntryKind::retried)));
    CHECK(isDamage(started(OperationType::wait, "1", 5s), happens(EntryKind::started)));
    CHECK(isDamage(started(OperationType::execution, "1", 5s), happens(EntryKind::succeeded)));
    CHECK(isDamage(started(OperationType::step, "2"), {.kind = EntryKind::retried, .delay = 1s}));
    CHECK(isDamage(started(OperationType::step, "1"), happens(EntryKind::becameReady)));
    CHECK(isDamage(started(OperationType::step, "1"), happens(EntryKind::heartbeat)));
    CHECK(isDamage(retried, happens(EntryKind::succeeded)));
    CHECK(isDamage(started(OperationType::step, "1"), happens(EntryKind::timedOut)));
    CHECK(isDamage(started(OperationType::wait, "1", 5s), happens(EntryKind::failed)));
    CHECK(isDamage(started(OperationType::context, "1"), happens(EntryKind::stopped)));

    CHECK_FALSE(isDamage(started(OperationType::step, "1"), retried));
    CHECK_FALSE(isDamage(retried, happens(EntryKind::becameReady)));
    CHECK_FALSE(isDamage(started(OperationType::wait, "1", 5s), happens(EntryKind::cancelled)));
}

TEST_CASE("nothing comes before the start of an execution") {
    ExecutionState state;

    CHECK_THROWS(state.fold({.kind = EntryKind::succeeded}));
    CHECK_THROWS(state.fold(started(OperationType::step, "1")));
    CHECK(refused(
        state,
        {.action = OperationAction::start, .operationId = "1", .type = OperationType::step}));
}

TEST_CASE("nothing under a context that has ended sets a timer") {
    ExecutionState state;
    state.fold(begun);
    state.fold(started(OperationType::context, "1"));
    auto callback = started(OperationType::callback, "1-1", 60s);
    callback.details = durable::EntryDetails{.heartbeatTimeout = 10s};
    state.fold(callback);
    state.fold({.kind = EntryKind::succeeded, .operationId = "1"});

    CHECK(state.nextDue() == std::nullopt);
    state.fold({.kind = EntryKind::heartbeat, .operationId = "1-1"});
    state.fold(started(OperationType::wait, "1-2", 5s));
    CHECK(state.nextDue() == std::nullopt);
}

TEST_CASE("an update of another type, with an impossible id or duration, is refused") {
    ExecutionState state;
    state.fold(begun);
    state.fold(started(OperationType::wait, "1", 5s));
    const auto step = [](std::string id) {
        return OperationUpdate{.action = OperationAction::succeed,
                               .operationId = std::move(id),
                               .type = OperationType::step};
    };

    CHECK(refused(state, step("1")));
    CHECK(refused(state, step("")));
    CHECK(refused(state, step("abc")));
    CHECK(refused(state, step("10000001")));
    CHECK_FALSE(refused(state, step("2")));
    const OperationUpdate longWait{.action = OperationAction::start,
                                   .operationId = "2",
                                   .type = OperationType::wait,
                                   .delay = std::chrono::hours{367 * 24}};
    CHECK(refused(state, longWait));
}

TEST_CASE("an event of a failure has an error, and every event its parent") {
    const std::vector<Entry> failure{
        begun,
        started(OperationType::callback, "1"),
        {.kind = EntryKind::failed, .operationId = "1", .type = OperationType::callback}};
    CHECK(historyOf(failure).back().details.contains("Error"));

    const std::vector<Entry> closedAtOnce{begun,
                                          started(OperationType::context, "1"),
                                          {.kind = EntryKind::succeeded,
                                           .operationId = "1-1",
                                           .type = OperationType::step,
                                           .parentId = "1"}};
    CHECK(historyOf(closedAtOnce).back().parentId == "1");
}

TEST_CASE("text that is no list of entries adds none") {
    for (const auto* text :
         {R"([{"time":1}])", R"([{"kind":"failed","time":1,"attempt":-1}])",
          R"([{"kind":"failed","time":1.5}])", R"([{"kind":"failed","time":true}])",
          R"([{"kind":"failed","time":1,"error":"m"}])", R"([{"kind":"failed","time":1},7])"}) {
        std::vector<Entry> entries;
        INFO(text);
        CHECK_THROWS(entriesFromJson(text, entries));
        CHECK(entries.empty());
    }
}

TEST_CASE("an error with too long a chain of causes is refused, not followed") {
    nlohmann::json error = nlohmann::json::object();
    for (int i = 0; i < 2000; ++i) error = nlohmann::json{{"Cause", std::move(error)}};

    CHECK_THROWS_AS(errorFromJson(error), std::invalid_argument);
}

TEST_CASE("an entry that is nested too deep is refused") {
    const auto entry = [](const std::string& error) {
        return R"([{"kind":"failed","time":1,"id":"1","type":"STEP","error":)" + error + "}]";
    };
    std::string causes = "{}";
    for (int i = 0; i < 600; ++i) causes.insert(0, R"({"Cause":)").append("}");
    const auto deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const auto& text : {entry(causes), entry(R"({"Other":)" + deep + "}")}) {
        std::vector<Entry> entries;
        CHECK_THROWS_WITH(entriesFromJson(text, entries),
                          "JSON must be nested at most 512 deep, this is deeper");
        CHECK(entries.empty());
    }
}
