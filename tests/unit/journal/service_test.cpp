// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/journal/names.hpp>
#include <durable/journal/service.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using durable::apply;
using durable::Entry;
using durable::EntryKind;
using durable::ErrorObject;
using durable::ExecutionState;
using durable::Limits;
using durable::OperationAction;
using durable::OperationStatus;
using durable::OperationType;
using durable::OperationUpdate;
using durable::Refusal;
using durable::TimePoint;
using namespace std::chrono_literals;
using Action = OperationAction;
using Status = OperationStatus;
using Type = OperationType;

namespace {

constexpr TimePoint start{1'000'000ms};
constexpr TimePoint later{1'060'000ms};

/// The entry that `update` makes; fails the test if it is refused.
Entry accepted(const ExecutionState& state, OperationUpdate update, TimePoint now = later) {
    auto answer = apply(state, std::move(update), now);
    if (const auto* refusal = std::get_if<Refusal>(&answer)) FAIL(refusal->message);
    return std::get<Entry>(std::move(answer));
}

/// Why `update` is refused, or "accepted".
std::string refused(const ExecutionState& state, OperationUpdate update,
                    const Limits& limits = {}) {
    const auto answer = apply(state, std::move(update), later, limits);
    const auto* refusal = std::get_if<Refusal>(&answer);
    return refusal != nullptr ? refusal->message : "accepted";
}

void happen(ExecutionState& state, OperationUpdate update, TimePoint now = later) {
    state.fold(accepted(state, std::move(update), now));
}

void begin(ExecutionState& state) {
    happen(state, {.action = Action::start, .type = Type::execution, .payload = "input"}, start);
}

/// What has to happen to operation "1" of `type` until it is in `status`; empty if it cannot be.
std::optional<std::vector<Action>> wayTo(Type type, Status status) {
    switch (status) {
        case Status::none: return std::vector<Action>{};
        case Status::started: return {{Action::start}};
        case Status::pending:
            if (type != Type::step) return std::nullopt;
            return {{Action::start, Action::retry}};
        case Status::ready:
            if (type != Type::step) return std::nullopt;
            return {{Action::start, Action::retry, Action::becomeReady}};
        case Status::succeeded: return {{Action::start, Action::succeed}};
        case Status::failed:
            if (type == Type::wait) return std::nullopt;
            return {{Action::start, Action::fail}};
        case Status::cancelled:
            if (type != Type::wait && type != Type::chainedInvoke) return std::nullopt;
            return {{Action::start, Action::cancel}};
        case Status::timedOut:
            if (type != Type::callback && type != Type::chainedInvoke) return std::nullopt;
            return {{Action::start, Action::timeOut}};
        case Status::stopped:
            if (type != Type::chainedInvoke) return std::nullopt;
            return {{Action::start, Action::stop}};
    }
    return std::nullopt;
}

OperationUpdate updateOf(Type type, Action action) {
    OperationUpdate update{.action = action, .operationId = "1", .type = type};
    if (action == Action::retry) update.delay = 5s;
    return update;
}

constexpr Action everyAction[]{Action::start,   Action::succeed, Action::fail,
                               Action::retry,   Action::cancel,  Action::becomeReady,
                               Action::timeOut, Action::stop,    Action::heartbeat};
constexpr Status everyStatus[]{Status::none,      Status::started,   Status::pending,
                               Status::ready,     Status::succeeded, Status::failed,
                               Status::cancelled, Status::timedOut,  Status::stopped};

using Legal = std::map<Action, std::vector<Status>>;

/// Checks `type` in every status against every action: what is in `legal` is accepted, what is in
/// `refusals` is refused with that text, and any other action is no action of the type.
void checkType(Type type, const Legal& legal, const std::map<Action, std::string>& refusals,
               const std::string& noAction) {
    for (const auto status : everyStatus) {
        const auto way = wayTo(type, status);
        if (!way) continue;
        ExecutionState state;
        begin(state);
        for (const auto action : *way) happen(state, updateOf(type, action));
        for (const auto action : everyAction) {
            CAPTURE(wireName(type), wireName(status), static_cast<int>(action));
            const auto rule = legal.find(action);
            const bool isLegal = rule != legal.end() &&
                                 std::ranges::find(rule->second, status) != rule->second.end();
            const auto answer = refused(state, updateOf(type, action));
            if (isLegal) {
                CHECK(answer == "accepted");
            } else if (rule != legal.end()) {
                CHECK(answer == refusals.at(action));
            } else {
                CHECK(answer == noAction);
            }
        }
    }
}

const std::vector<Status> onlyAbsent{Status::none};
const std::vector<Status> onlyStarted{Status::started};

}  // namespace

TEST_CASE("a step may start, end and be retried as AWS's state machine says") {
    const std::vector<Status> open{Status::none, Status::started, Status::ready};
    checkType(Type::step,
              {{Action::start, {Status::none, Status::ready}},
               {Action::succeed, open},
               {Action::fail, open},
               {Action::retry, open},
               {Action::becomeReady, {Status::pending}}},
              {{Action::start, "Invalid current STEP state to start."},
               {Action::succeed, "Invalid current STEP state to close."},
               {Action::fail, "Invalid current STEP state to close."},
               {Action::retry, "Invalid current STEP state to re-attempt."},
               {Action::becomeReady, "The STEP is not between two attempts."}},
              "Invalid STEP action.");
}

TEST_CASE("a context may start and end as AWS's state machine says") {
    const std::vector<Status> open{Status::none, Status::started};
    checkType(Type::context,
              {{Action::start, onlyAbsent}, {Action::succeed, open}, {Action::fail, open}},
              {{Action::start, "Cannot start a CONTEXT that already exists."},
               {Action::succeed, "Invalid current CONTEXT state to close."},
               {Action::fail, "Invalid current CONTEXT state to close."}},
              "Invalid CONTEXT action.");
}

TEST_CASE("a wait may start, end and be cancelled as AWS's state machine says") {
    const std::string closed = "Cannot cancel a WAIT that does not exist or has already completed.";
    checkType(
        Type::wait,
        {{Action::start, onlyAbsent},
         {Action::succeed, onlyStarted},
         {Action::cancel, onlyStarted}},
        {{Action::start, "Cannot start a WAIT that already exists."},
         {Action::succeed, "Cannot complete a WAIT that does not exist or has already completed."},
         {Action::cancel, closed}},
        "Invalid WAIT action.");
}

TEST_CASE("a chained invoke may start and end as AWS's state machine says") {
    const std::string closed =
        "Cannot end a CHAINED_INVOKE that does not exist or has already completed.";
    checkType(Type::chainedInvoke,
              {{Action::start, onlyAbsent},
               {Action::succeed, onlyStarted},
               {Action::fail, onlyStarted},
               {Action::timeOut, onlyStarted},
               {Action::stop, onlyStarted},
               {Action::cancel, onlyStarted}},
              {{Action::start, "Cannot start a CHAINED_INVOKE that already exists."},
               {Action::succeed, closed},
               {Action::fail, closed},
               {Action::timeOut, closed},
               {Action::stop, closed},
               {Action::cancel, closed}},
              "Invalid CHAINED_INVOKE action.");
}

TEST_CASE("a callback is completed once, and says to a late one how it ended") {
    const Action completing[]{Action::succeed, Action::fail, Action::timeOut, Action::heartbeat};
    ExecutionState state;
    begin(state);
    for (const auto action : completing) {
        CHECK(refused(state, updateOf(Type::callback, action)) == "There is no such callback.");
    }
    happen(state, updateOf(Type::callback, Action::start));
    for (const auto action : completing) {
        CHECK(refused(state, updateOf(Type::callback, action)) == "accepted");
    }
    CHECK(refused(state, updateOf(Type::callback, Action::start)) ==
          "Cannot start a CALLBACK that already exists.");
    CHECK(refused(state, updateOf(Type::callback, Action::cancel)) == "Invalid CALLBACK action.");

    const std::pair<Action, std::string> ends[]{
        {Action::succeed, "The callback was already completed."},
        {Action::fail, "The callback was already completed."},
        {Action::timeOut, "The callback has timed out."}};
    for (const auto& [end, text] : ends) {
        ExecutionState ended;
        begin(ended);
        happen(ended, updateOf(Type::callback, Action::start));
        happen(ended, updateOf(Type::callback, end));
        for (const auto action : completing) {
            CHECK(refused(ended, updateOf(Type::callback, action)) == text);
        }
    }
}

TEST_CASE("an execution starts once and ends once") {
    const auto update = [](Action action) {
        return OperationUpdate{.action = action, .type = Type::execution};
    };
    ExecutionState state;
    CHECK(refused(state, update(Action::start)) == "accepted");
    begin(state);

    CHECK(refused(state, update(Action::start)) ==
          "Cannot start an execution that already exists.");
    for (const auto action : {Action::succeed, Action::fail, Action::timeOut, Action::stop}) {
        CHECK(refused(state, update(action)) == "accepted");
    }
    for (const auto action :
         {Action::retry, Action::cancel, Action::becomeReady, Action::heartbeat}) {
        CHECK(refused(state, update(action)) == "Invalid EXECUTION action.");
    }
}

TEST_CASE("nothing but the end of an invocation follows the end of an execution") {
    for (const auto end : {Action::succeed, Action::fail, Action::timeOut, Action::stop}) {
        ExecutionState state;
        begin(state);
        happen(state, updateOf(Type::callback, Action::start));
        happen(state, {.action = end, .type = Type::execution});

        CHECK(refused(state, {.action = Action::succeed, .type = Type::execution}) ==
              "The execution has ended.");
        CHECK(refused(state, updateOf(Type::callback, Action::succeed)) ==
              "The execution has ended.");
        CHECK(refused(state, {.action = Action::start, .operationId = "2", .type = Type::step}) ==
              "The execution has ended.");
        CHECK(refused(state, {.action = Action::completeInvocation}) == "accepted");
    }
}

TEST_CASE("success has no error and failure has no payload") {
    const ErrorObject error{.message = "m"};
    for (const auto type : {Type::step, Type::context, Type::callback, Type::chainedInvoke}) {
        ExecutionState state;
        begin(state);
        happen(state, updateOf(type, Action::start));
        auto success = updateOf(type, Action::succeed);
        success.error = error;
        auto failure = updateOf(type, Action::fail);
        failure.payload = "1";

        CAPTURE(wireName(type));
        CHECK(refused(state, success) == "Cannot provide an Error for SUCCEED action.");
        CHECK(refused(state, failure) == "Cannot provide a Payload for FAIL action.");
    }
    ExecutionState state;
    begin(state);
    CHECK(refused(state, {.action = Action::succeed, .type = Type::execution, .error = error}) ==
          "Cannot provide an Error for SUCCEED action.");
    CHECK(refused(state, {.action = Action::fail, .type = Type::execution, .payload = "1"}) ==
          "Cannot provide a Payload for FAIL action.");
}

TEST_CASE("a retry needs a delay, and has an error or a state, not both") {
    ExecutionState state;
    begin(state);
    auto retry = updateOf(Type::step, Action::retry);

    CHECK(refused(state, retry) == "accepted");
    retry.payload = "state";
    CHECK(refused(state, retry) == "accepted");
    retry.error = ErrorObject{.message = "m"};
    CHECK(refused(state, retry) == "Cannot provide both error and payload to RETRY a STEP.");
    retry.payload.reset();
    CHECK(refused(state, retry) == "accepted");
    retry.delay.reset();
    CHECK(refused(state, retry) == "Invalid StepOptions for the given action.");
}

TEST_CASE("a payload is at most as long as the limit says") {
    ExecutionState state;
    begin(state);
    const Limits limits{.payloadBytesMax = 10};
    auto update = updateOf(Type::step, Action::succeed);

    update.payload = std::string(10, 'a');
    CHECK(refused(state, update, limits) == "accepted");
    update.payload = std::string(11, 'a');
    CHECK(refused(state, update, limits) == "The payload must be at most 10 bytes, got 11.");
}

TEST_CASE("the texts of an error together are at most as long as the limit says") {
    ExecutionState state;
    begin(state);
    const Limits limits{.errorBytesMax = 10};
    auto update = updateOf(Type::step, Action::fail);

    update.error = ErrorObject{.message = "12345", .data = "67890"};
    CHECK(refused(state, update, limits) == "accepted");
    update.error = ErrorObject{.message = "12345", .data = "678901"};
    CHECK(refused(state, update, limits) == "The error must be at most 10 bytes, got 11.");

    const auto cause =
        std::make_shared<const ErrorObject>(ErrorObject{.message = "67", .stackTrace = {"8", "9"}});
    update.error = ErrorObject{.type = "123", .message = "45", .cause = cause};
    CHECK(refused(state, update, limits) == "accepted");
    update.error =
        ErrorObject{.type = "123", .message = "45", .stackTrace = {"01"}, .cause = cause};
    CHECK(refused(state, update, limits) == "The error must be at most 10 bytes, got 11.");
}

TEST_CASE(
    "an error is recorded as it will be read: in valid UTF-8, with as many causes as are kept") {
    ExecutionState state;
    begin(state);
    std::shared_ptr<const ErrorObject> cause;
    for (int i = 1001; i > 0; --i) {
        cause = std::make_shared<const ErrorObject>(
            ErrorObject{.message = std::to_string(i), .cause = cause});
    }
    auto update = updateOf(Type::step, Action::fail);
    update.error = ErrorObject{
        .message = "caf\xE9", .data = "\xFF", .stackTrace = {"line \xC0"}, .cause = cause};
    const auto entry = std::get<Entry>(apply(state, std::move(update), TimePoint{}));

    CHECK(entry.error->message == "caf\xEF\xBF\xBD");
    CHECK(entry.error->data == "\xEF\xBF\xBD");
    CHECK(entry.error->stackTrace.front() == "line \xEF\xBF\xBD");
    std::size_t causes = 0;
    for (const auto* at = entry.error->cause.get(); at != nullptr; at = at->cause.get()) {
        CHECK(at->message == std::to_string(++causes));
    }
    CHECK(causes == durable::errorCausesMax);
}

TEST_CASE("by default a payload may have 6 MiB and an error 1 MiB") {
    ExecutionState state;
    begin(state);
    auto success = updateOf(Type::step, Action::succeed);
    success.payload = std::string(6 * 1024 * 1024, 'a');
    CHECK(refused(state, success) == "accepted");
    *success.payload += 'a';
    CHECK(refused(state, success) == "The payload must be at most 6291456 bytes, got 6291457.");

    auto failure = updateOf(Type::step, Action::fail);
    failure.error = ErrorObject{.message = std::string(1024 * 1024, 'a')};
    CHECK(refused(state, failure) == "accepted");
    failure.error = ErrorObject{.message = std::string(1024 * 1024 + 1, 'a')};
    CHECK(refused(state, failure) == "The error must be at most 1048576 bytes, got 1048577.");
}

TEST_CASE("a refusal changes nothing") {
    ExecutionState state;
    begin(state);
    happen(state, updateOf(Type::wait, Action::start));
    const auto entries = state.entryCount();

    CHECK(refused(state, updateOf(Type::wait, Action::start)) != "accepted");
    CHECK(state.entryCount() == entries);
    CHECK(state.find("1")->status == Status::started);
}

TEST_CASE("an entry says everything that its update said, and when") {
    ExecutionState state;
    begin(state);
    const durable::EntryDetails details{
        .callbackId = "7x1x4xabc", .handlerName = "h", .tenantId = "t", .heartbeatTimeout = 10s};
    const auto entry = accepted(state, {.action = Action::start,
                                        .operationId = "1-4",
                                        .type = Type::callback,
                                        .subType = durable::OperationSubType::callback,
                                        .parentId = "1",
                                        .name = "approval",
                                        .details = details,
                                        .delay = 60s,
                                        .payload = "p",
                                        .replayChildren = true});

    CHECK(entry.kind == EntryKind::started);
    CHECK(entry.time == later);
    CHECK(entry.operationId == "1-4");
    CHECK(entry.type == Type::callback);
    CHECK(entry.subType == durable::OperationSubType::callback);
    CHECK(entry.parentId == "1");
    CHECK(entry.name == "approval");
    CHECK(entry.details.orDefault() == details);
    CHECK(entry.delay == 60s);
    CHECK(entry.payload == "p");
    CHECK(entry.attempt == 0);
    CHECK(entry.replayChildren);
}

TEST_CASE("each action has a kind of entry of its own") {
    const std::pair<Action, EntryKind> kinds[]{
        {Action::start, EntryKind::started},
        {Action::succeed, EntryKind::succeeded},
        {Action::fail, EntryKind::failed},
        {Action::retry, EntryKind::retried},
        {Action::cancel, EntryKind::cancelled},
        {Action::becomeReady, EntryKind::becameReady},
        {Action::timeOut, EntryKind::timedOut},
        {Action::stop, EntryKind::stopped},
        {Action::heartbeat, EntryKind::heartbeat},
        {Action::completeInvocation, EntryKind::invocationCompleted}};

    for (const auto& [action, kind] : kinds) CHECK(durable::detail::kindOf(action) == kind);
}

TEST_CASE("attempts are numbered by their ends, from 1") {
    ExecutionState state;
    begin(state);
    const auto attemptOf = [&](Action action) {
        const auto entry = accepted(state, updateOf(Type::step, action));
        state.fold(entry);
        return entry.attempt;
    };

    CHECK(attemptOf(Action::start) == 0);
    CHECK(state.find("1")->attempt == 0);
    CHECK(attemptOf(Action::retry) == 1);
    CHECK(state.find("1")->attempt == 1);
    CHECK(attemptOf(Action::becomeReady) == 0);
    CHECK(attemptOf(Action::start) == 0);
    CHECK(attemptOf(Action::retry) == 2);
    CHECK(attemptOf(Action::becomeReady) == 0);
    CHECK(attemptOf(Action::succeed) == 3);  // from READY, without a start of its own
    CHECK(state.find("1")->attempt == 3);
}

TEST_CASE("a step that ends without having started has one attempt") {
    ExecutionState state;
    begin(state);

    CHECK(accepted(state, updateOf(Type::step, Action::succeed)).attempt == 1);
    CHECK(accepted(state, updateOf(Type::step, Action::fail)).attempt == 1);
    CHECK(accepted(state, updateOf(Type::step, Action::retry)).attempt == 1);
}

TEST_CASE("only steps have attempts") {
    ExecutionState state;
    begin(state);
    happen(state, updateOf(Type::context, Action::start));

    CHECK(accepted(state, updateOf(Type::context, Action::succeed)).attempt == 0);
}
