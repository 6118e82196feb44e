// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/journal/execution_state.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using durable::Entry;
using durable::EntryKind;
using durable::ErrorObject;
using durable::ExecutionState;
using durable::ExecutionStatus;
using durable::OperationStatus;
using durable::OperationSubType;
using durable::OperationType;
using durable::TimePoint;
using namespace std::chrono_literals;

namespace {

TimePoint at(std::chrono::milliseconds time) { return TimePoint{time}; }

const Entry executionStarted{.kind = EntryKind::started, .time = at(0ms), .payload = "input"};

Entry started(OperationType type, std::string id, std::chrono::milliseconds time,
              std::optional<std::chrono::seconds> delay = {}) {
    return {.kind = EntryKind::started,
            .time = at(time),
            .operationId = std::move(id),
            .type = type,
            .delay = delay};
}

Entry happened(EntryKind kind, std::string id, std::chrono::milliseconds time) {
    return {.kind = kind, .time = at(time), .operationId = std::move(id)};
}

Entry retried(std::string id, std::chrono::milliseconds time, std::chrono::seconds delay,
              std::uint32_t attempt = 1) {
    auto entry = happened(EntryKind::retried, std::move(id), time);
    entry.delay = delay;
    entry.attempt = attempt;
    return entry;
}

/// The ids of what becomes due, in the order in which it is served.
std::vector<std::string> dueIds(ExecutionState& state, TimePoint now) {
    std::vector<std::string> ids;
    while (const auto* operation = state.due(now)) {
        ids.push_back(operationIdOf(*operation));
        state.fold({.kind = operation->type == OperationType::step ? EntryKind::becameReady
                                                                   : EntryKind::succeeded,
                    .time = now,
                    .operationId = ids.back()});
    }
    return ids;
}

}  // namespace

TEST_CASE("an execution without entries runs, has no input and awaits nothing") {
    const ExecutionState state;

    CHECK(state.status() == ExecutionStatus::running);
    CHECK(state.input() == std::nullopt);
    CHECK(state.entryCount() == 0);
    CHECK(state.nextDue() == std::nullopt);
    CHECK(state.due(TimePoint::max()) == nullptr);
    CHECK(state.find("1") == nullptr);
}

TEST_CASE("the input of an execution is the payload of its start") {
    ExecutionState state;
    state.fold(executionStarted);

    CHECK(state.input() == "input");
    CHECK(state.entryCount() == 1);
    CHECK(state.root().status == OperationStatus::started);
    CHECK(state.find("") == &state.root());
}

TEST_CASE("an execution has the status of its last entry") {
    const std::pair<EntryKind, ExecutionStatus> ends[]{
        {EntryKind::succeeded, ExecutionStatus::succeeded},
        {EntryKind::failed, ExecutionStatus::failed},
        {EntryKind::timedOut, ExecutionStatus::timedOut},
        {EntryKind::stopped, ExecutionStatus::stopped}};

    for (const auto& [kind, status] : ends) {
        ExecutionState state;
        state.fold(executionStarted);
        CHECK(state.status() == ExecutionStatus::running);
        state.fold({.kind = kind, .time = at(5ms), .payload = "result"});
        CHECK(state.status() == status);
        CHECK(state.root().result == "result");
        CHECK(state.root().endTime == at(5ms));
        CHECK(state.input() == "input");
    }
}

TEST_CASE("an operation keeps what its start said, through every attempt") {
    ExecutionState state;
    state.fold(executionStarted);
    auto start = started(OperationType::step, "1-4", 10ms);
    start.subType = OperationSubType::step;
    start.name = "charge";
    const auto& operation = state.fold(start);
    state.fold(retried("1-4", 20ms, 5s));
    state.fold(happened(EntryKind::becameReady, "1-4", 5020ms));
    state.fold(started(OperationType::step, "1-4", 5030ms));

    CHECK(state.find("1-4") == &operation);
    CHECK(operation.type == OperationType::step);
    CHECK(operation.subType == OperationSubType::step);
    CHECK(operation.name == "charge");
    CHECK(operation.startTime == at(10ms));
    CHECK(operation.status == OperationStatus::started);
    CHECK(operation.attempt == 1);
    CHECK(operation.parent->number == 1);
}

TEST_CASE("an operation ends with its result or its error, and the time") {
    ExecutionState state;
    state.fold(executionStarted);
    auto succeeded = happened(EntryKind::succeeded, "1", 30ms);
    succeeded.type = OperationType::step;
    succeeded.payload = "42";
    succeeded.attempt = 2;
    auto failed = happened(EntryKind::failed, "2", 40ms);
    failed.type = OperationType::context;
    failed.name = "report";
    failed.error = ErrorObject{.message = "m"};
    state.fold(succeeded);
    state.fold(failed);

    const auto& first = *state.find("1");
    CHECK(first.status == OperationStatus::succeeded);
    CHECK(first.result == "42");
    CHECK_FALSE(first.error);
    CHECK(first.attempt == 2);
    CHECK(first.endTime == at(30ms));
    const auto& second = *state.find("2");
    CHECK(second.status == OperationStatus::failed);
    CHECK(second.name == "report");  // it ended without having started
    CHECK(second.result == std::nullopt);
    REQUIRE(second.error);
    CHECK(second.error->message == "m");
}

TEST_CASE("state and error of an attempt are replaced by those of the next") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::step, "1", 0ms));
    auto polled = retried("1", 1ms, 5s, 1);
    polled.payload = "state";
    state.fold(polled);
    CHECK(state.find("1")->result == "state");
    state.fold(happened(EntryKind::becameReady, "1", 5001ms));
    CHECK(state.find("1")->result == "state");

    auto failed = retried("1", 5002ms, 5s, 2);
    failed.error = ErrorObject{.message = "m"};
    state.fold(failed);
    CHECK(state.find("1")->result == std::nullopt);
    CHECK(state.find("1")->error->message == "m");
    CHECK(state.find("1")->attempt == 2);
}

TEST_CASE("a context keeps that its children give its result, if its start or its end said so") {
    ExecutionState state;
    state.fold(executionStarted);
    auto start = started(OperationType::context, "1", 0ms);
    start.replayChildren = true;
    state.fold(start);
    state.fold(happened(EntryKind::succeeded, "1", 1ms));
    state.fold(started(OperationType::context, "2", 0ms));
    auto end = happened(EntryKind::succeeded, "2", 1ms);
    end.replayChildren = true;
    state.fold(end);
    state.fold(started(OperationType::context, "3", 0ms));
    state.fold(happened(EntryKind::succeeded, "3", 1ms));

    CHECK(state.find("1")->replayChildren);
    CHECK(state.find("2")->replayChildren);
    CHECK_FALSE(state.find("3")->replayChildren);
}

TEST_CASE("a chained invoke and a callback keep what the world needs to know") {
    ExecutionState state;
    state.fold(executionStarted);
    auto invoke = started(OperationType::chainedInvoke, "1", 0ms);
    invoke.details = durable::EntryDetails{.handlerName = "refund", .tenantId = "t"};
    invoke.payload = "7";
    state.fold(invoke);
    auto callback = started(OperationType::callback, "2", 0ms);
    callback.details = durable::EntryDetails{.callbackId = "1x2xabc"};
    state.fold(callback);

    CHECK(state.find("1")->details->handlerName == "refund");
    CHECK(state.find("1")->details->tenantId == "t");
    CHECK(state.find("1")->result == "7");  // the input, until it has ended
    CHECK(state.find("2")->details->callbackId == "1x2xabc");
}

TEST_CASE("the end of an invocation changes no operation") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(happened(EntryKind::invocationCompleted, "", 5ms));

    CHECK(state.status() == ExecutionStatus::running);
    CHECK(state.root().status == OperationStatus::started);
    CHECK(state.entryCount() == 2);
}

TEST_CASE("an invocation is open from what the handler first records until its end") {
    ExecutionState state;
    state.fold(executionStarted);
    CHECK(state.openInvocation() == std::nullopt);

    state.fold(started(OperationType::wait, "1", 100ms, 5s));
    state.fold(started(OperationType::wait, "2", 200ms, 5s));
    CHECK(state.openInvocation() == at(100ms));
    state.fold(happened(EntryKind::invocationCompleted, "", 300ms));
    CHECK(state.openInvocation() == std::nullopt);
    CHECK(state.invocationCount() == 1);
}

TEST_CASE("what the world does opens no invocation") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::wait, "1", 0ms, 5s));
    state.fold(started(OperationType::callback, "2", 0ms, 5s));
    state.fold(started(OperationType::chainedInvoke, "3", 0ms));
    state.fold(happened(EntryKind::invocationCompleted, "", 0ms));

    state.fold(happened(EntryKind::succeeded, "1", 5s));
    state.fold(happened(EntryKind::heartbeat, "2", 5s));
    state.fold(happened(EntryKind::timedOut, "2", 5s));
    state.fold(happened(EntryKind::failed, "3", 5s));

    CHECK(state.openInvocation() == std::nullopt);
}

TEST_CASE("a wait is due at its end and not before") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::wait, "1", 100ms, 5s));

    CHECK(state.nextDue() == at(5100ms));
    CHECK(state.due(at(5099ms)) == nullptr);
    CHECK(state.due(at(5100ms)) == state.find("1"));
    state.fold(happened(EntryKind::succeeded, "1", 5100ms));
    CHECK(state.nextDue() == std::nullopt);
}

TEST_CASE("a cancelled wait is not due") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::wait, "1", 0ms, 5s));
    state.fold(happened(EntryKind::cancelled, "1", 1s));

    CHECK(state.nextDue() == std::nullopt);
    CHECK(state.find("1")->status == OperationStatus::cancelled);
}

TEST_CASE("a step between two attempts is due when its delay is over, and only once") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::step, "1", 0ms));
    CHECK(state.nextDue() == std::nullopt);
    state.fold(retried("1", 100ms, 5s));
    CHECK(state.nextDue() == at(5100ms));
    CHECK(state.find("1")->status == OperationStatus::pending);
    state.fold(happened(EntryKind::becameReady, "1", 5100ms));

    CHECK(state.nextDue() == std::nullopt);
    CHECK(state.find("1")->status == OperationStatus::ready);
}

TEST_CASE("what is due at the same time is served in the order in which it was set") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::wait, "3", 0ms, 5s));
    state.fold(started(OperationType::step, "1", 0ms));
    state.fold(retried("1", 0ms, 5s));
    state.fold(started(OperationType::wait, "2", 0ms, 5s));
    state.fold(started(OperationType::wait, "4", 0ms, 4s));

    CHECK(dueIds(state, at(4999ms)) == std::vector<std::string>{"4"});
    CHECK(dueIds(state, at(5000ms)) == std::vector<std::string>{"3", "1", "2"});
}

TEST_CASE("a callback is due at its timeout or its heartbeat timeout, whichever is first") {
    ExecutionState state;
    state.fold(executionStarted);
    auto callback = started(OperationType::callback, "1", 0ms, 60s);
    callback.details = durable::EntryDetails{.heartbeatTimeout = 10s};
    state.fold(callback);
    CHECK(state.nextDue() == at(10s));

    state.fold(happened(EntryKind::heartbeat, "1", 9s));
    CHECK(state.nextDue() == at(19s));
    CHECK(state.due(at(10s)) == nullptr);
    for (const auto time : {18s, 27s, 36s, 45s, 54s}) {
        state.fold(happened(EntryKind::heartbeat, "1", time));
    }
    CHECK(state.nextDue() == at(60s));  // heartbeats do not move the timeout
    state.fold(happened(EntryKind::timedOut, "1", 60s));
    CHECK(state.nextDue() == std::nullopt);
}

TEST_CASE("a heartbeat without a heartbeat timeout changes nothing") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::callback, "1", 0ms, 60s));
    state.fold(happened(EntryKind::heartbeat, "1", 50s));

    CHECK(state.nextDue() == at(60s));
    CHECK(state.find("1")->status == OperationStatus::started);
}

TEST_CASE("an execution is due at its timeout, until it ends") {
    ExecutionState state;
    auto start = executionStarted;
    start.delay = 100s;
    state.fold(start);
    CHECK(state.due(at(100s)) == &state.root());
    state.fold(started(OperationType::wait, "1", 0ms, 50s));
    CHECK(state.nextDue() == at(50s));
    state.fold(happened(EntryKind::succeeded, "", 1s));

    CHECK(state.nextDue() == std::nullopt);
}

TEST_CASE("timers under a context end with it, those beside it stay") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::context, "1", 0ms));
    state.fold(started(OperationType::wait, "1-1", 0ms, 5s));
    state.fold(started(OperationType::context, "1-2", 0ms));
    state.fold(started(OperationType::callback, "1-2-1", 0ms, 6s));
    state.fold(started(OperationType::step, "1-3", 0ms));
    state.fold(retried("1-3", 0ms, 7s));
    state.fold(started(OperationType::wait, "2", 0ms, 8s));
    state.fold(started(OperationType::wait, "11", 0ms, 9s));
    CHECK(state.nextDue() == at(5s));
    state.fold(happened(EntryKind::succeeded, "1", 1s));

    CHECK(dueIds(state, at(10s)) == std::vector<std::string>{"2", "11"});
}

TEST_CASE("the end of an operation that is no context drops no timer but its own") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::callback, "1", 0ms, 5s));
    state.fold(started(OperationType::wait, "2", 0ms, 5s));
    state.fold(happened(EntryKind::failed, "1", 1s));

    CHECK(dueIds(state, at(5s)) == std::vector<std::string>{"2"});
}

TEST_CASE("what happens to an operation that never started is a damaged journal") {
    for (const auto kind : {EntryKind::becameReady, EntryKind::timedOut, EntryKind::cancelled,
                            EntryKind::stopped, EntryKind::heartbeat}) {
        ExecutionState state;
        state.fold(executionStarted);
        state.fold(started(OperationType::context, "1-2", 0ms));
        CHECK_THROWS_WITH(state.fold(happened(kind, "1", 1ms)),
                          "entry without a started operation: 1");
        CHECK_THROWS_AS(state.fold(happened(kind, "1-3", 1ms)), std::invalid_argument);
    }
}

TEST_CASE("an operation id that is none is a damaged journal") {
    for (const auto* id : {"0", "1-0", "x", "1-x", "1--2", "-1", "99999999999"}) {
        ExecutionState state;
        state.fold(executionStarted);
        CAPTURE(id);
        CHECK_THROWS_AS(state.fold(started(OperationType::step, id, 0ms)), std::invalid_argument);
    }
}

TEST_CASE("a place between recorded operations is not recorded") {
    ExecutionState state;
    state.fold(executionStarted);
    state.fold(started(OperationType::step, "3-2", 0ms));

    CHECK(state.find("3") == nullptr);  // such as a virtual context
    CHECK(state.find("1") == nullptr);
    CHECK(state.find("3-1") == nullptr);
    CHECK(state.find("3-2") != nullptr);
}

namespace {

/// An execution in which the context "1" has run a step, and a context with a step; it has ended.
void foldContextOfSteps(ExecutionState& state) {
    state.fold(executionStarted);
    state.fold(started(OperationType::context, "1", 1ms));
    state.fold(started(OperationType::step, "1-1", 2ms));
    state.fold(happened(EntryKind::succeeded, "1-1", 3ms));
    state.fold(started(OperationType::context, "1-2", 4ms));
    state.fold(started(OperationType::step, "1-2-1", 5ms));
    state.fold(happened(EntryKind::failed, "1-2-1", 6ms));
    state.fold(happened(EntryKind::failed, "1-2", 7ms));
}

}  // namespace

TEST_CASE("what lies inside a context that has ended can be forgotten") {
    ExecutionState state;
    foldContextOfSteps(state);
    auto end = happened(EntryKind::succeeded, "1", 8ms);
    end.payload = "result";
    state.fold(end);
    state.forgetBelow(*state.find("1"));

    REQUIRE(state.find("1") != nullptr);
    CHECK(state.find("1")->result == "result");
    CHECK(state.find("1")->children.empty());
    CHECK(state.find("1-1") == nullptr);
    CHECK(state.find("1-2-1") == nullptr);
}

TEST_CASE("an entry inside a context whose inside is forgotten is damage") {
    ExecutionState state;
    foldContextOfSteps(state);
    state.fold(happened(EntryKind::succeeded, "1", 8ms));
    state.forgetBelow(*state.find("1"));

    CHECK_THROWS_AS(state.fold(happened(EntryKind::succeeded, "1-1", 9ms)), std::invalid_argument);
    CHECK_THROWS_AS(state.fold(started(OperationType::step, "1-2-2", 9ms)), std::invalid_argument);
}

TEST_CASE("nothing is forgotten that a replay may ask for") {
    ExecutionState state;
    foldContextOfSteps(state);
    SECTION("the context has not ended") {}
    SECTION("its children give its result again") {
        auto end = happened(EntryKind::succeeded, "1", 8ms);
        end.replayChildren = true;
        state.fold(end);
    }
    SECTION("it is no context") {
        state.fold(happened(EntryKind::succeeded, "", 8ms));
        state.forgetBelow(state.root());
    }
    state.forgetBelow(*state.find("1"));

    CHECK(state.find("1-1") != nullptr);
    CHECK(state.find("1-2-1") != nullptr);
}

TEST_CASE("nothing is forgotten while the world may still refer to it") {
    ExecutionState state;
    foldContextOfSteps(state);
    SECTION("a step that has not ended") { state.fold(started(OperationType::step, "1-3", 8ms)); }
    SECTION("a wait, a callback or an invoke, ended or not") {
        const auto type =
            GENERATE(OperationType::wait, OperationType::callback, OperationType::chainedInvoke);
        state.fold(started(type, "1-3", 8ms));
        state.fold(happened(EntryKind::succeeded, "1-3", 8ms));
    }
    SECTION("one of them in a context inside") {
        state.fold(started(OperationType::context, "1-3", 8ms));
        state.fold(started(OperationType::wait, "1-3-1", 8ms, 1s));
        state.fold(happened(EntryKind::succeeded, "1-3", 8ms));
    }
    SECTION("one of them in a context without a record") {
        state.fold(started(OperationType::wait, "1-3-1", 8ms, 1s));
    }
    state.fold(happened(EntryKind::succeeded, "1", 9ms));
    state.forgetBelow(*state.find("1"));

    CHECK(state.find("1-1") != nullptr);
    CHECK(state.find("1-2-1") != nullptr);
}
