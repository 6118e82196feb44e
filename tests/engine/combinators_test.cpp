// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/every_way.hpp>
#include <support/test_engine.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

const StepConfig once{.retryStrategy = retry::none()};

int fails() { throw std::out_of_range{"broken"}; }

/// Waits, then gives a value.
auto after(std::chrono::seconds delay, int value) {
    return [=](DurableContext& ctx) -> Task<int> {
        co_await ctx.wait(delay);
        co_return value;
    };
}

auto failsAfter(std::chrono::seconds delay) {
    return [=](DurableContext& ctx) -> Task<int> {
        co_await ctx.wait(delay);
        throw std::out_of_range{"broken"};
    };
}

}  // namespace

TEST_CASE("all gives the results in their order, whatever the order of their ends") {
    const auto result = runEveryWay<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto three = ctx.all("three", ctx.runInChildContext("slow", after(5s, 1)),
                             ctx.step("text", [] { return std::string{"two"}; }), ctx.wait(1s));
        auto [slow, text, nothing] = co_await three;
        static_assert(std::is_same_v<decltype(nothing), std::monostate>);
        co_return fmt::format("{} {}", slow, text);
    });
    CHECK(result == "1 two");
}

TEST_CASE("all takes a vector of operations, of none too") {
    const auto result =
        runEveryWay<std::vector<int>>([](DurableContext& ctx) -> Task<std::vector<int>> {
            std::vector<Task<int>> operations;
            for (int i = 0; i < 4; ++i) {
                operations.push_back(ctx.runInChildContext(after(std::chrono::seconds{5 - i}, i)));
            }
            auto results = co_await ctx.all("many", std::move(operations));
            std::vector<Task<void>> waits;
            waits.push_back(ctx.wait(1s));
            waits.push_back(ctx.wait(2s));
            co_await ctx.all(std::move(waits));
            auto none = co_await ctx.all(std::vector<Task<int>>{});
            results.push_back(static_cast<int>(none.size()));
            co_return results;
        });
    CHECK(result == std::vector<int>{0, 1, 2, 3, 0});
}

TEST_CASE("all fails with the first failure and does not wait for the others") {
    const auto result = runEveryWay<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto both = ctx.all("both", ctx.wait("long", 24h), ctx.step("bad", fails, once));
        try {
            co_await both;
        } catch (const CombinatorError& error) {
            co_return fmt::format("{} {} {} {}", error.name(), error.errorType(), error.what(),
                                  error.isCausedBy("std::out_of_range"));
        }
        co_return "";
    });
    CHECK(result == "CombinatorError StepError broken true");
}

TEST_CASE("allSettled tells of each operation how it ended") {
    const auto result = runEveryWay<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto [good, bad, nothing] =
            co_await ctx.allSettled("three", ctx.step([] { return 1; }),
                                    ctx.runInChildContext(failsAfter(3s)), ctx.wait(1s));
        std::vector<Task<int>> more;
        more.push_back(ctx.step(fails, once));
        more.push_back(ctx.step([] { return 2; }));
        auto list = co_await ctx.allSettled(std::move(more));
        std::string thrown;
        try {
            (void)bad.get();
        } catch (const CombinatorError& error) {
            thrown = error.what();
        }
        co_return fmt::format("{} {} {} {} | {} {} {}", good.get(), bad.error()->type.value(),
                              thrown, nothing.succeeded(), list[0].succeeded(),
                              list[0].error()->cause->type.value(), *list[1].value());
    });
    CHECK(result == "1 ChildContextError broken true | false std::out_of_range 2");
}

TEST_CASE("any gives the first success; failures before it do not count") {
    const auto result = runEveryWay<int>([](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.any("first", ctx.runInChildContext(after(30s, 1)),
                                   ctx.step(fails, once), ctx.runInChildContext(after(5s, 3)));
    });
    CHECK(result == 3);
}

TEST_CASE("any of operations that all fail says so, with the first as its cause") {
    const auto result = runEveryWay<std::string>([](DurableContext& ctx) -> Task<std::string> {
        std::vector<Task<int>> operations;
        operations.push_back(ctx.step(fails, once));
        operations.push_back(ctx.runInChildContext(failsAfter(2s)));
        auto none = ctx.any("none", std::move(operations));
        try {
            co_await none;
        } catch (const CombinatorError& error) {
            co_return fmt::format("{}: {}; {}", error.errorType(), error.what(),
                                  error.error().cause->type.value());
        }
        co_return "";
    });
    CHECK(result == "AggregateError: All promises were rejected; StepError");
}

TEST_CASE("race gives the first end, of whatever type") {
    const auto result = runEveryWay<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto first = co_await ctx.race("race", ctx.wait(60s), ctx.runInChildContext(after(5s, 7)),
                                       ctx.step([] { return std::string{"at once"}; }));
        static_assert(
            std::is_same_v<decltype(first), std::variant<std::monostate, int, std::string>>);
        std::vector<Task<void>> waits;
        waits.push_back(ctx.wait(60s));
        waits.push_back(ctx.wait(1s));
        co_await ctx.race(std::move(waits));
        co_return fmt::format("{} {}", first.index(), std::get<2>(first));
    });
    CHECK(result == "2 at once");
}

TEST_CASE("race fails if the first end is a failure") {
    const auto result = runEveryWay<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto race =
            ctx.race("race", ctx.runInChildContext(after(60s, 1)), ctx.step("bad", fails, once));
        try {
            co_await race;
        } catch (const CombinatorError& error) {
            co_return error.errorType();
        }
        co_return "";
    });
    CHECK(result == "StepError");
}

TEST_CASE("an execution that a lost operation invoked goes on to its end") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        TestEngine engine{[](Engine& e) {
                              e.registerHandler("slow", [](DurableContext& ctx) -> Task<int> {
                                  co_await ctx.wait(10s);
                                  co_return 1;
                              });
                              e.registerHandler("fast", [](DurableContext& ctx) -> Task<int> {
                                  co_return co_await ctx.any("first",
                                                             ctx.invoke<int>("slow", nullptr),
                                                             ctx.step([] { return 2; }));
                              });
                          },
                          std::make_shared<RecordingStore>(), maxParked};
        const auto fast = engine->start("fast");
        engine.advance(1s);
        CHECK(fast.result<int>() == 2);
        engine.advance(10s);

        const auto slow = engine->list({.handlerName = "slow"});
        REQUIRE(slow.size() == 1);
        CHECK(slow.front().status() == ExecutionStatus::succeeded);
        CHECK(fast.result<int>() == 2);
    }
}

TEST_CASE("an operation that lost is destroyed, and what follows it does not happen") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        bool lateRan = false;
        auto alive = std::make_shared<int>(0);
        const std::weak_ptr<int> watched = alive;
        TestEngine engine{
            [&](Engine& e) {
                e.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
                    auto slow = ctx.runInChildContext(
                        "slow", [&lateRan, alive](DurableContext& child) -> Task<int> {
                            auto inner = child.runInChildContext(
                                "inner", [alive](DurableContext& c) -> Task<int> {
                                    co_await c.wait(10s);
                                    co_return *alive;
                                });
                            co_await inner;
                            lateRan = true;
                            co_return 1;
                        });
                    const auto before = watched.use_count();
                    auto first =
                        co_await ctx.any("first", std::move(slow), ctx.step([] { return 2; }));
                    CHECK(watched.use_count() < before);
                    co_await ctx.wait("longer", 60s);
                    co_return first;
                });
            },
            std::make_shared<RecordingStore>(), maxParked};
        const auto execution = engine->start("handler");
        engine.finish(execution);

        CHECK(execution.result<int>() == 2);
        CHECK_FALSE(lateRan);
    }
}

TEST_CASE("bodies of operations that lost are told to stop and waited for, however deep they are") {
    std::atomic<int> stopped{};
    std::atomic<int> running{};
    const auto endless = [&](StepContext& step) {
        ++running;
        std::mutex mutex;
        std::condition_variable_any asked;
        std::unique_lock lock{mutex};
        asked.wait(lock, step.stopToken(), [] { return false; });
        ++stopped;
        return 1;
    };
    EngineOptions options{.workflowThreads = 1, .stepThreads = 4};
    Engine engine{std::make_shared<MemoryStore>(), options};
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
        co_await ctx.race("race", ctx.step("endless", endless),
                          ctx.runInChildContext("child",
                                                [&](DurableContext& child) -> Task<int> {
                                                    co_return co_await child.step("endless",
                                                                                  endless);
                                                }),
                          ctx.map("map", std::vector{1},
                                  [&](DurableContext& item, int) -> Task<int> {
                                      co_return co_await item.step("endless", endless);
                                  }),
                          ctx.step("short", [&] {
                              while (running < 3) std::this_thread::yield();
                              return 2;
                          }));
        co_return stopped.load();
    });

    CHECK(engine.start("handler").result<int>() == 3);
}

TEST_CASE("on replay of a finished combinator nothing is awaited again") {
    int runs = 0;
    const auto handler = [&](DurableContext& ctx) -> Task<int> {
        auto first = co_await ctx.any("first", ctx.step("a", [&] { return ++runs; }),
                                      ctx.step("b", [&] { return ++runs; }));
        co_await ctx.wait(1s);
        co_await ctx.wait(1s);
        co_return first;
    };
    CHECK(runHandler<int>(handler, 0) == 1);
    CHECK(runs <= 2);
}

TEST_CASE("a combinator is a child context of the history, with the operations beside it") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("handler", [](DurableContext& ctx) -> Task<int> {
            auto [a, b] = co_await ctx.all("both", ctx.step("a", [] { return 1; }),
                                           ctx.step("b", [] { return 2; }));
            co_return a + b;
        });
    }};
    const auto execution = engine->start("handler");
    engine.finish(execution);

    const auto events = engine.events(execution.id());
    REQUIRE(events.size() == 9);
    CHECK(events[1] == "ContextStarted 3 both");
    CHECK(events[6] == "ContextSucceeded 3 both");
    const auto history = engine->history(execution.id());
    CHECK(history[6].details["Result"]["Payload"] == "[1,2]");
    CHECK(history[6].subType == "RunInChildContext");
}

TEST_CASE("results that are too large to record are given again by the operations") {
    const auto handler = [](DurableContext& ctx) -> Task<std::string> {
        const auto text = [](char c) { return [c] { return std::string(40, c); }; };
        auto [a, b] = co_await ctx.all("all", ctx.step("a", text('a')), ctx.step("b", text('b')));
        auto winner = co_await ctx.race("race", ctx.wait("long", 60s), ctx.step("c", text('c')));
        auto same = co_await ctx.any(
            "any",
            ctx.step(
                "bad", []() -> std::string { throw std::runtime_error{"no"}; }, once),
            ctx.step("d", text('d')));
        auto settled = co_await ctx.allSettled("settled", ctx.step("e", text('e')),
                                               ctx.step("bad", fails, once));
        co_await ctx.wait("again", 90s);
        co_return fmt::format("{}{}{}{}{}{}", a[0], b[0], std::get<1>(winner)[0], same[0],
                              std::get<0>(settled).get()[0], std::get<1>(settled).succeeded());
    };
    const Limits limits{.inlineResultBytesMax = 20};
    for (const std::size_t maxParked : {1000U, 0U}) {
        TestEngine engine{[&](Engine& e) { e.registerHandler("handler", handler); },
                          std::make_shared<RecordingStore>(), maxParked, limits};
        const auto execution = engine->start("handler");
        engine.finish(execution);
        CHECK(execution.result<std::string>() == "abcdefalse");
    }
}

TEST_CASE("a coroutine that calls operations itself is refused in a combinator") {
    const auto own = [](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.step([] { return 1; });
    };
    TestEngine engine{[&](Engine& e) {
        e.registerHandler("handler", [own](DurableContext& ctx) -> Task<int> {
            auto [value] = co_await ctx.all(own(ctx));
            co_return value;
        });
    }};
    const auto execution = engine->start("handler");
    engine.finish(execution);

    CHECK_THROWS_WITH(execution.result<int>(), ContainsSubstring("was given another one"));
}

TEST_CASE("any and race of nothing are refused at the call") {
    CHECK(runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
              try {
                  (void)ctx.race("none", std::vector<Task<int>>{});
              } catch (const InvalidConfig& error) {
                  co_return error.what();
              }
              co_return "";
          }) == "race must be given at least one operation");
}

// --- withRetry ----------------------------------------------------------------------------------

namespace {

/// Fails as often as it is told to, after a step that counts.
auto block(std::uint32_t failures) {
    return [=](DurableContext& ctx, std::uint32_t attempt) -> Task<std::uint32_t> {
        auto counted = co_await ctx.step("count", [=] { return attempt; });
        if (attempt <= failures) throw std::out_of_range{fmt::format("attempt {}", counted)};
        co_return counted;
    };
}

}  // namespace

TEST_CASE("withRetry repeats a block of operations with durable waits in between") {
    CHECK(runEveryWay<std::uint32_t>([](DurableContext& ctx) -> Task<std::uint32_t> {
              auto value =
                  co_await ctx.withRetry("book", block(2), {.retryStrategy = retry::fixed(3, 5s)});
              co_await ctx.wait(1s);
              co_return value;
          }) == 3);
}

TEST_CASE("withRetry names its waits and keeps its attempts in a child context") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("handler", [](DurableContext& ctx) -> Task<std::uint32_t> {
            co_return co_await ctx.withRetry("book", block(1),
                                             {.retryStrategy = retry::fixed(3, 5s)});
        });
    }};
    const auto execution = engine->start("handler");
    engine.finish(execution);

    const auto events = engine.events(execution.id());
    CHECK(std::vector(events.begin() + 1, events.begin() + 9) ==
          std::vector<std::string>{"ContextStarted 1 book", "StepStarted 1-1 count",
                                   "StepSucceeded 1-1 count", "WaitStarted 1-2 book-backoff-1",
                                   "WaitSucceeded 1-2 book-backoff-1", "StepStarted 1-3 count",
                                   "StepSucceeded 1-3 count", "ContextSucceeded 1 book"});
}

TEST_CASE("withRetry that gives up throws what a child context throws, or the error itself") {
    const auto result = runEveryWay<std::string>([](DurableContext& ctx) -> Task<std::string> {
        std::string texts;
        auto wrapped = ctx.withRetry(block(9), {.retryStrategy = retry::fixed(2, 1s)});
        try {
            co_await wrapped;
        } catch (const ChildContextError& error) {
            texts += error.errorType() + " " + error.what();
        }
        auto bare = ctx.withRetry(
            block(9), {.retryStrategy = retry::none(), .wrapWithRunInChildContext = false});
        try {
            co_await bare;
        } catch (const std::out_of_range& error) {
            texts += std::string{", "} + error.what();
        }
        co_return texts;
    });
    CHECK(result == "std::out_of_range attempt 2, attempt 1");
}

TEST_CASE("withRetry asks for a strategy") {
    CHECK(runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
              try {
                  (void)ctx.withRetry("book", block(0), {});
              } catch (const InvalidConfig& error) {
                  co_return error.what();
              }
              co_return "";
          }) == "retryStrategy must be set");
}

TEST_CASE("withRetry takes a name of any allowed length and cuts it for the waits in between") {
    const auto result = [](std::size_t length) {
        return runHandler<int>([length](DurableContext& ctx) -> Task<int> {
            const std::string name(length, 'n');
            auto retried = ctx.withRetry(name,
                                         [](DurableContext&, std::uint32_t attempt) -> Task<int> {
                                             if (attempt < 12) throw std::runtime_error{"not yet"};
                                             co_return 5;
                                         },
                                         {.retryStrategy = retry::fixed(20, 1s)});
            co_return co_await std::move(retried);
        });
    };
    CHECK(result(246) == 5);
    CHECK(result(256) == 5);
    CHECK_THROWS_WITH(result(257), ContainsSubstring("name must be at most 256 characters"));
}
