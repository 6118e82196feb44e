// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <functional>
#include <future>
#include <memory>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

using Body = std::function<Task<int>(DurableContext&)>;

/// Runs a handler that must fail; gives the recorded error as "type: message".
std::string failureOf(Body handler, Limits limits = {}) {
    TestEngine engine{[&](Engine& e) { e.registerHandler("handler", handler); },
                      std::make_shared<RecordingStore>(), 1000, limits};
    const auto execution = engine->start("handler");
    engine.finish(execution);
    REQUIRE(execution.status() == ExecutionStatus::failed);
    return execution.error()->type.value_or("") + ": " + execution.error()->message.value_or("");
}

/// Runs `before` to its first wait, then `after` over the same journal; gives its failure.
std::string failureAfterChange(Body before, Body after) {
    auto store = std::make_shared<RecordingStore>();
    {
        TestEngine engine{[&](Engine& e) { e.registerHandler("handler", before); }, store};
        engine->start("handler", {.name = "a"});
        engine.settle();
    }
    TestEngine engine{[&](Engine& e) { e.registerHandler("handler", after); }, store};
    engine->resume();
    engine.advance(1h);
    const auto execution = engine->find("handler", "a");
    REQUIRE(execution->status() == ExecutionStatus::failed);
    return execution->error()->type.value_or("") + ": " + execution->error()->message.value_or("");
}

struct Opaque {
    int value{};
};
void to_json(nlohmann::json&, const Opaque&) { throw std::runtime_error{"cannot be written"}; }
void from_json(const nlohmann::json&, Opaque&) {}

struct WriteOnly {
    int value{};
};
void to_json(nlohmann::json& json, const WriteOnly& w) { json = w.value; }
void from_json(const nlohmann::json&, WriteOnly&) { throw std::runtime_error{"cannot be read"}; }

Task<int> item(DurableContext&, int i) { co_return i; }

Body mapOf(MapConfig config) {
    return [config](DurableContext& ctx) -> Task<int> {
        co_await ctx.map("orders", std::vector{1, 2, 3}, item, config);
        co_return 0;
    };
}

}  // namespace

TEST_CASE("a handler that calls something else on replay fails, and both calls are named") {
    const auto before = [](DurableContext& ctx) -> Task<int> {
        co_await ctx.step("charge", [] {});
        co_await ctx.runInChildContext("group", [](DurableContext& child) -> Task<void> {
            co_await child.step("reserve-stock", [] {});
            co_await child.wait("cool-down", 1s);
        });
        co_return 1;
    };
    bool caught = false;
    const auto after = [&](DurableContext& ctx) -> Task<int> {
        co_await ctx.step("charge", [] {});
        try {
            co_await ctx.runInChildContext("group", [](DurableContext& child) -> Task<void> {
                co_await child.wait("cool-down", 1s);
            });
        } catch (...) {
            caught = true;
        }
        co_return 1;
    };

    CHECK(failureAfterChange(before, after) ==
          "NonDeterministicExecutionError: Replay left the recorded path at operation 2-1.\n"
          "  recorded:  step \"reserve-stock\"\n"
          "  requested: wait \"cool-down\"\n"
          "Outside steps, a handler must make the same calls in the same order on every run.\n"
          "Usual causes: the handler was changed, or it read a clock, a random number or an\n"
          "unordered container outside a step.");
    CHECK_FALSE(caught);
}

TEST_CASE("a renamed operation is another operation") {
    const auto failure = failureAfterChange(
        [](DurableContext& ctx) -> Task<int> {
            co_await ctx.step([] {});
            co_await ctx.wait(1s);
            co_return 1;
        },
        [](DurableContext& ctx) -> Task<int> {
            co_await ctx.step("now named", [] {});
            co_await ctx.wait(1s);
            co_return 1;
        });

    CHECK_THAT(failure, Catch::Matchers::ContainsSubstring("recorded:  step without a name"));
    CHECK_THAT(failure, Catch::Matchers::ContainsSubstring("requested: step \"now named\""));
}

TEST_CASE("a batch that gets other items on replay is refused") {
    const auto with = [](std::vector<int> items) -> Body {
        return [items](DurableContext& ctx) -> Task<int> {
            co_await ctx.map("orders", items, item);
            co_await ctx.wait(1s);
            co_return 1;
        };
    };

    CHECK(failureAfterChange(with({1, 2}), with({1, 2, 3})) ==
          "NonDeterministicExecutionError: Replay left the recorded path at operation 1.\n"
          "  recorded:  map \"orders\" of 2 items\n"
          "  requested: map \"orders\" of 3 items\n"
          "A batch must get the same items on every run.");
}

TEST_CASE("an unfinished batch that gets fewer items on replay is refused, not cut short") {
    const auto with = [](std::vector<int> items) -> Body {
        return [items](DurableContext& ctx) -> Task<int> {
            auto results = co_await ctx.map("orders", items,
                                            [](DurableContext& c, int i) -> Task<int> {
                                                if (i > 1) co_await c.wait(1s);
                                                co_return i;
                                            },
                                            {.maxConcurrency = 1});
            co_return static_cast<int>(results.successCount());
        };
    };

    CHECK(failureAfterChange(with({1, 2, 3}), with({3})) ==
          "NonDeterministicExecutionError: Replay left the recorded path at operation 1.\n"
          "  recorded:  map \"orders\" of 3 items\n"
          "  requested: map \"orders\" of 1 items\n"
          "A batch must get the same items on every run.");
}

TEST_CASE("a batch whose items have changed places on replay is refused, ended or not") {
    const auto with = [](std::vector<std::string> orders, std::size_t bytes, bool ended) -> Body {
        return [=](DurableContext& ctx) -> Task<int> {
            co_await ctx.map("orders", orders,
                             [=](DurableContext& c, const std::string& order) -> Task<std::string> {
                                 if (!ended && order == "late") co_await c.wait(1s);
                                 co_return std::string(bytes, 'x');
                             },
                             {.itemNamer = [orders](std::size_t index) { return orders[index]; }});
            co_await ctx.wait(1s);
            co_return 1;
        };
    };
    const auto refusal =
        "NonDeterministicExecutionError: Replay left the recorded path at "
        "operation 1-1.\n"
        "  recorded:  item of a map \"early\"\n"
        "  requested: item of a map \"late\"\n";

    constexpr std::size_t tooLarge = 300'000;
    for (const std::size_t bytes : {std::size_t{1}, tooLarge}) {
        for (const bool ended : {false, true}) {
            INFO(bytes << " bytes, ended: " << ended);
            CHECK_THAT(failureAfterChange(with({"early", "late"}, bytes, ended),
                                          with({"late", "early"}, bytes, ended)),
                       Catch::Matchers::StartsWith(refusal));
        }
    }
}

TEST_CASE("a large batch that has ended runs no code of its items beyond what is recorded") {
    const auto with = [](std::vector<int> items, Nesting nesting, bool isLonger) -> Body {
        return [=](DurableContext& ctx) -> Task<int> {
            auto body = [=](DurableContext& c, int) -> Task<std::string> {
                co_await c.step("first", [] {});
                if (isLonger) co_await c.step("more", [] {});
                co_return std::string(300'000, 'x');
            };
            auto running = ctx.map("orders", items, body, {.nesting = nesting});
            co_await std::move(running);
            co_await ctx.wait(1s);
            co_return 1;
        };
    };

    for (const auto nesting : {Nesting::nested, Nesting::flat}) {
        CHECK_THAT(failureAfterChange(with({1, 2}, nesting, false), with({1, 2}, nesting, true)),
                   Catch::Matchers::ContainsSubstring("recorded:  nothing") &&
                       Catch::Matchers::ContainsSubstring("requested: step \"more\""));
        CHECK_THAT(failureAfterChange(with({1, 2}, nesting, false), with({1}, nesting, false)),
                   Catch::Matchers::ContainsSubstring("recorded:  map \"orders\" of 2 items") &&
                       Catch::Matchers::ContainsSubstring("requested: map \"orders\" of 1 items"));
    }
}

namespace {

/// Awaits the first `count` of three steps in one way, then waits.
template <class Together>
Body stepsTogether(std::size_t count, Together together) {
    return [=](DurableContext& ctx) -> Task<int> {
        std::vector<Task<std::string>> steps;
        for (std::size_t i = 0; i < 3; ++i) {
            auto step =
                ctx.step(fmt::format("s{}", i),
                         [i] {
                             if (i < 2) throw std::runtime_error{"no"};
                             return std::string(300'000, 'x');  // too long to be recorded twice
                         },
                         {.retryStrategy = retry::none()});
            if (i < count) steps.push_back(std::move(step));
        }
        auto done = together(ctx, std::move(steps));
        co_await std::move(done);
        co_await ctx.wait(1s);
        co_return 1;
    };
}

Task<void> anyOf(DurableContext& ctx, std::vector<Task<std::string>> steps) {
    auto any = ctx.any("first", std::move(steps));
    co_await std::move(any);
}

Task<void> settledOf(DurableContext& ctx, std::vector<Task<std::string>> steps) {
    auto settled = ctx.allSettled("first", std::move(steps));
    co_await std::move(settled);
}

const std::string threeBecameTwo =
    "NonDeterministicExecutionError: Replay left the recorded path at operation 4.\n"
    "  recorded:  runInChildContext \"first\" of 3 operations\n"
    "  requested: runInChildContext \"first\" of 2 operations\n"
    "all, allSettled, any and race must get the same operations on every run.";

}  // namespace

TEST_CASE("any and allSettled that get fewer operations on replay are refused") {
    CHECK(failureAfterChange(stepsTogether(3, anyOf), stepsTogether(2, anyOf)) == threeBecameTwo);
    CHECK(failureAfterChange(stepsTogether(3, settledOf), stepsTogether(2, settledOf)) ==
          threeBecameTwo);
}

TEST_CASE("an unfinished all that gets fewer operations on replay is refused") {
    const auto with = [](std::size_t count) -> Body {
        return [count](DurableContext& ctx) -> Task<int> {
            std::vector<Task<void>> waits;
            for (std::size_t i = 0; i < 3; ++i) {
                auto wait = ctx.wait(std::chrono::seconds{i + 1});
                if (i < count) waits.push_back(std::move(wait));
            }
            auto all = ctx.all("first", std::move(waits));
            co_await std::move(all);
            co_return 1;
        };
    };

    CHECK(failureAfterChange(with(3), with(2)) == threeBecameTwo);
}

TEST_CASE("a batch that is nested otherwise on replay is refused") {
    const auto with = [](Nesting nesting) -> Body {
        return [nesting](DurableContext& ctx) -> Task<int> {
            co_await ctx.map("orders", std::vector{1},
                             [](DurableContext& c, int i) -> Task<int> {
                                 co_await c.step([] {});
                                 co_await c.wait(1s);
                                 co_return i;
                             },
                             {.nesting = nesting});
            co_return 1;
        };
    };

    CHECK(failureAfterChange(with(Nesting::nested), with(Nesting::flat)) ==
          "NonDeterministicExecutionError: Replay left the recorded path at operation 1-1.\n"
          "  recorded:  item of a map \"map-item-0\", NESTED\n"
          "  requested: item of a map \"map-item-0\", FLAT\n"
          "The nesting of a batch must be the same on every run.");
    CHECK_THAT(
        failureAfterChange(with(Nesting::flat), with(Nesting::nested)),
        Catch::Matchers::ContainsSubstring("requested: item of a map \"map-item-0\", NESTED"));
}

TEST_CASE("options of a batch that are out of range are refused before anything is recorded") {
    const auto refusal = [](MapConfig config) {
        TestEngine engine{
            [&](Engine& e) { e.registerHandler("handler", mapOf(std::move(config))); }};
        const auto execution = engine->start("handler");
        engine.finish(execution);
        CHECK(engine.events(execution.id()) == std::vector<std::string>{"ExecutionStarted",
                                                                        "InvocationCompleted",
                                                                        "ExecutionFailed"});
        CHECK(execution.error()->type == "durable::InvalidConfig");
        return execution.error()->message.value_or("");
    };

    CHECK(refusal({.maxConcurrency = 0}) ==
          "map \"orders\": maxConcurrency must be at least 1, got 0");
    CHECK(refusal({.maxConcurrency = -1}) ==
          "map \"orders\": maxConcurrency must be at least 1, got -1");
    CHECK(refusal({.completionConfig = {.minSuccessful = 4}}) ==
          "map \"orders\": minSuccessful must be from 1 to 3, got 4");
    CHECK(refusal({.completionConfig = {.minSuccessful = 0}}) ==
          "map \"orders\": minSuccessful must be from 1 to 3, got 0");
    CHECK(refusal({.completionConfig = {.toleratedFailurePercentage = 100.5}}) ==
          "map \"orders\": toleratedFailurePercentage must be from 0 to 100, got 100.5");
    CHECK(refusal({.completionConfig = {.toleratedFailurePercentage = -1}}) ==
          "map \"orders\": toleratedFailurePercentage must be from 0 to 100, got -1");
    CHECK(refusal({.completionConfig = {.minSuccessful = 1,
                                        .shouldComplete =
                                            [](const CompletionProgress&) {
                                                return CompletionDecision::goOn;
                                            }}}) ==
          "map \"orders\": shouldComplete excludes minSuccessful, toleratedFailureCount and "
          "toleratedFailurePercentage");
    CHECK(refusal({.itemNamer = [](std::size_t) { return std::string(257, 'x'); }}) ==
          "map \"orders\": the name of an item must be at most 256 characters, got 257");
}

TEST_CASE("a batch of more items than a journal can number is refused") {
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_await ctx.map("orders", std::views::iota(0, 10'000'001), item);
              co_return 0;
          }) ==
          "durable::InvalidConfig: map \"orders\": 10000001 items are too many: at most 10000000");
}

TEST_CASE("a refused call takes no place in the journal") {
    const auto result = runHandler<int>([](DurableContext& ctx) -> Task<int> {
        bool refused = false;
        try {
            co_await ctx.map(std::vector{1}, item, {.maxConcurrency = 0});
        } catch (const InvalidConfig&) {
            refused = true;
        }
        auto callback = co_await ctx.createCallback("first");
        co_return refused&& callback.id().starts_with("1x1x") ? 1 : 0;
    });

    CHECK(result == 1);
}

TEST_CASE("durations and names out of range are refused") {
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_await ctx.wait(0s);
              co_return 0;
          }) == "durable::InvalidConfig: duration in seconds must be from 1 to 31622400, got 0");
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_await ctx.wait(std::chrono::hours{24 * 367});
              co_return 0;
          }) ==
          "durable::InvalidConfig: duration in seconds must be from 1 to 31622400, got 31708800");
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_await ctx.createCallback("c", {.timeout = 0s});
              co_return 0;
          }) == "durable::InvalidConfig: timeout in seconds must be from 1 to 31622400, got 0");
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_await ctx.step(std::string(257, 'x'), [] {});
              co_return 0;
          }) == "durable::InvalidConfig: name must be at most 256 characters, got 257");
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_await ctx.step("new\nline", [] {});
              co_return 0;
          }) == "durable::InvalidConfig: name must be printable ASCII characters");
}

TEST_CASE("a durable operation inside a step body, or on another thread, is refused") {
    const auto failureIn = [](auto makeBody) {
        return failureOf([makeBody](DurableContext& ctx) -> Task<int> {
            co_return co_await ctx.step("outer", makeBody(ctx), {.retryStrategy = retry::none()});
        });
    };
    const std::string refusal{
        "StepError: step \"inner\" was called outside the code of its handler: inside a step body, "
        "which has no durable operations (runInChildContext groups them), in a callback such as a "
        "retry strategy, in a destructor, or on another thread."};
    const auto callInner = [](DurableContext& ctx) { auto task = ctx.step("inner", [] {}); };

    CHECK(failureIn([&](DurableContext& ctx) {
              return [&] {
                  callInner(ctx);
                  return 1;
              };
          }) == refusal);
    CHECK(failureIn([&](DurableContext& ctx) {
              return [&]() -> boost::asio::awaitable<int> {
                  callInner(ctx);
                  co_return 1;
              };
          }) == refusal);
    CHECK(failureIn([&](DurableContext& ctx) {
              return [&]() -> boost::asio::awaitable<int> {
                  co_await boost::asio::post(boost::asio::use_awaitable);
                  callInner(ctx);
                  co_return 1;
              };
          }) == refusal);
    CHECK(failureIn([&](DurableContext& ctx) {
              return [&] {
                  std::async(std::launch::async, [&] { callInner(ctx); }).get();
                  return 1;
              };
          }) == refusal);
}

TEST_CASE("what another engine runs inside a handler is not code of that handler") {
    const auto refused = runHandler<bool>([](DurableContext& outer) -> Task<bool> {
        TestEngine engine{[&](Engine& e) {
            e.registerHandler("inner", [&](DurableContext& ctx) -> Task<bool> {
                co_return co_await ctx.step([&]() -> boost::asio::awaitable<bool> {
                    co_await boost::asio::post(boost::asio::use_awaitable);
                    try {
                        auto task = outer.step("oops", [] {});
                    } catch (const MisuseError&) {
                        co_return true;
                    }
                    co_return false;
                });
            });
        }};
        co_return engine.finish(engine->start("inner")).result<bool>();
    });

    CHECK(refused);
}

TEST_CASE("a durable operation inside a callback of the author's is refused") {
    std::set<std::string> refused;
    std::set<std::string> accepted;
    const auto callIn = [&](const std::string& callback, DurableContext& ctx) {
        try {
            auto task = ctx.step("inner", [] {});
            accepted.insert(callback);
        } catch (const MisuseError&) {
            refused.insert(callback);
        }
    };
    const auto failing = [](DurableContext& c) -> Task<void> {
        co_await c.step([]() { throw std::runtime_error{"declined"}; },
                        {.retryStrategy = retry::none()});
    };
    runHandler<int>([&](DurableContext& ctx) -> Task<int> {
        const auto strategyOf = [&](const std::string& operation) {
            return [&, operation](const FailedAttempt&) {
                callIn(operation, ctx);
                return RetryDecision::stop();
            };
        };
        try {
            co_await ctx.step([]() { throw std::runtime_error{"declined"}; },
                              {.retryStrategy = strategyOf("step")});
        } catch (const StepError&) {
        }
        try {
            co_await ctx.withRetry(failing, {.retryStrategy = strategyOf("withRetry"),
                                             .wrapWithRunInChildContext = false});
        } catch (const StepError&) {
        }
        const ChildContextConfig mapping{.errorMapper = [&](const ErrorObject&) {
            callIn("errorMapper", ctx);
            return std::exception_ptr{};
        }};
        try {
            co_await ctx.runInChildContext(failing, mapping);
        } catch (const ChildContextError&) {
        }
        co_await ctx.waitForCondition<int>(
            [](int state) { return state; },
            {.initialState = 0, .waitStrategy = [&](int, std::uint32_t, double) {
                 callIn("waitStrategy", ctx);
                 return WaitDecision::stop();
             }});
        const Serdes<BatchRecord> serdes{.serialize =
                                             [&](const BatchRecord&, const SerdesContext&) {
                                                 callIn("serialize", ctx);
                                                 return std::string{"text"};
                                             },
                                         .deserialize =
                                             [&](const std::string&, const SerdesContext&) {
                                                 callIn("deserialize", ctx);
                                                 return BatchRecord{.inputCount = 1, .items = {}};
                                             }};
        const MapConfig watched{.completionConfig = {.shouldComplete =
                                                         [&](const CompletionProgress&) {
                                                             callIn("shouldComplete", ctx);
                                                             return CompletionDecision::goOn;
                                                         }},
                                .itemNamer =
                                    [&](std::size_t) {
                                        callIn("itemNamer", ctx);
                                        return std::string{"only"};
                                    },
                                .serdes = serdes,
                                .onProgress = [&](const auto&) { callIn("onProgress", ctx); }};
        const std::vector items{1};
        co_await ctx.map("orders", items, item, watched);
        co_return 1;
    });

    CHECK(accepted.empty());
    CHECK(refused == std::set<std::string>{"deserialize", "errorMapper", "itemNamer", "onProgress",
                                           "serialize", "shouldComplete", "step", "waitStrategy",
                                           "withRetry"});
}

TEST_CASE("an operation on the context of an outer function is refused") {
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_return co_await ctx.runInChildContext("child", [&](DurableContext&) -> Task<int> {
                  co_return co_await ctx.step("oops", [] { return 1; });
              });
          }) ==
          "ChildContextError: step \"oops\" was called on the context of the handler, but the code "
          "that runs was given another one. Use the context that was passed to the innermost "
          "function.");
}

TEST_CASE("contexts lie in each other as deep as a journal is read back, and no deeper") {
    struct Nested {
        static Task<int> call(DurableContext& ctx, std::size_t contexts) {
            if (contexts == 0) {
                // It would be a context itself.
                CHECK_THROWS_WITH(ctx.waitForCallback("ask", [](const std::string&) {}),
                                  "waitForCallback \"ask\" lies too deep: at most 1000 contexts "
                                  "lie in each other.");
                const std::vector items{1, 2};
                auto batch = co_await ctx.map("orders", items, item);
                co_await ctx.wait("pause", 1s);
                co_return batch.successCount();
            }
            co_return co_await ctx.runInChildContext(
                "inner", [contexts](DurableContext& inner) { return call(inner, contexts - 1); });
        }
    };
    const auto handler = [](DurableContext& ctx) { return Nested::call(ctx, contextDepthMax - 1); };
    auto store = std::make_shared<RecordingStore>();
    TestEngine engine{[&](Engine& e) { e.registerHandler("handler", handler); }, store};
    engine->start("handler", {.name = "a"});
    engine.settle();
    engine.restart();
    CHECK(engine.finish(*engine->find("handler", "a")).result<int>() == 2);

    CHECK_THAT(failureOf([](DurableContext& ctx) { return Nested::call(ctx, contextDepthMax); }),
               ContainsSubstring("map \"orders\" lies too deep: at most 1000 contexts lie in each "
                                 "other."));
}

TEST_CASE("a result that cannot be written or read back fails the execution, by operation") {
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              co_await ctx.step("opaque", [] { return Opaque{1}; });
              co_return 0;
          }) ==
          "SerdesError: The result of step \"opaque\" (operation 1) could not be recorded: cannot "
          "be written");
    CHECK(
        failureOf([](DurableContext& ctx) -> Task<int> {
            co_await ctx.step("one-way", [] { return WriteOnly{1}; });
            co_return 0;
        }) ==
        "SerdesError: The result of step \"one-way\" (operation 1) could not be read back: cannot "
        "be read");
    CHECK_THAT(
        failureOf([](DurableContext& ctx) -> Task<int> {
            co_await ctx.step("bytes", [] { return std::string{"\xff\xfe"}; });
            co_return 0;
        }),
        Catch::Matchers::StartsWith(
            "SerdesError: The result of step \"bytes\" (operation 1) could not be recorded: "));
}

TEST_CASE("a result over the payload limit is refused and not recorded") {
    CHECK(
        failureOf(
            [](DurableContext& ctx) -> Task<int> {
                co_await ctx.step("large", [] { return std::string(200, 'x'); });
                co_return 0;
            },
            {.payloadBytesMax = 100}) ==
        "InvalidParameterValueException: Operation 1 was refused: The payload must be at most 100 "
        "bytes, got 202.");
}

TEST_CASE("a step body that throws what is no std::exception fails its step") {
    const auto told = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        std::string caught;
        try {
            co_await ctx.step("odd", [] { throw 42; }, {.retryStrategy = retry::none()});
        } catch (const StepError& error) {
            caught = error.errorType() + "/" + error.what();
        }
        co_return caught;
    });

    CHECK(told == "/Unknown error");
}

TEST_CASE("a retry strategy that throws fails the step with its error") {
    const auto told = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        std::string caught;
        try {
            co_await ctx.step("flaky", [] { throw std::runtime_error{"flaky"}; },
                              {.retryStrategy = [](const FailedAttempt&) -> RetryDecision {
                                  throw std::logic_error{"bad strategy"};
                              }});
        } catch (const StepError& error) {
            caught = error.errorType() + "/" + error.what();
        }
        co_return caught;
    });

    CHECK(told == "std::logic_error/bad strategy");
}

TEST_CASE("a serdes for another type is refused at the call") {
    const Serdes<std::string> text{
        .serialize = [](const std::string& s, const SerdesContext&) { return s; },
        .deserialize = [](const std::string& s, const SerdesContext&) { return s; }};

    CHECK(failureOf([&](DurableContext& ctx) -> Task<int> {
              co_return co_await ctx.step("number", [] { return 1; }, {.serdes = text});
          })
              .starts_with("durable::InvalidConfig: serdes must be one of int, got one of "
                           "std::__cxx11::basic_string"));
}

TEST_CASE("a custom serdes is used on the first run and on replay") {
    std::vector<std::string> calls;
    const Serdes<int> hex{.serialize =
                              [&](const int& value, const SerdesContext& context) {
                                  calls.push_back("write " + std::string{context.operationId});
                                  return fmt::format("{:x}", value);
                              },
                          .deserialize =
                              [&](const std::string& text, const SerdesContext& context) {
                                  calls.push_back("read " + std::string{context.operationId});
                                  return std::stoi(text, nullptr, 16) + 1;
                              }};
    TestEngine engine{[&](Engine& e) {
        e.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
            auto value = co_await ctx.step("hex", [] { return 255; }, {.serdes = hex});
            co_await ctx.wait(1s);
            co_return value;
        });
    }};
    const auto id = engine->start("handler", {.name = "a"}).id();
    engine.settle();
    engine.restart();
    engine->resume();
    engine.advance(1s);

    CHECK(engine->find("handler", "a")->result<int>() == 256);
    CHECK(calls == std::vector<std::string>{"write 1", "read 1", "read 1"});
    CHECK(engine->history(id).at(2).details["Result"]["Payload"] == "ff");
}
