// SPDX-License-Identifier: Apache-2.0
#include <durable/testing.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using Catch::Matchers::ContainsSubstring;
using durable::DurableContext;
using durable::ErrorObject;
using durable::ExecutionStatus;
using durable::OperationStatus;
using durable::OperationType;
using durable::StepContext;
using durable::Task;
using durable::testing::LocalRunner;
using durable::testing::TestFailure;
using namespace std::chrono_literals;

namespace {

Task<std::string> processOrder(DurableContext& ctx, std::string order) {
    const auto receipt = co_await ctx.step("charge",
                                           [&](StepContext& step) {
                                               step.logger().info("charging {}", order);
                                               if (step.attempt() < 3)
                                                   throw std::runtime_error{"busy"};
                                               return "receipt of " + order;
                                           },
                                           {.retryStrategy = durable::retry::fixed(5, 1h)});
    const auto answer =
        co_await ctx.waitForCallback<std::string>("approval", [](std::string) {}, {.timeout = 24h});
    co_await ctx.wait("cool-down", 7 * 24h);
    co_return receipt + ", " + answer;
}

Task<int> callTwice(DurableContext& ctx) {
    const int first = co_await ctx.invoke<int>("first", "square", 3);
    const int second = co_await ctx.invoke<int>("second", "square", first);
    co_return second;
}

std::string failureOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const TestFailure& failure) {
        return failure.what();
    }
    return "";
}

}  // namespace

TEST_CASE("a runner runs through waits and retries until somebody outside must act") {
    LocalRunner runner{processOrder};
    const auto begin = runner.now();

    auto order = runner.run(std::string{"A-1"});

    CHECK(order.status() == ExecutionStatus::running);
    CHECK(order.operation("charge").attempts() == 3);
    CHECK(order.operation("charge").result<std::string>() == "receipt of A-1");
    CHECK(runner.now() == begin + 2h);  // two retries; the callback's timeout has not passed

    order.completeCallback("approval", "granted").run();

    CHECK(order.status() == ExecutionStatus::succeeded);
    CHECK(order.result<std::string>() == "receipt of A-1, granted");
    CHECK(order.operation("cool-down").duration() == 7 * 24h);
    CHECK(order.invocationCount() == 5);
}

TEST_CASE("a handler that makes other calls when it is run again is found without any option") {
    int runs = 0;
    LocalRunner runner{[&](DurableContext& ctx) -> Task<void> {
        co_await ctx.step(++runs == 1 ? "charge" : "refund", [] {});
        co_await ctx.wait("pause", 1h);
    }};
    const auto execution = runner.run();

    CHECK(execution.status() == ExecutionStatus::failed);
    CHECK_THAT(execution.error()->messageOr(""),
               ContainsSubstring("charge") && ContainsSubstring("refund"));
}

TEST_CASE("an execution is found by its handler and its name") {
    LocalRunner runner{processOrder, {.handlerName = "orders"}};
    const auto order = runner.start(std::string{"A-1"}, {.name = "monday"});

    REQUIRE(runner.find("orders", "monday"));
    CHECK(runner.find("orders", "monday")->id() == order.id());
    CHECK_FALSE(runner.find("orders", "tuesday"));
}

TEST_CASE("parked, the same handler gives the same result in one invocation") {
    LocalRunner runner{processOrder, {.parked = true}};

    auto order = runner.run(std::string{"A-1"});
    order.completeCallback("approval", "granted").run();

    CHECK(order.result<std::string>() == "receipt of A-1, granted");
    CHECK(order.invocationCount() == 1);
}

TEST_CASE("a callback times out when the test lets time pass") {
    LocalRunner runner{processOrder};
    auto order = runner.run(std::string{"A-1"});

    runner.advance(24h - 1s);
    CHECK(order.status() == ExecutionStatus::running);
    runner.advance(1s);

    CHECK(order.status() == ExecutionStatus::failed);
    CHECK(order.error()->type == "CallbackTimeoutError");
    CHECK_THROWS_AS(order.result<std::string>(), durable::ExecutionError);
}

TEST_CASE("callbacks are failed and kept alive by name or by id") {
    const auto handler = [](DurableContext& ctx) -> Task<std::string> {
        auto callback =
            co_await ctx.createCallback<std::string>("answer", {.heartbeatTimeout = 10s});
        co_await ctx.wait(30s);
        std::string text;
        try {
            text = co_await callback.result();
        } catch (const durable::CallbackExternalError& error) {
            text = error.what();
        }
        co_return text;
    };
    LocalRunner runner{handler};
    auto execution = runner.start();

    for (int i = 0; i < 4; ++i) {
        execution.heartbeatCallback("answer");
        runner.advance(9s);
    }
    execution.failCallback(execution.operation("answer").callbackId(),
                           ErrorObject{.message = "no"});
    execution.run();

    CHECK(execution.result<std::string>() == "no");
}

TEST_CASE("of several callbacks with a name, the first open one is completed") {
    const auto handler = [](DurableContext& ctx) -> Task<std::string> {
        auto first = co_await ctx.createCallback<std::string>("answer");
        auto second = co_await ctx.createCallback<std::string>("answer");
        auto text = co_await first.result();
        text += co_await second.result();
        co_return text;
    };
    LocalRunner runner{handler};

    auto execution = runner.run();
    execution.completeCallback("answer", "a").completeCallback("answer", "b").run();

    CHECK(execution.result<std::string>() == "ab");
    CHECK(execution.operation("answer", 1).result<std::string>() == "b");
}

TEST_CASE("an operation is found by name, occurrence, id or order, with its place in the tree") {
    const auto handler = [](DurableContext& ctx) -> Task<int> {
        int sum = 0;
        for (int i = 1; i <= 2; ++i) {
            sum += co_await ctx.runInChildContext("part", [&](DurableContext& c) -> Task<int> {
                co_await c.step("work", [&] { return i; });
                co_return i;
            });
        }
        co_return sum;
    };
    LocalRunner runner{handler};

    const auto execution = runner.run();

    const auto work = execution.operation("work", 1);
    CHECK(work.id() == "2-1");
    CHECK(work.type() == OperationType::step);
    CHECK(work.status() == OperationStatus::succeeded);
    CHECK(work.result<int>() == 2);
    CHECK(work.parent()->id() == "2");
    CHECK_FALSE(work.parent()->parent());
    CHECK(execution.operationById("2")->children().front().id() == "2-1");
    REQUIRE(execution.operations().size() == 4);
    CHECK(execution.operations()[2].name() == "part");
    CHECK(execution.operations(OperationStatus::failed).empty());
    CHECK_FALSE(execution.findOperation("work", 2));
    CHECK_FALSE(execution.operationById("7"));
}

TEST_CASE("a test that asks for what is not there is told what there is") {
    LocalRunner runner{processOrder};
    auto order = runner.run(std::string{"A-1"});

    CHECK_THAT(failureOf([&] { (void)order.operation("charg"); }),
               ContainsSubstring("there is no operation \"charg\" number 0; there are:\n"
                                 "  Step \"charge\" (1), SUCCEEDED"));
    CHECK_THAT(failureOf([&] { (void)order.result<std::string>(); }),
               ContainsSubstring("it has not ended; open are:\n"
                                 "  WaitForCallback \"approval\" (2), STARTED"));
    CHECK_THAT(failureOf([&] { order.completeCallback("aproval"); }),
               ContainsSubstring("there is no callback \"aproval\"; there are:\n"
                                 "  WaitForCallback \"approval\" (2), STARTED"));
    CHECK_THAT(failureOf([&] { order.runUntil("cool-down"); }),
               ContainsSubstring("operation \"cool-down\" did not end"));
    CHECK_THAT(failureOf([&] { (void)order.operation("approval").result<int>(); }),
               ContainsSubstring("has no result"));
}

TEST_CASE("handlers and plain functions stand in for what a handler invokes") {
    LocalRunner runner{callTwice};
    runner.registerFunction<int>("square", [](int number) { return number * number; });

    CHECK(runner.run().result<int>() == 81);
    CHECK(runner.executions().size() == 3);

    LocalRunner failing{callTwice};
    failing.registerFunction("square", []() -> int { throw std::runtime_error{"broken"}; });
    CHECK(failing.run().error()->message == "broken");
}

TEST_CASE("each step lets happen what is ready, or what the clock brings next") {
    LocalRunner runner{processOrder};
    auto order = runner.start(std::string{"A-1"});
    std::vector<std::size_t> invocations;

    while (order.step()) invocations.push_back(order.invocationCount());

    CHECK(invocations == std::vector<std::size_t>{1, 2, 3});
    CHECK_FALSE(order.step());
}

TEST_CASE("a run stops where an operation has ended, and the handler does not know it yet") {
    int after = 0;
    const auto handler = [&](DurableContext& ctx) -> Task<void> {
        co_await ctx.step("first", [] {});
        co_await ctx.step("second", [] {});
        co_await ctx.step("third", [] {});
        ++after;
        co_await ctx.step("fourth", [] {});
    };
    LocalRunner runner{handler};
    auto execution = runner.start();

    execution.runUntil("third");

    CHECK(after == 0);
    CHECK_FALSE(execution.findOperation("fourth"));
    execution.runUntil("third").run();
    CHECK(after == 1);
    CHECK(execution.status() == ExecutionStatus::succeeded);
}

TEST_CASE("after a crash a new engine goes on from what had been written") {
    std::vector<std::string> ran;
    const auto handler = [&](DurableContext& ctx) -> Task<void> {
        for (const std::string name : {"a", "b", "c", "d"}) {
            co_await ctx.step(name, [&] { ran.push_back(name); });
        }
    };
    LocalRunner runner{handler};
    auto execution = runner.start();
    execution.runUntil("c");

    runner.crash();
    execution.run();

    CHECK(execution.status() == ExecutionStatus::succeeded);
    CHECK(ran == std::vector<std::string>{"a", "b", "c", "d"});
    REQUIRE(execution.invocationCount() == 2);
    CHECK(execution.invocations()[0].error->type == "Runtime.ExitError");
    CHECK_FALSE(execution.invocations()[1].error);
}

TEST_CASE("a crash loses what had not been written") {
    std::vector<std::string> ran;
    const auto handler = [&](DurableContext& ctx) -> Task<void> {
        for (const std::string name : {"a", "b", "c"}) {
            co_await ctx.step(name, [&] { ran.push_back(name); });
        }
    };
    LocalRunner runner{handler};
    auto execution = runner.start();
    CHECK(ran == std::vector<std::string>{"a"});  // and only the start is written

    runner.crash();
    execution.run();

    CHECK(ran == std::vector<std::string>{"a", "a", "b", "c"});
}

TEST_CASE("with startVisibleAfter 0 the start of a step is written before its body runs") {
    std::size_t written = 0;
    const auto store = std::make_shared<durable::MemoryStore>();
    const auto handler = [&](DurableContext& ctx) -> Task<int> {
        co_await ctx.step([] {});
        co_await ctx.step([&] { written = store->load(1).size(); });
        co_return co_await ctx.waitForCondition<int>(
            [&](int) {
                written += store->load(1).size();
                return 1;
            },
            {.initialState = 0, .waitStrategy = [](int, std::uint32_t, double) {
                 return durable::WaitDecision::stop();
             }});
    };

    LocalRunner{handler, {.store = store, .startVisibleAfter = 0ms}}.run();

    CHECK(written == 4 + 6);  // the execution's start, four entries of the steps, and its own start
}

TEST_CASE("after a restart an execution goes on waiting") {
    LocalRunner runner{processOrder, {.parked = true}};
    auto order = runner.run(std::string{"A-1"});

    runner.restart();
    order.completeCallback("approval", "granted").run();

    CHECK(order.result<std::string>() == "receipt of A-1, granted");
    REQUIRE(order.invocationCount() == 2);
    CHECK_FALSE(order.invocations()[0].error);
}

TEST_CASE("a handler that polls for ever is given up") {
    const auto handler = [](DurableContext& ctx) -> Task<void> {
        for (;;) co_await ctx.wait(1s);
    };
    LocalRunner runner{handler, {.parked = true, .timersMax = 10}};

    CHECK(failureOf([&] { runner.run(); }) == "still not done after 10 waits and retries");
}

TEST_CASE("log lines are captured with what they belong to, and handed on") {
    std::vector<std::string> handedOn;
    LocalRunner runner{processOrder, {.log = [&](const durable::LogRecord& record) {
                           handedOn.emplace_back(record.message);
                       }}};

    const auto order = runner.run(std::string{"A-1"});

    const auto logs = order.logs();
    REQUIRE(logs.size() == 3);
    CHECK(logs[1].message == "charging A-1");
    CHECK(logs[1].operationName == "charge");
    CHECK(logs[1].attempt == 2u);
    CHECK(logs[1].executionName == order.name());
    CHECK(handedOn.size() == 3);
}

TEST_CASE("histories and operations are printed as tables") {
    LocalRunner runner{processOrder};
    auto order = runner.run(std::string{"A-1"});
    order.completeCallback("approval", "granted").run();
    std::ostringstream history;
    std::ostringstream operations;

    order.printHistory(history);
    order.printOperations(operations);

    CHECK_THAT(history.str(), ContainsSubstring("#   time     event                id   name"));
    CHECK_THAT(history.str(), ContainsSubstring("WaitStarted          3    cool-down"));
    CHECK_THAT(operations.str(),
               ContainsSubstring("id   parent  name       type             status     attempts"));
    CHECK_THAT(operations.str(), ContainsSubstring("1    -       charge     Step             "
                                                   "SUCCEEDED  3         0s     7200000ms"));
    CHECK_THAT(operations.str(), ContainsSubstring("2-1  2       -          Callback"));
}

TEST_CASE("an event is written as AWS writes it") {
    LocalRunner runner{processOrder};
    const auto events = runner.run(std::string{"A-1"}).history();

    const auto json = durable::historyToJson(events);

    CHECK(json[0].at("EventType") == "ExecutionStarted");
    CHECK(json[0].at("ExecutionStartedDetails").at("Input").at("Payload") == "\"A-1\"");
    CHECK(json[1] == nlohmann::json::parse(
                         R"({"EventId": 2, "EventType": "StepStarted", "Id": "1", "Name": "charge",
                             "SubType": "Step", "EventTimestamp": 1767225600.0,
                             "StepStartedDetails": {}})"));
    CHECK_FALSE(json[3].contains("Id"));
}
