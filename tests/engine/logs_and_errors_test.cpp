// SPDX-License-Identifier: Apache-2.0
#include <durable/serdes/log_as_json_lines.hpp>

#include <nlohmann/json.hpp>
#include <support/catch.hpp>
#include <support/every_way.hpp>
#include <support/nested_exceptions.hpp>
#include <support/test_engine.hpp>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

struct HotelFull : std::runtime_error, ErrorDetails {
    using runtime_error::runtime_error;
    std::string errorType() const override { return "Hotel.Full"; }
    std::string errorData() const override { return "{\"beds\":0}"; }
};

/// An engine whose log lines are JSON, evicting at every suspension.
struct Logged {
    explicit Logged(TestEngine::Register registerHandlers,
                    std::shared_ptr<Store> store = std::make_shared<RecordingStore>())
        : engine{std::move(registerHandlers), std::move(store), 0, {}, [this](EngineOptions& o) {
                     o.log = logAsJsonLines(out);
                 }} {}

    [[nodiscard]] std::vector<nlohmann::json> lines() const {
        std::vector<nlohmann::json> parsed;
        std::istringstream text{out.str()};
        for (std::string line; std::getline(text, line);)
            parsed.push_back(nlohmann::json::parse(line));
        return parsed;
    }

    std::ostringstream out;
    TestEngine engine;
};

}  // namespace

TEST_CASE("a tenant reaches step loggers, invoked handlers and the history") {
    Logged logged{[](Engine& e) {
        e.registerHandler("inner", [](DurableContext& ctx) -> Task<void> {
            ctx.logger().info("inner");
            co_return;
        });
        e.registerHandler("outer", [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("log", [](StepContext& step) { step.logger().info("step"); });
            co_await ctx.invoke<void>("same", "inner", 0);
            co_await ctx.invoke<void>("other", "inner", 0, {.tenantId = "t2"});
        });
    }};
    const auto execution = logged.engine->start("outer", {.tenantId = "t1"});
    logged.engine.finish(execution);
    REQUIRE(execution.status() == ExecutionStatus::succeeded);

    const auto lines = logged.lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[0]["message"] == "step");
    CHECK(lines[0]["tenantId"] == "t1");
    CHECK(lines[1]["tenantId"] == "t1");
    CHECK(lines[2]["tenantId"] == "t2");
    std::vector<std::string> tenants;
    for (const auto& event : logged.engine->history(execution.id())) {
        if (event.eventType == "ChainedInvokeStarted") tenants.push_back(event.details["TenantId"]);
    }
    CHECK(tenants == std::vector<std::string>{"t1", "t2"});
}

TEST_CASE("log lines as JSON are bound to the execution and the operation, and written once") {
    Logged logged{[](Engine& e) {
        e.registerHandler("handler", [](DurableContext& ctx) -> Task<void> {
            ctx.logger().info("before");
            co_await ctx.step("flaky",
                              [](StepContext& step) {
                                  step.logger().warn("attempt");
                                  if (step.attempt() == 1) throw std::runtime_error{"no"};
                              },
                              {.retryStrategy = retry::fixed(2, 1s)});
            ctx.logger().info("between");
            co_await ctx.runInChildContext("child", [](DurableContext& child) -> Task<void> {
                child.logger().info("inside");
                co_await child.wait(5s);
                child.logger().info("inside, later");
            });
            ctx.logger().info("after");
        });
    }};
    const auto execution = logged.engine->start("handler", {.name = "x"});
    logged.engine.finish(execution);

    std::vector<std::string> messages;
    for (const auto& line : logged.lines()) {
        messages.push_back(line["message"]);
        CHECK(line["executionArn"] == executionArn("handler", "x", execution.id()));
        CHECK(line["executionName"] == "x");
    }
    CHECK(messages == std::vector<std::string>{"before", "attempt", "attempt", "between", "inside",
                                               "inside, later", "after"});
    const auto lines = logged.lines();
    CHECK(lines[2]["operationId"] == "1");
    CHECK(lines[2]["operationName"] == "flaky");
    CHECK(lines[2]["attempt"] == 2);
    CHECK(lines[4]["operationId"] == "2");
    CHECK_FALSE(lines[0].contains("operationId"));
    CHECK_FALSE(lines[0].contains("tenantId"));
}

TEST_CASE("an error that names itself has that name in the handler, the history and the result") {
    Logged logged{[](Engine& e) {
        e.registerHandler("handler", [](DurableContext& ctx) -> Task<void> {
            co_await ctx.wait(1s);
            co_await ctx.step("book", [] { throw HotelFull{"no room"}; },
                              {.retryStrategy = retry::none()});
        });
    }};
    const auto execution = logged.engine->start("handler");
    logged.engine.finish(execution);

    for (const auto& event : logged.engine->history(execution.id())) {
        if (event.eventType != "StepFailed") continue;
        const auto& error = event.details["Error"]["Payload"];
        CHECK(error["ErrorType"] == "Hotel.Full");
        CHECK(error["ErrorMessage"] == "no room");
        CHECK(error["ErrorData"] == "{\"beds\":0}");
    }
    try {
        execution.result<void>();
        FAIL("it did not throw");
    } catch (const ExecutionError& error) {
        CHECK(error.isCausedBy("Hotel.Full"));
        CHECK(error.isCausedBy<StepError>());
        CHECK(error.errorData() == "{\"beds\":0}");
    }
}

namespace {

/// Fails while it tells what it is.
struct Mute : std::runtime_error, ErrorDetails {
    using runtime_error::runtime_error;
    std::string errorType() const override { throw std::logic_error{"no type"}; }
    std::string errorData() const override { return nlohmann::json{{"city", "\xff"}}.dump(); }
};

struct SaysNothing : std::exception {
    const char* what() const noexcept override { return nullptr; }
};

template <class Exception>
auto throwing() {
    return [](DurableContext&, const int&) -> Task<int> {
        throw Exception{"x"};
        co_return 1;
    };
}

}  // namespace

TEST_CASE("an exception that cannot tell what it is fails the execution, with its message") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("mute", [](DurableContext&) -> Task<int> {
            throw Mute{"x"};
            co_return 1;
        });
        e.registerHandler("silent", [](DurableContext&) -> Task<int> {
            throw SaysNothing{};
            co_return 1;
        });
    }};
    const auto mute = engine.finish(engine->start("mute"));
    const auto silent = engine.finish(engine->start("silent"));

    CHECK_THROWS_WITH(mute.result<int>(), "x");
    CHECK(silent.status() == ExecutionStatus::failed);
}

TEST_CASE("branches and operations whose exceptions cannot tell what they are do end") {
    const auto failures = runHandler<int>([](DurableContext& ctx) -> Task<int> {
        const std::vector<int> items{1, 2};
        auto batch = co_await ctx.map("m", items, throwing<Mute>(),
                                      {.completionConfig = {.toleratedFailureCount = 2}});
        co_return static_cast<int>(batch.failureCount());
    });
    CHECK(failures == 2);

    const auto seen = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        const ChildContextConfig toMute{
            .errorMapper = [](const ErrorObject&) { return std::make_exception_ptr(Mute{"y"}); }};
        auto failing = ctx.runInChildContext(
            "k", [](DurableContext& c) { return throwing<Mute>()(c, 1); }, toMute);
        auto other = ctx.step("b", [] { return 1; });
        try {
            auto both = ctx.all("x", std::move(failing), std::move(other));
            co_await std::move(both);
        } catch (const CombinatorError& error) {
            co_return error.what();
        }
        co_return "no error";
    });
    CHECK(seen == "y");
}

TEST_CASE(
    "an error mapper that gives nothing leaves the child context's error, one that throws "
    "gives what it throws") {
    const auto seen = [](std::function<std::exception_ptr(const ErrorObject&)> mapper) {
        return runHandler<std::string>([mapper](DurableContext& ctx) -> Task<std::string> {
            try {
                auto child = ctx.runInChildContext(
                    "k", [](DurableContext& c) { return throwing<std::runtime_error>()(c, 1); },
                    {.errorMapper = mapper});
                co_await std::move(child);
            } catch (const ChildContextError& error) {
                co_return fmt::format("ChildContextError {}", error.what());
            } catch (const std::exception& error) {
                co_return error.what();
            }
            co_return "no error";
        });
    };

    CHECK(seen([](const ErrorObject&) { return std::exception_ptr{}; }) == "ChildContextError x");
    CHECK(seen([](const ErrorObject&) -> std::exception_ptr {
              throw std::logic_error{"mapper"};
          }) == "mapper");
}

TEST_CASE("a step that failed for very many causes is read back by the next process") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("h", [](DurableContext& ctx) -> Task<int> {
            try {
                co_await ctx.step("s",
                                  []() -> int { std::rethrow_exception(nestedExceptions(1000)); },
                                  {.retryStrategy = retry::none()});
            } catch (const StepError&) {
            }
            co_await ctx.wait(1s);
            co_return 7;
        });
    }};
    engine->start("h", {.name = "a"});
    engine.settle();
    engine.restart();

    CHECK(engine.finish(engine->start("h", {.name = "a"})).result<int>() == 7);
}

TEST_CASE("a condition fails with what its check or its strategy throws, live and after a crash") {
    const auto inCheck = [](DurableContext& ctx) {
        return ctx.waitForCondition<int>(
            "condition", [](int) -> int { throw std::runtime_error{"unreachable"}; },
            {.initialState = 0,
             .waitStrategy = [](int, std::uint32_t, double) { return WaitDecision::stop(); }});
    };
    const auto inStrategy = [](DurableContext& ctx) {
        return ctx.waitForCondition<int>(
            "condition", [](int state) { return state; },
            {.initialState = 0, .waitStrategy = [](int, std::uint32_t, double) -> WaitDecision {
                 throw std::runtime_error{"undecided"};
             }});
    };
    const auto failureOf = [](auto wait) {
        return runEveryWay<std::string>([wait](DurableContext& ctx) -> Task<std::string> {
            try {
                co_await wait(ctx);
            } catch (const WaitForConditionError& error) {
                co_return error.what();
            }
            co_return "";
        });
    };
    CHECK(failureOf(inCheck) == "unreachable");
    CHECK(failureOf(inStrategy) == "undecided");
}

TEST_CASE("an error text that is not UTF-8 is the same on the first run as on replay") {
    const auto run = [](std::size_t maxParked) {
        return runHandler<std::vector<std::string>>(
            [](DurableContext& ctx) -> Task<std::vector<std::string>> {
                const auto failing = [](DurableContext&) -> Task<int> {
                    throw std::runtime_error{"caf\xe9"};
                    co_return 1;
                };
                std::vector<std::string> seen;
                try {
                    co_await ctx.step("s", []() -> int { throw std::runtime_error{"caf\xe9"}; },
                                      {.retryStrategy = retry::none()});
                } catch (const StepError& error) {
                    seen.emplace_back(error.what());
                }
                try {
                    co_await ctx.runInChildContext("k", failing);
                } catch (const ChildContextError& error) {
                    seen.emplace_back(error.what());
                }
                try {
                    auto child = ctx.runInChildContext("l", failing);
                    auto all = ctx.all("a", std::move(child));
                    co_await std::move(all);
                } catch (const CombinatorError& error) {
                    seen.emplace_back(error.what());
                }
                co_await ctx.wait(1s);
                co_return seen;
            },
            maxParked);
    };
    const std::vector<std::string> valid(3, "caf\xEF\xBF\xBD");
    CHECK(run(1000) == valid);
    CHECK(run(0) == valid);
}
