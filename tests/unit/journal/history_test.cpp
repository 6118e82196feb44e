// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/journal/history.hpp>
#include <durable/journal/service.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using durable::Entry;
using durable::EntryDetails;
using durable::ErrorObject;
using durable::ExecutionState;
using durable::HistoryEvent;
using durable::historyOf;
using durable::OperationAction;
using durable::OperationSubType;
using durable::OperationType;
using durable::OperationUpdate;
using durable::TimePoint;
using nlohmann::json;
using namespace std::chrono_literals;
using Action = OperationAction;
using Type = OperationType;

namespace {

/// A journal that grows by updates, a second apart.
class Journal {
public:
    Journal() { add({.action = Action::start, .name = "2026-11-23", .payload = "\"in\""}); }

    Journal& add(OperationUpdate update) {
        now_ += 1s;
        auto answer = durable::apply(state_, std::move(update), now_);
        if (const auto* refusal = std::get_if<durable::Refusal>(&answer)) FAIL(refusal->message);
        entries_.push_back(std::get<Entry>(std::move(answer)));
        state_.fold(entries_.back());
        return *this;
    }

    Journal& endInvocation() { return add({.action = Action::completeInvocation}); }
    Journal& succeed(std::string result) {
        return add({.action = Action::succeed, .payload = std::move(result)});
    }
    Journal& fail() {
        return add({.action = Action::fail, .error = ErrorObject{.type = "StepError"}});
    }

    [[nodiscard]] std::vector<HistoryEvent> history() const { return historyOf(entries_); }

    /// The types of the events, numbered.
    [[nodiscard]] std::vector<std::string> types() const {
        std::vector<std::string> types;
        for (const auto& event : history()) {
            types.push_back(std::to_string(event.eventId) + " " + event.eventType);
        }
        return types;
    }

private:
    ExecutionState state_;
    TimePoint now_{};
    std::vector<Entry> entries_;
};

OperationUpdate step(Action action, std::string id = "1") {
    return {.action = action,
            .operationId = std::move(id),
            .type = Type::step,
            .subType = OperationSubType::step,
            .name = "charge"};
}

OperationUpdate retry(std::chrono::seconds delay, std::optional<ErrorObject> error,
                      std::optional<std::string> state = {}) {
    auto update = step(Action::retry);
    update.delay = delay;
    update.error = std::move(error);
    update.payload = std::move(state);
    return update;
}

OperationUpdate with(OperationUpdate update, std::string payload) {
    update.payload = std::move(payload);
    return update;
}

OperationUpdate with(OperationUpdate update, ErrorObject error) {
    update.error = std::move(error);
    return update;
}

const ErrorObject declined{.type = "CardError", .message = "declined"};
using Types = std::vector<std::string>;

}  // namespace

TEST_CASE("the history of one step: started, succeeded, and the execution around it") {
    Journal journal;
    journal.add(step(Action::start)).add(with(step(Action::succeed), "42")).endInvocation();
    journal.succeed("\"out\"");

    CHECK(journal.types() == Types{"1 ExecutionStarted", "2 StepStarted", "3 StepSucceeded",
                                   "4 InvocationCompleted", "5 ExecutionSucceeded"});
    const auto events = journal.history();
    CHECK(events[0].operationId.empty());
    CHECK(events[0].name == "2026-11-23");
    CHECK(events[0].subType.empty());
    CHECK(events[0].details == json::parse(R"({"Input":{"Payload":"\"in\"","Truncated":false}})"));
    CHECK(events[1].operationId == "1");
    CHECK(events[1].name == "charge");
    CHECK(events[1].subType == "Step");
    CHECK(events[1].time == TimePoint{2s});
    CHECK(events[1].details == json::object());
    CHECK(events[2].name == "charge");
    CHECK(events[2].details == json::parse(R"({"Result":{"Payload":"42","Truncated":false},
                          "RetryDetails":{"CurrentAttempt":1}})"));
    CHECK(events[3].operationId.empty());
    CHECK(events[3].details.at("EndTimestamp") == 4.0);
    CHECK(events[4].details ==
          json::parse(R"({"Result":{"Payload":"\"out\"","Truncated":false}})"));
}

TEST_CASE("a result that is absent is an empty object, which must stand there") {
    Journal journal;
    journal.add(step(Action::start)).add(step(Action::succeed));

    CHECK(journal.history().back().details.at("Result") == json::object());
}

TEST_CASE("the history of a wait tells its length and its end") {
    Journal journal;
    const OperationUpdate wait{.operationId = "1",
                               .type = Type::wait,
                               .subType = OperationSubType::wait,
                               .name = "cool-down",
                               .delay = 2s};
    journal.add(wait).endInvocation();
    journal.add({.action = Action::succeed, .operationId = "1", .type = Type::wait});
    journal.endInvocation().succeed("1");

    CHECK(journal.types() == Types{"1 ExecutionStarted", "2 WaitStarted", "3 InvocationCompleted",
                                   "4 WaitSucceeded", "5 InvocationCompleted",
                                   "6 ExecutionSucceeded"});
    const auto events = journal.history();
    CHECK(events[1].details == json::parse(R"({"Duration":2,"ScheduledEndTimestamp":4.0})"));
    CHECK(events[3].name == "cool-down");
    CHECK(events[3].subType == "Wait");
    CHECK(events[3].details == json::parse(R"({"Duration":2})"));
}

TEST_CASE("the history of a step that is retried numbers its attempts from 1") {
    Journal journal;
    for (int attempt = 1; attempt <= 3; ++attempt) {
        journal.add(step(Action::start)).add(retry(5s, declined)).endInvocation();
        journal.add(step(Action::becomeReady));
    }
    journal.add(step(Action::start)).add(with(step(Action::fail), declined)).endInvocation().fail();

    CHECK(journal.types() == Types{"1 ExecutionStarted", "2 StepStarted", "3 StepFailed",
                                   "4 InvocationCompleted", "5 StepStarted", "6 StepFailed",
                                   "7 InvocationCompleted", "8 StepStarted", "9 StepFailed",
                                   "10 InvocationCompleted", "11 StepStarted", "12 StepFailed",
                                   "13 InvocationCompleted", "14 ExecutionFailed"});
    const auto events = journal.history();
    const auto retryDetails = [&](std::size_t eventId) {
        return events[eventId - 1].details.at("RetryDetails");
    };
    CHECK(retryDetails(3) == json::parse(R"({"CurrentAttempt":1,"NextAttemptDelaySeconds":5})"));
    CHECK(retryDetails(6) == json::parse(R"({"CurrentAttempt":2,"NextAttemptDelaySeconds":5})"));
    CHECK(retryDetails(9) == json::parse(R"({"CurrentAttempt":3,"NextAttemptDelaySeconds":5})"));
    CHECK(retryDetails(12) == json::parse(R"({"CurrentAttempt":4})"));
    CHECK(events[2].details.at("Error") ==
          json::parse(R"({"Payload":{"ErrorType":"CardError","ErrorMessage":"declined"},
                          "Truncated":false})"));
    CHECK_FALSE(events[2].details.contains("Result"));
    CHECK(events[13].details.at("Error").at("Payload").at("ErrorType") == "StepError");
}

TEST_CASE("the history of a success after one retry gives it the second attempt") {
    Journal journal;
    journal.add(step(Action::start)).add(retry(1s, declined)).add(step(Action::becomeReady));
    journal.add(step(Action::start)).add(with(step(Action::succeed), "1"));

    CHECK(journal.history().back().details.at("RetryDetails") ==
          json::parse(R"({"CurrentAttempt":2})"));
}

TEST_CASE("the history of waitForCondition tells each look as a success with its state") {
    Journal journal;
    for (const auto* state : {"1", "2"}) {
        journal.add(step(Action::start)).add(retry(5s, {}, state)).endInvocation();
        journal.add(step(Action::becomeReady));
    }
    journal.add(step(Action::start)).add(with(step(Action::succeed), "3")).endInvocation();
    journal.succeed("3");

    CHECK(journal.types() == Types{"1 ExecutionStarted", "2 StepStarted", "3 StepSucceeded",
                                   "4 InvocationCompleted", "5 StepStarted", "6 StepSucceeded",
                                   "7 InvocationCompleted", "8 StepStarted", "9 StepSucceeded",
                                   "10 InvocationCompleted", "11 ExecutionSucceeded"});
    const auto events = journal.history();
    CHECK(events[2].details == json::parse(R"({"Result":{"Payload":"1","Truncated":false},
                          "RetryDetails":{"CurrentAttempt":1,"NextAttemptDelaySeconds":5}})"));
    CHECK(events[8].details.at("RetryDetails") == json::parse(R"({"CurrentAttempt":3})"));
}

TEST_CASE("the history of waitForCallback puts its parts under its context") {
    Journal journal;
    const OperationUpdate context{.operationId = "1",
                                  .type = Type::context,
                                  .subType = OperationSubType::waitForCallback,
                                  .name = "approval"};
    auto submitter = step(Action::start, "1-2");
    submitter.parentId = "1";
    auto submitted = step(Action::succeed, "1-2");
    submitted.parentId = "1";
    journal.add(context);
    journal.add({.operationId = "1-1",
                 .type = Type::callback,
                 .subType = OperationSubType::callback,
                 .parentId = "1",
                 .details = EntryDetails{.callbackId = "1x1x1xabc", .heartbeatTimeout = 10s},
                 .delay = 60s});
    journal.add(submitter).add(submitted).endInvocation();
    journal.add({.action = Action::succeed,
                 .operationId = "1-1",
                 .type = Type::callback,
                 .payload = "yes"});
    journal.add({.action = Action::succeed,
                 .operationId = "1",
                 .type = Type::context,
                 .payload = "\"yes\""});
    journal.endInvocation().succeed("1");

    CHECK(journal.types() == Types{"1 ExecutionStarted", "2 ContextStarted", "3 CallbackStarted",
                                   "4 StepStarted", "5 StepSucceeded", "6 InvocationCompleted",
                                   "7 CallbackSucceeded", "8 ContextSucceeded",
                                   "9 InvocationCompleted", "10 ExecutionSucceeded"});
    const auto events = journal.history();
    for (const auto eventId : {3U, 4U, 5U, 7U}) CHECK(events[eventId - 1].parentId == "1");
    for (const auto eventId : {2U, 8U}) {
        CHECK(events[eventId - 1].parentId.empty());
        CHECK(events[eventId - 1].name == "approval");
        CHECK(events[eventId - 1].subType == "WaitForCallback");
    }
    CHECK(events[1].details == json::object());
    CHECK(events[2].details ==
          json::parse(R"({"CallbackId":"1x1x1xabc","Timeout":60,"HeartbeatTimeout":10})"));
    CHECK(events[6].details == json::parse(R"({"Result":{"Payload":"yes","Truncated":false}})"));
}

TEST_CASE("the history of a callback that times out tells which timeout it was") {
    Journal journal;
    journal.add({.operationId = "1",
                 .type = Type::callback,
                 .details = EntryDetails{.callbackId = "1x1xabc"},
                 .delay = 5s});
    journal.endInvocation();
    journal.add({.action = Action::heartbeat, .operationId = "1", .type = Type::callback});
    journal.add(
        {.action = Action::timeOut,
         .operationId = "1",
         .type = Type::callback,
         .error = ErrorObject{.type = "Callback.Timeout", .message = "Callback timed out"}});
    journal.endInvocation().fail();

    CHECK(journal.types() == Types{"1 ExecutionStarted", "2 CallbackStarted",
                                   "3 InvocationCompleted", "4 CallbackTimedOut",
                                   "5 InvocationCompleted", "6 ExecutionFailed"});
    const auto events = journal.history();
    CHECK(events[1].details == json::parse(R"({"CallbackId":"1x1xabc","Timeout":5})"));
    CHECK(events[3].details.at("Error").at("Payload").at("ErrorType") == "Callback.Timeout");
}

TEST_CASE("the history of a chained invoke tells whom it invoked, with every member AWS has") {
    Journal journal;
    journal.add({.operationId = "1",
                 .type = Type::chainedInvoke,
                 .subType = OperationSubType::chainedInvoke,
                 .name = "refund",
                 .details = EntryDetails{.handlerName = "refund-order", .tenantId = "t"},
                 .payload = "7"});
    journal.endInvocation();
    journal.add({.action = Action::succeed,
                 .operationId = "1",
                 .type = Type::chainedInvoke,
                 .payload = "8"});
    journal.endInvocation();

    CHECK(journal.types() == Types{"1 ExecutionStarted", "2 ChainedInvokeStarted",
                                   "3 InvocationCompleted", "4 ChainedInvokeSucceeded",
                                   "5 InvocationCompleted"});
    const auto events = journal.history();
    CHECK(events[1].details ==
          json::parse(R"({"FunctionName":"refund-order","TenantId":"t","ExecutedVersion":"$LATEST",
                          "Input":{"Payload":"7","Truncated":false},"DurableExecutionArn":""})"));
    CHECK(events[3].details == json::parse(R"({"Result":{"Payload":"8","Truncated":false}})"));
}

TEST_CASE("each end of a chained invoke has its event") {
    const std::pair<Action, std::string> ends[]{{Action::fail, "ChainedInvokeFailed"},
                                                {Action::timeOut, "ChainedInvokeTimedOut"},
                                                {Action::stop, "ChainedInvokeStopped"}};
    for (const auto& [action, type] : ends) {
        Journal journal;
        journal.add({.operationId = "1", .type = Type::chainedInvoke});
        journal.add(
            {.action = action, .operationId = "1", .type = Type::chainedInvoke, .error = declined});
        CHECK(journal.history().back().eventType == type);
        CHECK(journal.history().back().details.contains("Error"));
    }
}

TEST_CASE("each end of an execution has its event") {
    const std::pair<Action, std::string> ends[]{{Action::fail, "ExecutionFailed"},
                                                {Action::timeOut, "ExecutionTimedOut"},
                                                {Action::stop, "ExecutionStopped"}};
    for (const auto& [action, type] : ends) {
        Journal journal;
        journal.add({.action = action, .error = declined});
        CHECK(journal.history().back().eventType == type);
        CHECK(journal.history().back().details.contains("Error"));
    }
}

TEST_CASE("an execution's timeout stands in its first event") {
    const std::vector<Entry> entries{{.delay = 3600s}};

    CHECK(historyOf(entries).at(0).details ==
          json::parse(R"({"Input":{},"ExecutionTimeout":3600})"));
}

TEST_CASE("a cancelled wait has its event") {
    Journal journal;
    journal.add({.operationId = "1", .type = Type::wait, .delay = 5s});
    journal.add({.action = Action::cancel, .operationId = "1", .type = Type::wait});

    CHECK(journal.history().back().eventType == "WaitCancelled");
    CHECK(journal.history().back().details == json::parse(R"({"Duration":5})"));
}

TEST_CASE("events of what no one outside can see leave no gap in the numbers") {
    Journal journal;
    journal.add(step(Action::start)).add(retry(1s, declined)).add(step(Action::becomeReady));
    journal.add(step(Action::start));

    CHECK(journal.types() ==
          Types{"1 ExecutionStarted", "2 StepStarted", "3 StepFailed", "4 StepStarted"});
}

TEST_CASE("a damaged journal has no history") {
    const std::vector<Entry> entries{{.kind = durable::EntryKind::retried, .operationId = "1"}};

    CHECK(historyOf({}).empty());
    CHECK_THROWS_AS(historyOf(entries), std::exception);
}

TEST_CASE("step 1-17: the end of an invocation tells when it began, its id and what ended it") {
    Journal journal;
    journal.add({.action = Action::completeInvocation,
                 .details = EntryDetails{.invocationStart = TimePoint{1500ms}, .requestId = "r-1"},
                 .error = ErrorObject{.type = "Runtime.ExitError", .message = "gone"}});

    CHECK(journal.history().back().details ==
          json::parse(R"({"StartTimestamp": 1.5, "EndTimestamp": 2.0, "RequestId": "r-1",
                          "Error": {"Payload": {"ErrorType": "Runtime.ExitError",
                                                "ErrorMessage": "gone"}, "Truncated": false}})"));
}

TEST_CASE("the end of an invocation that an earlier version recorded tells its time only") {
    Journal journal;
    journal.endInvocation();

    CHECK(journal.history().back().details == json{{"EndTimestamp", 2.0}});
}
