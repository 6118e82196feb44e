// SPDX-License-Identifier: Apache-2.0
#include <durable/testing/body_calls.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace durable;
using durable::testing::BodyCalls;

namespace {

AttemptInfo attemptOf(const std::string& id, std::uint32_t attempt, bool atMostOnce = false) {
    const auto execution = std::make_shared<ExecutionInfo>();
    execution->id = 7;
    execution->name = "sweep";
    AttemptInfo info{.attempt = attempt, .atMostOnce = atMostOnce};
    info.operation.execution = execution;
    info.operation.id = id;
    info.operation.name = "charge";
    info.operation.type = OperationType::step;
    info.operation.subType = OperationSubType::step;
    return info;
}

BodyCalls nothingRecorded() {
    return BodyCalls{[](std::int64_t, const std::string&, std::uint32_t) { return false; }};
}

using Violations = std::vector<std::string>;

}  // namespace

TEST_CASE("calls of bodies are counted by execution, operation and attempt") {
    auto calls = nothingRecorded();
    calls.onOperationAttemptStart(attemptOf("1", 1));
    calls.onOperationAttemptEnd(
        {.attempt = attemptOf("1", 1), .outcome = AttemptOutcome::failed, .error = {}});
    calls.onOperationAttemptStart(attemptOf("1", 2));
    calls.onOperationAttemptEnd({.attempt = attemptOf("1", 2), .error = {}});
    calls.beginLife();
    calls.onOperationAttemptStart(attemptOf("1", 2));
    calls.onOperationAttemptStart(attemptOf("2", 1));

    const auto& first = calls.calls().at({"sweep", "1"});
    CHECK(first.step == "step \"charge\" (1)");
    CHECK(first.attempts == std::map<std::uint32_t, int>{{1, 1}, {2, 2}});
    CHECK(first.returned == 1);
    CHECK(calls.total() == 4);
    CHECK(calls.violations().empty());
}

TEST_CASE("a body must not be called in an attempt whose end is recorded") {
    BodyCalls calls{[](std::int64_t execution, const std::string& id, std::uint32_t attempt) {
        return execution == 7 && id == "1" && attempt == 1;
    }};
    calls.onOperationAttemptStart(attemptOf("1", 2));
    calls.onOperationAttemptStart(attemptOf("2", 1));
    CHECK(calls.violations().empty());

    calls.onOperationAttemptStart(attemptOf("1", 1));
    CHECK(calls.violations() == Violations{"the body of step \"charge\" (1) was called although "
                                           "the end of attempt 1 is recorded"});
}

TEST_CASE("a body must not be called twice in an attempt without a crash") {
    auto calls = nothingRecorded();
    calls.onOperationAttemptStart(attemptOf("1", 1));
    calls.beginLife();
    calls.onOperationAttemptStart(attemptOf("1", 1));
    CHECK(calls.violations().empty());

    calls.onOperationAttemptStart(attemptOf("1", 1));
    CHECK(calls.violations() == Violations{"the body of step \"charge\" (1) was called twice in "
                                           "attempt 1, without a crash"});
}

TEST_CASE("an at-most-once body must not be called twice in an attempt at all") {
    auto calls = nothingRecorded();
    calls.onOperationAttemptStart(attemptOf("1", 1, true));
    calls.beginLife();
    calls.onOperationAttemptStart(attemptOf("1", 2, true));
    CHECK(calls.violations().empty());

    calls.onOperationAttemptStart(attemptOf("1", 1, true));
    CHECK(calls.violations() == Violations{"the body of step \"charge\" (1) was called twice in "
                                           "attempt 1, although its semantics are at most once"});
}

TEST_CASE("what happens after the close does not count") {
    auto calls = nothingRecorded();
    calls.close();
    calls.onOperationAttemptStart(attemptOf("1", 1));
    calls.onOperationAttemptEnd({.attempt = attemptOf("1", 1), .error = {}});

    CHECK(calls.total() == 0);
    CHECK(calls.calls().empty());
}
