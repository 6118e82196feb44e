// SPDX-License-Identifier: Apache-2.0
// Handlers that are right are not accused, and run as they do without verification.

#include <verified_replay/verified.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using durable::testing::LocalRunner;
using durable::testing::LocalRunnerOptions;

namespace {

/// The result of `handler`, which must be the same verified and not, parked and not; and the bodies
/// must be called as often.
template <class T, class Handler>
T verifiedEveryWay(Handler handler, const std::shared_ptr<int>& bodies, const Prepare& prepare = {},
                   Limits limits = {}) {
    std::vector<T> results;
    std::vector<int> calls;
    for (const bool parked : {true, false}) {
        for (const bool verifyReplay : {false, true}) {
            INFO("parked " << parked << ", verified " << verifyReplay);
            *bodies = 0;
            LocalRunner runner{handler,
                               {.parked = parked, .verifyReplay = verifyReplay, .limits = limits}};
            if (prepare) prepare(runner);
            auto execution = runner.run();
            while (execution.status() == ExecutionStatus::running) {
                execution.completeCallback("answer", "yes").run();
            }
            results.push_back(execution.template result<T>());
            calls.push_back(*bodies);
        }
    }
    for (std::size_t i = 1; i < results.size(); ++i) {
        CHECK(results[i] == results[0]);
        CHECK(calls[i] == calls[0]);
    }
    return results[0];
}

}  // namespace

TEST_CASE("right: steps, retries, at-most-once steps, waits and conditions") {
    const auto bodies = std::make_shared<int>(0);
    const auto result = verifiedEveryWay<int>(
        [=](DurableContext& ctx) -> Task<int> {
            int sum = co_await ctx.step("one", [=] { return ++*bodies, 1; });
            auto flaky = [=](StepContext& step) {
                ++*bodies;
                if (step.attempt() < 3) throw std::runtime_error{"not yet"};
                return 10;
            };
            sum += co_await ctx.step("flaky", flaky);
            sum += co_await ctx.step("once", [=] { return ++*bodies, 100; },
                                     {.semantics = StepSemantics::atMostOncePerRetry});
            co_await ctx.wait("sleep", 1h);
            sum += co_await ctx.waitForCondition<int>(
                "grown", [=](const int& n) { return ++*bodies, n + 1; },
                {.initialState = 0, .waitStrategy = [](const int& n, std::uint32_t, double) {
                     return n < 3 ? WaitDecision::again(1s) : WaitDecision::stop();
                 }});
            co_return sum;
        },
        bodies);

    CHECK(result == 114);
}

TEST_CASE("right: callbacks, invokes and child contexts, also those that fail") {
    const auto bodies = std::make_shared<int>(0);
    const auto result = verifiedEveryWay<std::string>(
        [=](DurableContext& ctx) -> Task<std::string> {
            auto text = co_await ctx.waitForCallback<std::string>(
                "answer", [=](std::string) { ++*bodies; }, {.timeout = 24h});
            auto callback = co_await ctx.createCallback<std::string>("answer");
            text += co_await ctx.invoke<std::string>("call", "callee", std::string{"a"});
            text += co_await callback.result();
            auto fails = [=](DurableContext& child) -> Task<void> {
                co_await child.wait("a moment", 1s);
                throw std::runtime_error{"declined"};
            };
            try {
                co_await ctx.runInChildContext("group", fails);
            } catch (const ChildContextError& error) {
                text += error.what();
            }
            auto inner = [=](DurableContext& child) -> Task<std::string> {
                co_return co_await child.step("in", [=] { return ++*bodies, std::string{"in"}; });
            };
            text += co_await ctx.runInChildContext("virtual", inner, {.virtualContext = true});
            co_return text;
        },
        bodies,
        [](LocalRunner& runner) {
            runner.registerHandler("callee",
                                   [](DurableContext& ctx, std::string text) -> Task<std::string> {
                                       co_await ctx.wait("busy", 5s);
                                       co_return text + "!";
                                   });
        });

    CHECK(result.starts_with("yesa!yes"));
    CHECK(result.ends_with("in"));
}

TEST_CASE("right: maps and parallels, nested and flat, early completion, results over the limit") {
    for (const auto nesting : {Nesting::nested, Nesting::flat}) {
        for (const std::size_t inlineMax : {std::size_t{262'144}, std::size_t{20}}) {
            const auto bodies = std::make_shared<int>(0);
            const auto result = verifiedEveryWay<std::string>(
                [=](DurableContext& ctx) -> Task<std::string> {
                    auto item = [=](DurableContext& each, const int& n) -> Task<std::string> {
                        co_await each.wait("later", std::chrono::seconds{10 - n});
                        co_return co_await each.step(
                            "make", [=] { return ++*bodies, std::string(8, char('a' + n)); });
                    };
                    const MapConfig two{.maxConcurrency = 2, .nesting = nesting};
                    const std::vector five{0, 1, 2, 3, 4};
                    auto all = co_await ctx.map("all", five, item, two);
                    const MapConfig early{.completionConfig = {.minSuccessful = 2},
                                          .nesting = nesting};
                    const std::vector four{0, 1, 2, 3};
                    auto some = co_await ctx.map("some", four, item, early);
                    auto left = [=](DurableContext& c) -> Task<int> {
                        co_return co_await c.step("l", [=] { return ++*bodies, 1; });
                    };
                    auto right = [=](DurableContext& c) -> Task<std::string> {
                        co_await c.wait(3s);
                        co_return "r";
                    };
                    const ParallelConfig config{.nesting = nesting};
                    auto both = co_await ctx.parallel("both", branch("left", left),
                                                      branch("right", right), config);
                    std::string text;
                    for (const auto& each : all.getResults()) text += each;
                    co_await ctx.step(fmt::format("after-{}", some.successCount()), [] {});
                    for (const auto& each : some.succeeded()) text += each.name;
                    const auto [number, letter] = both.getResults();
                    co_return fmt::format("{} {} {}", text, number, letter);
                },
                bodies, {}, {.inlineResultBytesMax = inlineMax});

            CHECK(result == "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeemap-item-2map-item-3 1 r");
        }
    }
}

TEST_CASE(
    "right: a flat map is decided by the order in which its items end, which only a run knows") {
    const auto bodies = std::make_shared<int>(0);
    const auto result = verifiedEveryWay<std::size_t>(
        [=](DurableContext& ctx) -> Task<std::size_t> {
            auto item = [](DurableContext& each, const int& seconds) -> Task<void> {
                co_await each.wait(std::chrono::seconds{seconds});
                if (seconds == 2) throw std::runtime_error{"declined"};
            };
            // The replay, which gets the first two ends at once, is told of the failure first.
            const CompletionConfig unlessFirst{.shouldComplete = [](const CompletionProgress& now) {
                return now.failureCount > 0 && now.successCount == 0
                           ? CompletionDecision::completeAsFailed
                           : CompletionDecision::goOn;
            }};
            const std::vector seconds{2, 1, 3};
            auto done = co_await ctx.map(
                "all", seconds, item, {.completionConfig = unlessFirst, .nesting = Nesting::flat});
            co_await ctx.step("after", [=] { return ++*bodies; });
            co_return done.all().size();
        },
        bodies);

    CHECK(result == 3);
}

TEST_CASE("right: all, any, race and withRetry with delays that are drawn") {
    const auto bodies = std::make_shared<int>(0);
    const auto result = verifiedEveryWay<std::string>(
        [=](DurableContext& ctx) -> Task<std::string> {
            const auto after = [=](std::chrono::seconds delay, int value) {
                return [=](DurableContext& child) -> Task<int> {
                    co_await child.wait(delay);
                    co_return co_await child.step("v", [=] { return ++*bodies, value; });
                };
            };
            auto both = ctx.all("both", ctx.runInChildContext("slow", after(5s, 1)),
                                ctx.runInChildContext("fast", after(1s, 2)));
            auto [slow, fast] = co_await both;
            const auto first = co_await ctx.race("first", ctx.runInChildContext(after(5s, 3)),
                                                 ctx.runInChildContext(after(1s, 4)));
            const auto any = co_await ctx.any("any", ctx.runInChildContext(after(1s, 5)),
                                              ctx.runInChildContext(after(9s, 6)));
            auto block = [=](DurableContext& child, std::uint32_t attempt) -> Task<int> {
                co_await child.step([=] { ++*bodies; });
                if (attempt < 3) throw std::runtime_error{"again"};
                co_return 7;
            };
            const auto retried =
                co_await ctx.withRetry("block", block, {.retryStrategy = retry::standard()});
            co_return fmt::format("{}{}{}{}{}", slow, fast, first, any, retried);
        },
        bodies, {}, {});

    CHECK(result == "12457");
}

TEST_CASE("right: jitter drawn anew on every run accuses nobody") {
    auto draws = std::make_shared<int>(0);
    auto block = [](DurableContext&, std::uint32_t attempt) -> Task<int> {
        if (attempt < 4) throw std::runtime_error{"again"};
        co_return 7;
    };
    const auto handler = [=](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.withRetry("block", block, {.retryStrategy = retry::standard()});
    };
    LocalRunner runner{
        handler, {.verifyReplay = true, .random = [=] { return (++*draws * 37 % 100) / 100.0; }}};

    CHECK(runner.run().result<int>() == 7);
}

TEST_CASE("the replay logs nothing, tells no plugin, and reports no progress") {
    struct Counting : Plugin {
        void onOperationStart(const OperationInfo&) override { ++started; }
        void onInvocationStart(const InvocationInfo&) override { ++invocations; }
        int started{};
        int invocations{};
    };
    const auto progress = std::make_shared<int>(0);
    const auto handler = [=](DurableContext& ctx) -> Task<void> {
        ctx.logger().alsoOnReplay().info("begins");
        const std::vector numbers{1, 2};
        co_await ctx.map("all", numbers,
                         [](DurableContext& item, const int& n) -> Task<void> {
                             item.logger().info("item {}", n);
                             co_await item.wait(std::chrono::seconds{n});
                         },
                         {.onProgress = [=](const BatchProgress&) { ++*progress; }});
        ctx.logger().info("ends");
    };
    std::vector<std::size_t> lines;
    std::vector<int> told;
    for (const bool verifyReplay : {false, true}) {
        *progress = 0;
        const auto plugin = std::make_shared<Counting>();
        LocalRunner runner{handler,
                           {.parked = true, .verifyReplay = verifyReplay, .plugins = {plugin}}};
        auto execution = runner.run();
        CHECK(execution.status() == ExecutionStatus::succeeded);
        lines.push_back(execution.logs().size());
        told.push_back(plugin->started * 10'000 + plugin->invocations * 100 + *progress);
    }
    CHECK(lines[0] == 4);
    CHECK(lines[1] == lines[0]);
    CHECK(told[1] == told[0]);
}

TEST_CASE("nothing of a replay is alive after it") {
    struct Counted {
        explicit Counted(std::shared_ptr<int> count) : alive{std::move(count)} { ++*alive; }
        Counted(const Counted&) = delete;
        Counted& operator=(const Counted&) = delete;
        ~Counted() { --*alive; }
        std::shared_ptr<int> alive;
    };
    const auto alive = std::make_shared<int>(0);
    const auto handler = [=](DurableContext& ctx) -> Task<void> {
        const Counted mine{alive};
        auto waits = [=](DurableContext& item, const int&) -> Task<void> {
            const Counted its{alive};
            co_await item.step([] {});
            co_await item.wait(1h);
        };
        const std::vector numbers{1, 2, 3};
        co_await ctx.map("all", numbers, waits);
    };
    LocalRunner runner{handler, {.parked = true, .verifyReplay = true}};

    auto execution = runner.start();
    runner.settle();
    CHECK(*alive == 4);  // the run itself, which waits

    execution.run();
    CHECK(execution.status() == ExecutionStatus::succeeded);
    CHECK(*alive == 0);
}

TEST_CASE("an execution that a crash has cut short is verified when it goes on") {
    const auto bodies = std::make_shared<int>(0);
    const auto handler = [=](DurableContext& ctx) -> Task<int> {
        int sum = 0;
        for (int i = 0; i < 4; ++i) {
            sum += co_await ctx.step(fmt::format("s{}", i), [=] { return ++*bodies; },
                                     {.semantics = StepSemantics::atMostOncePerRetry});
            co_await ctx.wait(fmt::format("w{}", i), 1s);
        }
        co_return sum;
    };
    LocalRunner runner{handler, {.verifyReplay = true}};
    auto execution = runner.start();
    execution.runUntil("s1");
    runner.crash();

    CHECK(execution.run().result<int>() == 10);
    CHECK(*bodies == 4);
}

TEST_CASE("on threads, with bodies at work while it replays, nobody is accused") {
    std::atomic<int> bodies{0};
    EngineOptions options{.workflowThreads = 2, .stepThreads = 4, .maxParked = 3};
    options.verifyReplay = true;
    options.log = {};
    Engine engine{std::make_shared<MemoryStore>(), std::move(options)};
    engine.registerHandler("work", [&bodies](DurableContext& ctx, int size) -> Task<int> {
        std::vector<int> items(static_cast<std::size_t>(size));
        auto item = [&bodies](DurableContext& each, const int&, std::size_t i) -> Task<int> {
            const auto one = co_await each.step("one", [&bodies] { return ++bodies, 1; });
            if (i % 3 == 0)
                co_await each.runInChildContext("inner", [](DurableContext& inner) -> Task<void> {
                    co_await inner.step([] {});
                });
            co_return one + co_await each.step("two", [] { return 1; });
        };
        auto done = co_await ctx.map("all", items, item, {.maxConcurrency = 8});
        auto some =
            co_await ctx.map("some", items, item, {.completionConfig = {.minSuccessful = 3}});
        int sum = 0;
        for (const auto& each : done.getResults()) sum += each;
        co_await ctx.step(fmt::format("with-{}", some.successCount()), [] {});
        co_return sum;
    });
    std::vector<Execution> executions;
    for (int i = 0; i < 20; ++i) executions.push_back(engine.start("work", 10));
    for (auto& execution : executions) CHECK(execution.result<int>() == 20);
}
