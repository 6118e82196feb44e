// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

/// How often each body ran, over all lives of a workflow.
std::map<std::string, int> bodyRuns;

int ran(const std::string& body, int value) {
    ++bodyRuns[body];
    return value;
}

Task<int> doubled(DurableContext& ctx, int x) {
    co_await ctx.wait("pause", 1s);
    co_return 2 * x;
}

/// Every verb, in one workflow.
Task<std::string> everything(DurableContext& ctx, std::vector<int> numbers) {
    auto first = co_await ctx.step("first", [] { return ran("first", 1); });
    auto flaky = co_await ctx.step("flaky",
                                   [](StepContext& step) {
                                       if (step.attempt() < 3) throw std::runtime_error{"not yet"};
                                       return ran("flaky", static_cast<int>(step.attempt()));
                                   },
                                   {.retryStrategy = retry::fixed(3, 2s)});
    auto once = co_await ctx.step("once", [] { return ran("once", 5); },
                                  {.semantics = StepSemantics::atMostOncePerRetry});

    auto squares = co_await ctx.map(
        "squares", numbers,
        [](DurableContext& item, int n, std::size_t index) -> Task<int> {
            auto square = co_await item.step(
                "square", [=] { return ran("square-" + std::to_string(index), n * n); });
            if (n % 2 == 0) co_await item.wait("even", 3s);
            if (n == 7) throw std::runtime_error{"seven"};
            auto again = co_await item.step("again", [=] { return square + 1; });
            co_return again;
        },
        {.maxConcurrency = 2, .completionConfig = CompletionConfig::allCompleted()});

    auto early = co_await ctx.parallel(
        "race",
        branch("slow",
               [](DurableContext& c) -> Task<int> {
                   co_await c.wait(60s);
                   co_return 1;
               }),
        branch("fast",
               [](DurableContext& c) -> Task<std::string> {
                   co_await c.wait(1s);
                   co_return "fast";
               }),
        ParallelConfig{.completionConfig = CompletionConfig::firstSuccessful()});

    auto flat = co_await ctx.map("flat", numbers,
                                 [](DurableContext& item, int n) -> Task<int> {
                                     auto value = co_await item.step([=] { return n; });
                                     co_await item.wait(1s);
                                     co_return value;
                                 },
                                 {.nesting = Nesting::flat});

    auto counted = co_await ctx.waitForCondition<int>(
        "count", [](int n) { return n + 1; },
        {.initialState = 0, .waitStrategy = [](const int& n, std::uint32_t, double) {
             return n >= 3 ? WaitDecision::stop() : WaitDecision::again(4s);
         }});

    std::string caught;
    auto failing = ctx.runInChildContext("failing", [](DurableContext& child) -> Task<int> {
        co_return co_await child.step("broken", []() -> int { throw std::runtime_error{"broken"}; },
                                      {.retryStrategy = retry::none()});
    });
    try {
        co_await failing;
    } catch (const ChildContextError& error) {
        caught = error.errorType() + "/" + error.what();
    }
    auto invoked = co_await ctx.invoke<int>("twice", "doubled", 21);

    std::string timedOut;
    try {
        co_await ctx.waitForCallback("approval", [](std::string) { ran("submit", 0); },
                                     {.timeout = 30s});
    } catch (const CallbackTimeoutError& error) {
        timedOut = error.errorType();
    }

    auto sum = 0;
    for (const auto& item : squares.succeeded()) sum += *item.result;
    co_return fmt::format(
        "{} {} {} sum={} failed={} {} fast={} started={} flat={} {} {} {} {}", first, flaky, once,
        sum, squares.failureCount(), toString(squares.completionReason()), *early.result<1>(),
        early.startedCount(), flat.getResults().size(), counted, caught, invoked, timedOut);
}

void registerAll(Engine& engine) {
    engine.registerHandler("everything", everything);
    engine.registerHandler("doubled", doubled);
}

const std::vector<int> numbers{1, 2, 3, 4, 7};

const std::string expected =
    "1 3 5 sum=34 failed=1 ALL_COMPLETED fast=fast started=1 flat=5 3 StepError/broken 42 "
    "Callback.Timeout";

std::string runToEnd(TestEngine& engine) {
    const auto execution = engine->start("everything", numbers, {.name = "x"});
    engine.finish(execution);
    return execution.result<std::string>();
}

}  // namespace

TEST_CASE("a workflow gives the same result however many executions may be parked") {
    for (const std::size_t maxParked : {1000U, 1U, 0U}) {
        bodyRuns.clear();
        TestEngine engine{registerAll, std::make_shared<RecordingStore>(), maxParked};

        CHECK(runToEnd(engine) == expected);
        for (const auto& [body, runs] : bodyRuns) {
            INFO(body << " with " << maxParked << " parked");
            CHECK(runs == 1);
        }
    }
}

TEST_CASE("a workflow that dies after any commit ends as if it had not") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        bodyRuns.clear();
        auto clean = std::make_shared<RecordingStore>();
        {
            TestEngine engine{registerAll, clean, maxParked};
            REQUIRE(runToEnd(engine) == expected);
        }
        for (std::size_t crash = 1; crash < clean->transactions(); ++crash) {
            INFO("died after commit " << crash << " of " << clean->transactions());
            bodyRuns.clear();
            TestEngine engine{registerAll, clean->after(crash), maxParked};

            CHECK(runToEnd(engine) == expected);
            for (const auto& [body, runs] : bodyRuns) {
                INFO(body);
                CHECK(runs == 1);
            }
        }
    }
}

TEST_CASE("a workflow that dies after any commit goes on by itself when an engine resumes") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        auto clean = std::make_shared<RecordingStore>();
        {
            TestEngine engine{registerAll, clean, maxParked};
            REQUIRE(runToEnd(engine) == expected);
        }
        for (std::size_t crash = 1; crash < clean->transactions(); ++crash) {
            INFO("died after commit " << crash << " of " << clean->transactions());
            TestEngine engine{registerAll, clean->after(crash), maxParked};

            engine->resume();
            const auto execution = engine->find("everything", "x");

            CHECK(engine.finish(*execution).result<std::string>() == expected);
        }
    }
}

TEST_CASE("a body whose result is recorded does not run again after a crash") {
    bodyRuns.clear();
    auto clean = std::make_shared<RecordingStore>();
    {
        TestEngine engine{registerAll, clean};
        REQUIRE(runToEnd(engine) == expected);
    }
    bodyRuns.clear();
    TestEngine engine{registerAll, clean->after(clean->transactions() - 1)};

    CHECK(runToEnd(engine) == expected);
    CHECK(bodyRuns.empty());
}

TEST_CASE(
    "a body with at-most-once semantics does not run again in an attempt that a crash cut off") {
    const auto chargeOnce = [](RetryStrategy retryStrategy) {
        return [=](Engine& engine) {
            engine.registerHandler("charge", [=](DurableContext& ctx) -> Task<int> {
                auto charged = co_await ctx.step(
                    "charge",
                    [](StepContext& step) {
                        return ran("attempt-" + std::to_string(step.attempt()), 7);
                    },
                    {.retryStrategy = retryStrategy,
                     .semantics = StepSemantics::atMostOncePerRetry});
                co_return charged;
            });
        };
    };
    const auto runAfterStart = [&](const RetryStrategy& retryStrategy) {
        bodyRuns.clear();
        auto clean = std::make_shared<RecordingStore>();
        TestEngine first{chargeOnce(retryStrategy), clean};
        first.finish(first->start("charge", {.name = "x"}));
        REQUIRE(clean->transactions() == 4);  // the start, the attempt, its result, the end
        bodyRuns.clear();
        TestEngine second{chargeOnce(retryStrategy), clean->after(2)};
        return second.finish(second->start("charge", {.name = "x"}));
    };

    const auto given = runAfterStart(retry::none());
    CHECK(given.status() == ExecutionStatus::failed);
    CHECK(bodyRuns.empty());

    const auto retried = runAfterStart(retry::fixed(2, 1s));
    CHECK(retried.result<int>() == 7);
    CHECK(bodyRuns == std::map<std::string, int>{{"attempt-2", 1}});
}
