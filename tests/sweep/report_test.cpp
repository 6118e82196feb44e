// SPDX-License-Identifier: Apache-2.0
// What the report says, and that a sweep which tried nothing is not green.
#include <durable/testing.hpp>

#include <support/catch.hpp>
#include <sweep/require_right.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using Catch::Matchers::ContainsSubstring;
using durable::testing::CrashKind;
using durable::testing::crashSweep;
using durable::testing::CrashSweepOptions;
using durable::testing::TestExecution;
using durable::testing::TestFailure;

namespace {

Task<void> twoSteps(DurableContext& ctx) {
    co_await ctx.step("reserve", [] {});
    co_await ctx.step("charge", [] {});
}

Task<void> failing(DurableContext& ctx) {
    co_await ctx.step("reserve", [] {});
    throw std::runtime_error{"sold out"};
}

}  // namespace

TEST_CASE("a workflow that fails without a crash is a finding, unless it may") {
    const auto report = crashSweep(failing);
    INFO(report.text());
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings.front().when == "in the first run, without a crash");
    CHECK(report.findings.front().crashes.empty());
    CHECK_THAT(report.findings.front().differences.front(),
               ContainsSubstring("the execution FAILED with ") && ContainsSubstring("sold out"));
    CHECK_THAT(report.findings.front().hint, ContainsSubstring("set mayFail"));
    CHECK(report.pointsCovered == 0);
    CHECK(report.notSwept == "the first run already went wrong.");
    CHECK_THAT(report.text(), ContainsSubstring("No crash was tried: the first run"));

    const auto allowed = crashSweep(failing, {.mayFail = true});
    requireRight(allowed);
    CHECK_THAT(allowed.end, ContainsSubstring("FAILED with ") && ContainsSubstring("sold out"));
}

TEST_CASE("what is invoked and not registered is a finding, not a green sweep") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> { co_await ctx.invoke<int>("ask", "ask"); });

    CHECK_THAT(report.text(), ContainsSubstring("no handler \"ask\" is registered") &&
                                  ContainsSubstring("does setUp register all that it invokes"));
    CHECK_THROWS_AS(report.requireNone(), TestFailure);
}

TEST_CASE("a check that fails without a crash is told once") {
    const auto report = crashSweep(twoSteps, CrashSweepOptions{.check = [](TestExecution&) {
                                       throw std::runtime_error{"never right"};
                                   }});

    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings.front().differences ==
          std::vector<std::string>{"the check failed: never right"});
}

TEST_CASE("the report tells how the first run ended, and how many bodies were called") {
    const auto report = crashSweep([](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.step("seven", [] { return 7; });
    });

    INFO(report.text());
    CHECK(report.end == "SUCCEEDED with 7");
    // Each of 3 runs and 11 crashes calls it once; those two that lose its record, once more.
    CHECK(report.bodyCalls == 3 + 11 + 2);
    CHECK(report.text() ==
          "crash sweep: 11 of 11 crash points, 16 calls of step bodies; 0 findings\n"
          "No check was given: only the journals were compared.");
}

TEST_CASE("a report with a check does not say that there was none") {
    const auto report = crashSweep(twoSteps, CrashSweepOptions{.check = [](TestExecution&) {}});

    CHECK_THAT(report.text(), !ContainsSubstring("No check"));
}

TEST_CASE("a sweep of no points says so") {
    const auto report = crashSweep(twoSteps, {.pointsMax = 0});

    CHECK(report.pointsCovered == 0);
    CHECK_THAT(report.text(), ContainsSubstring("No crash was tried: pointsMax is 0."));
}

TEST_CASE("a failed check names the steps whose bodies were called again") {
    int charges = 0;
    const auto report = crashSweep(
        [&](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("reserve", [] {});
            co_await ctx.step("charge", [&] { ++charges; });
            co_await ctx.step("ship", [] {});
            co_await ctx.step("tell", [] {});
        },
        CrashSweepOptions{.newWorld = [&] { charges = 0; },
                          .check =
                              [&](TestExecution&) {
                                  if (charges != 1) throw std::runtime_error{"charged twice"};
                              }});

    REQUIRE_FALSE(report.findings.empty());
    for (const auto& finding : report.findings) {
        CHECK_THAT(finding.differences.front(),
                   ContainsSubstring("called again after the crash: ") &&
                       ContainsSubstring("step \"charge\" (2)"));
        CHECK(finding.hint.empty());  // of a torn commit too: others find the same
    }
}

TEST_CASE("a finding after a torn commit tells how to leave torn commits out") {
    const auto racing = [](DurableContext& ctx) -> Task<std::string> {
        const auto winner = co_await ctx.any(
            "any",
            ctx.runInChildContext("long",
                                  [](DurableContext& c) -> Task<std::string> {
                                      co_await c.step("one", [] {});
                                      co_await c.step("two", [] {});
                                      co_return "long";
                                  }),
            ctx.runInChildContext("short", [](DurableContext& c) -> Task<std::string> {
                co_await c.step("one", [] {});
                co_return "short";
            }));
        co_await ctx.step("after", [] {});
        co_return winner;
    };

    const auto report = crashSweep(racing);
    REQUIRE_FALSE(report.findings.empty());
    for (const auto& finding : report.findings) {
        CHECK(finding.crashes.front().kind == CrashKind::tornCommit);
        CHECK_THAT(finding.text(), ContainsSubstring("set tornCommits to false"));
    }
    requireRight(crashSweep(racing, {.tornCommits = false}));
}

TEST_CASE("long results are shortened to where they differ") {
    int sequence = 0;
    const auto report = crashSweep(
        [&](DurableContext& ctx) -> Task<std::string> {
            const int number = co_await ctx.step("invoice", [&] { return ++sequence; });
            co_return std::string(500, 'x') + std::to_string(number) + std::string(500, 'y');
        },
        CrashSweepOptions{.newWorld = [&] { sequence = 0; }});

    REQUIRE_FALSE(report.findings.empty());
    const auto& text = report.findings.front().differences.front();
    CHECK(text.size() < 300);
    CHECK_THAT(text, ContainsSubstring("xxx1yyy") && ContainsSubstring("xxx2yyy"));
}
