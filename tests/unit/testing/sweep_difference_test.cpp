// SPDX-License-Identifier: Apache-2.0
#include <durable/testing/sweep_difference.hpp>

#include <support/catch.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace durable::testing;
using durable::testing::detail::SweepComparison;
using Differences = std::vector<std::string>;

namespace {

/// One execution with a step whose body returned at its first attempt.
SweepOutcome outcome() {
    SweepOutcome outcome;
    auto& execution = outcome.executions["sweep"];
    execution.end = "SUCCEEDED with 1";
    execution.operations["1"] = {.what = "step \"charge\" (1)",
                                 .status = "SUCCEEDED",
                                 .events = {{"0s", "StepStarted"}, {"2s", "StepSucceeded"}},
                                 .isStep = true};
    outcome.calls[{"sweep", "1"}] = {
        .step = "step \"charge\" (1)", .attempts = {{1, 1}}, .returned = 1};
    return outcome;
}

SeenOperation& stepOf(SweepOutcome& outcome) {
    return outcome.executions.at("sweep").operations.at("1");
}

BodyCalls::Calls& callsOf(SweepOutcome& outcome) { return outcome.calls.at({"sweep", "1"}); }

Differences differences(const SweepOutcome& clean, const SweepOutcome& now,
                        bool cutOffStepsMayFail = false) {
    return SweepComparison{clean, now, cutOffStepsMayFail}.run();
}

Differences differences(const SweepOutcome& now) { return differences(outcome(), now); }

}  // namespace

TEST_CASE("runs that came to the same have no differences") {
    CHECK(differences(outcome()).empty());
}

TEST_CASE("a body that was called again in the same attempt is no difference") {
    auto now = outcome();
    callsOf(now).attempts[1] = 2;

    CHECK(differences(now).empty());
}

TEST_CASE("a run that did not end is told, and is not compared") {
    auto now = outcome();
    now.stuck = "it goes on for ever";
    now.executions.clear();

    CHECK(differences(now) == Differences{"the run did not end: it goes on for ever"});
}

TEST_CASE("a check that failed is told with the steps whose bodies were called again") {
    auto now = outcome();
    now.wrong = "charged twice";
    CHECK(differences(now) == Differences{"the check failed: charged twice"});

    callsOf(now).attempts[1] = 2;
    CHECK(differences(now) == Differences{"the check failed: charged twice\n"
                                          "    called again after the crash: step \"charge\" (1)"});
}

TEST_CASE("each call of a body that was not allowed is told") {
    auto now = outcome();
    now.violations = {"the body of a was called twice", "the body of b was called twice"};

    CHECK(differences(now) == now.violations);
}

TEST_CASE("an execution that ended otherwise is told with both ends") {
    auto now = outcome();
    now.executions.at("sweep").end = "SUCCEEDED with 2";

    CHECK(differences(now) == Differences{"the execution ended otherwise\n"
                                          "    without a crash: SUCCEEDED with 1\n"
                                          "    now:             SUCCEEDED with 2"});
}

TEST_CASE("long ends are shortened to where they differ") {
    auto clean = outcome();
    auto now = outcome();
    clean.executions.at("sweep").end = std::string(200, 'x') + "1" + std::string(200, 'y');
    now.executions.at("sweep").end = std::string(200, 'x') + "2" + std::string(200, 'y');

    CHECK(differences(clean, now) ==
          Differences{"the execution ended otherwise\n"
                      "    without a crash: ..." +
                      std::string(30, 'x') + "1" + std::string(43, 'y') +
                      "...\n"
                      "    now:             ..." +
                      std::string(30, 'x') + "2" + std::string(43, 'y') + "..."});
}

TEST_CASE("an execution that only one of two runs has is told") {
    auto more = outcome();
    more.executions["sweep-2"] = {.end = "SUCCEEDED"};

    CHECK(differences(more, outcome()) == Differences{"execution \"sweep-2\" is missing"});
    CHECK(differences(outcome(), more) ==
          Differences{"execution \"sweep-2\" is new: without a crash there is none"});
}

TEST_CASE("an execution invoked by an operation that is open may be there or not") {
    auto more = outcome();
    stepOf(more).open = true;
    more.executions["sweep-2"] = {
        .end = "SUCCEEDED", .invoker = "sweep", .invokerOperation = "1-2"};
    auto less = outcome();
    stepOf(less).open = true;

    CHECK(differences(more, less).empty());
    CHECK(differences(less, more).empty());
}

TEST_CASE("an operation that only one of two runs has is told") {
    auto more = outcome();
    more.executions.at("sweep").operations["2"] = {.what = "wait (2)", .status = "SUCCEEDED"};

    CHECK(differences(more, outcome()) ==
          Differences{"wait (2) is missing: without a crash it SUCCEEDED"});
    CHECK(differences(outcome(), more) ==
          Differences{"wait (2) is new: without a crash there is none"});

    more.executions.at("sweep").operations["2"].open = true;
    CHECK(differences(more, outcome()).empty());
    CHECK(differences(outcome(), more).empty());
}

TEST_CASE("another operation of the same id is told with both") {
    auto now = outcome();
    stepOf(now).what = "step \"refund\" (1)";

    CHECK(differences(now) == Differences{"another operation has the id\n"
                                          "    without a crash: step \"charge\" (1)\n"
                                          "    now:             step \"refund\" (1)"});
}

TEST_CASE("a history with another event, time or length is told where it differs first") {
    auto now = outcome();
    stepOf(now).events[1].what = "StepFailed";
    CHECK(differences(now) == Differences{"the history of step \"charge\" (1) differs\n"
                                          "    without a crash: StepSucceeded\n"
                                          "    now:             StepFailed"});

    now = outcome();
    stepOf(now).events[1].time = "3s";
    CHECK(differences(now) == Differences{"the history of step \"charge\" (1) differs\n"
                                          "    without a crash: 2s StepSucceeded\n"
                                          "    now:             3s StepSucceeded"});

    now = outcome();
    stepOf(now).events.pop_back();
    CHECK(differences(now) == Differences{"the history of step \"charge\" (1) differs\n"
                                          "    without a crash: StepSucceeded\n"
                                          "    now:             nothing"});
}

TEST_CASE("a body that was called in more or fewer attempts is told") {
    auto now = outcome();
    callsOf(now).attempts[2] = 1;

    CHECK(differences(now) == Differences{"the body of step \"charge\" (1) was called in 2 "
                                          "attempts, without a crash in 1"});
    CHECK(differences(now, outcome()) == Differences{"the body of step \"charge\" (1) was called "
                                                     "in 1 attempts, without a crash in 2"});
}

TEST_CASE("a step that succeeded without its body having returned is told") {
    auto now = outcome();
    callsOf(now).returned = 0;

    CHECK(differences(now) == Differences{"step \"charge\" (1) is recorded as succeeded, but its "
                                          "body never returned"});
}

TEST_CASE("a step that was cut off and failed is told, unless such steps may fail") {
    auto now = outcome();
    stepOf(now).cutOff = true;
    stepOf(now).status = "FAILED";
    stepOf(now).events.pop_back();
    now.executions.at("sweep").end = "FAILED";

    const auto found = differences(now);
    REQUIRE(found.size() == 3);
    CHECK(found[0].starts_with("step \"charge\" (1) failed: the crash cut it off"));
    CHECK(found[1].starts_with("the execution ended otherwise"));
    CHECK(found[2].starts_with("step \"charge\" (1) ended otherwise"));

    now.violations = {"called too often"};
    now.wrong = "charged twice";
    CHECK(differences(outcome(), now, true) ==
          Differences{"the check failed: charged twice", "called too often"});
}

TEST_CASE("a step that was cut off and tried again may have another history") {
    auto now = outcome();
    stepOf(now).cutOff = true;
    stepOf(now).events.insert(stepOf(now).events.begin(), {"0s", "StepFailed"});
    callsOf(now).attempts[2] = 1;

    CHECK(differences(now).empty());
}
