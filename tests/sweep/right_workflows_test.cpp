// SPDX-License-Identifier: Apache-2.0
#include <durable/testing.hpp>

#include <support/catch.hpp>
#include <sweep/require_right.hpp>

#include <chrono>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using durable::testing::crashSweep;
using durable::testing::CrashSweepOptions;
using durable::testing::CrashSweepReport;
using durable::testing::LocalRunner;
using durable::testing::TestExecution;
using durable::testing::TestOperation;
using namespace std::chrono_literals;

namespace {

constexpr auto all = std::numeric_limits<std::size_t>::max();

/// Right, and its pairs of crashes were tried too, up to 300 of them.
void requireRightInPairs(const CrashSweepReport& report) {
    requireRight(report);
    INFO(report.text());
    CHECK(report.pairsCovered == std::min<std::size_t>(report.pairsPossible, 300));
    CHECK(report.pointsPossible >= 3 * report.commits);
}

Task<int> steps(DurableContext& ctx, int count) {
    int sum = 0;
    for (int i = 1; i <= count; ++i) {
        const auto next = co_await ctx.step(fmt::format("step-{}", i), [=] { return i; });
        sum += next;
    }
    co_return sum;
}

Task<int> mapped(DurableContext& ctx) {
    const std::vector<int> numbers{1, 2, 3, 4, 5};
    const auto batch = co_await ctx.map(
        "squares", numbers,
        [](DurableContext& item, const int& n) -> Task<int> {
            const auto square = co_await item.step("square", [=] { return n * n; });
            if (n % 2 == 0) co_await item.wait("even", 3s);
            if (n == 5) throw std::runtime_error{"five"};
            const auto again = co_await item.step("again", [=] { return square + 1; });
            co_return again;
        },
        {.maxConcurrency = 2, .completionConfig = CompletionConfig::allCompleted()});
    int sum = 0;
    for (const auto& item : batch.succeeded()) sum += *item.result;
    co_return sum;
}

Task<int> mappedFlat(DurableContext& ctx) {
    const std::vector<int> numbers{1, 2, 3};
    const auto batch = co_await ctx.map("flat", numbers,
                                        [](DurableContext& item, const int& n) -> Task<int> {
                                            const auto value =
                                                co_await item.step("value", [=] { return n; });
                                            co_await item.wait("pause", 1s);
                                            co_return value;
                                        },
                                        {.nesting = Nesting::flat});
    int sum = 0;
    for (const int value : batch.getResults()) sum += value;
    co_return sum;
}

Task<std::string> branched(DurableContext& ctx) {
    const auto both = co_await ctx.parallel(
        "look-up",
        branch("user",
               [](DurableContext& c) -> Task<std::string> {
                   co_await c.wait(1s);
                   co_return co_await c.step("user", [] { return std::string{"Ann"}; });
               }),
        branch("age", [](DurableContext& c) -> Task<int> {
            co_return co_await c.step("age", [] { return 7; });
        }));
    const auto& [user, age] = both.getResults();
    co_return fmt::format("{} is {}", user, age);
}

Task<std::string> firstOfTwo(DurableContext& ctx) {
    const auto batch = co_await ctx.parallel(
        "race",
        branch("slow",
               [](DurableContext& c) -> Task<int> {
                   co_await c.step("ask", [] {});
                   co_await c.wait(60s);
                   co_return 1;
               }),
        branch("fast",
               [](DurableContext& c) -> Task<std::string> {
                   co_await c.wait(1s);
                   co_return "fast";
               }),
        ParallelConfig{.completionConfig = CompletionConfig::firstSuccessful()});
    co_await ctx.step("after", [] {});
    co_return *batch.result<1>();
}

Task<std::string> retried(DurableContext& ctx) {
    const auto attempts =
        co_await ctx.step("flaky",
                          [](StepContext& step) {
                              if (step.attempt() < 4) throw std::runtime_error{"busy"};
                              return step.attempt();
                          },
                          {.retryStrategy = retry::exponential({.maxAttempts = 5})});
    std::string caught;
    try {
        co_await ctx.step("broken", [] { throw std::runtime_error{"no"}; },
                          {.retryStrategy = retry::none()});
    } catch (const StepError& error) {
        caught = error.what();
    }
    co_await ctx.wait("cool-down", 24h);
    co_return fmt::format("{} {}", attempts, caught);
}

Task<int> polled(DurableContext& ctx) {
    const auto count = co_await ctx.waitForCondition<int>(
        "count", [](int n) { return n + 1; },
        {.initialState = 0, .waitStrategy = [](const int& n, std::uint32_t, double) {
             return n >= 4 ? WaitDecision::stop() : WaitDecision::again(4s);
         }});
    co_return count;
}

Task<std::string> asked(DurableContext& ctx) {
    auto first = co_await ctx.createCallback<std::string>("first");
    co_await ctx.step("send", [&] {});
    const auto approval =
        co_await ctx.waitForCallback<std::string>("approval", [](std::string) {}, {.timeout = 24h});
    const auto answer = co_await first.result();
    std::string late;
    try {
        co_await ctx.waitForCallback("ignored", [](std::string) {}, {.timeout = 1h});
    } catch (const CallbackTimeoutError& error) {
        late = "late";
    }
    co_return fmt::format("{} {} {}", answer, approval, late);
}

Task<int> invoking(DurableContext& ctx) {
    const int square = co_await ctx.invoke<int>("square", "square", 3);
    const int sum = co_await ctx.invoke<int>("sum", "sum", square);
    co_return sum;
}

Task<int> nested(DurableContext& ctx) {
    const auto inner = co_await ctx.runInChildContext("outer", [](DurableContext& c) -> Task<int> {
        const auto one = co_await c.step("one", [] { return 1; });
        const auto two = co_await c.runInChildContext("inner", [](DurableContext& d) -> Task<int> {
            co_await d.wait(5s);
            co_return co_await d.step("two", [] { return 2; });
        });
        co_return one + two;
    });
    std::string caught;
    try {
        co_await ctx.runInChildContext("failing", [](DurableContext& c) -> Task<void> {
            co_await c.step("fine", [] {});
            throw std::runtime_error{"broken"};
        });
    } catch (const ChildContextError& error) {
        caught = error.what();
    }
    co_return inner + static_cast<int>(caught.size());
}

Task<std::string> combined(DurableContext& ctx) {
    const auto both = co_await ctx.all("all", ctx.step("a", [] { return 1; }),
                                       ctx.step("b", [] { return std::string{"x"}; }));
    const auto first = co_await ctx.race("race", ctx.step("quick", [] { return std::string{"q"}; }),
                                         ctx.invoke<std::string>("slow", "slow"));
    const auto some =
        co_await ctx.any("any",
                         ctx.step("bad", []() -> int { throw std::runtime_error{"no"}; },
                                  {.retryStrategy = retry::none()}),
                         ctx.step("good", [] { return 5; }));
    co_return fmt::format("{}{} {} {}", std::get<0>(both), std::get<1>(both), first, some);
}

Task<std::string> slow(DurableContext& ctx) {
    co_await ctx.wait(60s);
    co_return "slow";
}

Task<int> onceOnly(DurableContext& ctx) {
    const auto value = co_await ctx.step("charge", [](StepContext& step) { return step.attempt(); },
                                         {.semantics = StepSemantics::atMostOncePerRetry});
    co_await ctx.wait(1s);
    co_return value > 0 ? 1 : 0;
}

Task<int> tryAgain(DurableContext& ctx) {
    const auto value =
        co_await ctx.withRetry("block",
                               [](DurableContext& c, std::uint32_t attempt) -> Task<int> {
                                   co_await c.step("first", [] {});
                                   if (attempt < 3) throw std::runtime_error{"again"};
                                   co_return co_await c.step("second", [] { return 2; });
                               },
                               {.retryStrategy = retry::fixed(4, 2s)});
    co_return value;
}

}  // namespace

TEST_CASE("workflows of steps survive every crash and every pair of crashes") {
    requireRightInPairs(crashSweep(steps, 20));
    requireRightInPairs(crashSweep(steps, 2, {.pairsMax = all}));
}

TEST_CASE("a map with a limit, waits and a failure survives every crash") {
    requireRightInPairs(crashSweep(mapped, {.pairsMax = 300}));
}
TEST_CASE("a flat map survives every crash") {
    requireRightInPairs(crashSweep(mappedFlat, {.pairsMax = 300}));
}
TEST_CASE("branches of different types survive every crash") {
    requireRightInPairs(crashSweep(branched, {.pairsMax = 300}));
}
TEST_CASE("a batch that ends early survives every crash") {
    requireRightInPairs(crashSweep(firstOfTwo, {.pairsMax = 300}));
}
TEST_CASE("retries, caught errors and long waits survive every crash") {
    requireRightInPairs(crashSweep(retried, {.pairsMax = 300}));
}
TEST_CASE("a condition that is polled survives every crash") {
    requireRightInPairs(crashSweep(polled, {.pairsMax = 300}));
}
TEST_CASE("callbacks that are answered and one that times out survive every crash") {
    requireRightInPairs(
        crashSweep(asked, {.answerCallback =
                               [](TestExecution& execution, const TestOperation& it) {
                                   if (it.name() == "ignored") return;
                                   execution.completeCallback(it.callbackId(), it.name());
                               },
                           .pairsMax = 300}));
}
TEST_CASE("invoked functions and handlers survive every crash") {
    requireRightInPairs(crashSweep(invoking, {.setUp =
                                                  [](LocalRunner& runner) {
                                                      runner.registerFunction<int>(
                                                          "square", [](int n) { return n * n; });
                                                      runner.registerHandler("sum", steps);
                                                  },
                                              .pairsMax = 300}));
}
TEST_CASE("child contexts in each other, and one that fails, survive every crash") {
    requireRightInPairs(crashSweep(nested, {.pairsMax = 300}));
}
TEST_CASE("all, race and any survive every crash") {
    requireRightInPairs(crashSweep(
        combined, {.setUp = [](LocalRunner& runner) { runner.registerHandler("slow", slow); },
                   .pairsMax = 300}));
}
TEST_CASE("a step that must not run twice survives every crash that does not cut it off") {
    requireRightInPairs(crashSweep(onceOnly, {.pairsMax = 300}));
}
TEST_CASE("a block that is tried again survives every crash") {
    requireRightInPairs(crashSweep(tryAgain, {.pairsMax = 300}));
}
