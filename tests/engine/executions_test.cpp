// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

int bodyRuns = 0;

Task<int> countUp(DurableContext& ctx, int from) {
    auto next = co_await ctx.step("next", [=] {
        ++bodyRuns;
        return from + 1;
    });
    co_await ctx.wait("pause", 10s);
    co_return next;
}

Task<int> failing(DurableContext& ctx) {
    co_await ctx.step("fine", [] {});
    throw std::out_of_range{"no such thing"};
}

Task<void> forever(DurableContext& ctx) {
    for (;;) co_await ctx.wait("again", 1h);
}

void registerAll(Engine& engine) {
    engine.registerHandler("countUp", countUp);
    engine.registerHandler("failing", failing);
    engine.registerHandler("forever", forever);
}

}  // namespace

TEST_CASE("an execution gives the result of its handler") {
    TestEngine engine{registerAll};

    const auto execution = engine->start("countUp", 41, {.name = "a"});

    CHECK(execution.name() == "a");
    CHECK(execution.handlerName() == "countUp");
    CHECK(execution.status() == ExecutionStatus::running);
    CHECK(engine.finish(execution).status() == ExecutionStatus::succeeded);
    CHECK(execution.result<int>() == 42);
}

TEST_CASE("what an ended execution tells outlives its engine") {
    const auto execution = [] {
        TestEngine engine{registerAll};
        return engine.finish(engine->start("countUp", 41));
    }();

    CHECK(execution.status() == ExecutionStatus::succeeded);
    CHECK(execution.result<int>() == 42);
    CHECK(execution.waitFor(0ms));
}

TEST_CASE("the history tells what happened in order") {
    TestEngine engine{registerAll};

    const auto execution = engine->start("countUp", 1);
    engine.finish(execution);

    CHECK(engine.events(execution.id()) ==
          std::vector<std::string>{"ExecutionStarted", "StepStarted 1 next", "StepSucceeded 1 next",
                                   "WaitStarted 2 pause", "WaitSucceeded 2 pause",
                                   "InvocationCompleted", "ExecutionSucceeded"});
}

TEST_CASE("with nothing parked every suspension ends the invocation") {
    TestEngine engine{registerAll, std::make_shared<RecordingStore>(), 0};

    const auto execution = engine->start("countUp", 1);
    engine.finish(execution);

    CHECK(engine.events(execution.id()) ==
          std::vector<std::string>{"ExecutionStarted", "StepStarted 1 next", "StepSucceeded 1 next",
                                   "WaitStarted 2 pause", "InvocationCompleted",
                                   "WaitSucceeded 2 pause", "InvocationCompleted",
                                   "ExecutionSucceeded"});
}

TEST_CASE("starting the same name with the same input gives the same execution") {
    TestEngine engine{registerAll};
    bodyRuns = 0;

    const auto first = engine->start("countUp", 1, {.name = "a"});
    const auto second = engine->start("countUp", 1, {.name = "a"});
    engine.finish(first);
    const auto third = engine->start("countUp", 1, {.name = "a"});

    CHECK(second.id() == first.id());
    CHECK(third.id() == first.id());
    CHECK(third.result<int>() == 2);
    CHECK(bodyRuns == 1);
}

TEST_CASE("the same name with another input is refused") {
    TestEngine engine{registerAll};
    engine->start("countUp", 1, {.name = "a"});

    CHECK_THROWS_AS(engine->start("countUp", 2, {.name = "a"}), ExecutionConflict);
    CHECK_THROWS_WITH(engine->start("countUp", 2, {.name = "a"}),
                      "execution \"a\" of handler \"countUp\" exists with another input");
}

TEST_CASE("a name belongs to its handler") {
    TestEngine engine{registerAll};

    const auto first = engine->start("countUp", 1, {.name = "a"});
    const auto second = engine->start("forever", {.name = "a"});

    CHECK(first.id() != second.id());
}

TEST_CASE("an execution that cannot be started is refused with the reason") {
    TestEngine engine{registerAll};

    CHECK_THROWS_WITH(engine->start("missing", 1), "no handler \"missing\" is registered");
    CHECK_THROWS_WITH(engine->start("countUp", 1, {.name = "a b"}),
                      "the name of an execution must be 1 to 64 letters, digits, '-' and '_', got "
                      "\"a b\"");
    CHECK_THROWS_WITH(engine->start("countUp", 1, {.timeout = 0s}),
                      "timeout in seconds must be at least 1, got 0");
    CHECK_THROWS_AS(engine->start("countUp", std::string(7 * 1024 * 1024, 'x')), InvalidConfig);
    CHECK_THROWS_WITH(engine->start("countUp", std::string(7 * 1024 * 1024, 'x')),
                      "The payload must be at most 6291456 bytes, got 7340034.");
    CHECK_THROWS_WITH(engine->start("countUp", 1, {.timeout = std::chrono::hours{24 * 400}}),
                      "A duration must be at most 31622400 seconds, got 34560000.");
    CHECK_THROWS_WITH(engine->registerHandler("countUp", countUp),
                      "handler \"countUp\" is already registered");
    CHECK_THROWS_WITH(engine->registerHandler("", countUp), "a handler must have a name");
    CHECK(engine->list().empty());
}

TEST_CASE("a handler that throws fails its execution with the error") {
    TestEngine engine{registerAll};

    const auto execution = engine->start("failing");
    engine.finish(execution);

    CHECK(execution.status() == ExecutionStatus::failed);
    CHECK(execution.error()->type == "std::out_of_range");
    CHECK_THROWS_AS(execution.result<int>(), ExecutionError);
    CHECK_THROWS_WITH(execution.result<int>(), "no such thing");
}

TEST_CASE("a handler that throws what is no std::exception fails its execution") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("odd", [](DurableContext&) -> Task<void> {
            throw 42;
            co_return;
        });
    }};

    const auto execution = engine->start("odd");

    CHECK_THROWS_WITH(engine.finish(execution).result<int>(), "Unknown error");
}

TEST_CASE("an input that the handler cannot read fails the execution") {
    TestEngine engine{registerAll};

    const auto execution = engine->start("countUp", std::string{"many"});
    engine.finish(execution);

    CHECK(execution.status() == ExecutionStatus::failed);
    CHECK(execution.error()->type == "durable::SerdesError");
}

TEST_CASE("an unfinished execution goes on with the next engine") {
    TestEngine engine{registerAll};
    bodyRuns = 0;
    const auto id = engine->start("countUp", 1, {.name = "a"}).id();
    engine.settle();

    engine.restart();
    engine->resume();
    engine.advance(10s);

    CHECK(engine->find("countUp", "a")->id() == id);
    CHECK(engine->find("countUp", "a")->result<int>() == 2);
    CHECK(bodyRuns == 1);
}

TEST_CASE("a timer that became due while no engine ran fires at once") {
    TestEngine engine{registerAll};
    engine->start("countUp", 1, {.name = "a"});
    engine.settle();

    engine.clock().advance(24h);
    engine.restart();
    engine->resume();
    engine.settle();

    CHECK(engine->find("countUp", "a")->status() == ExecutionStatus::succeeded);
}

TEST_CASE("a clock that is set back does not lose the timer of an execution that waits") {
    TestEngine engine{registerAll};
    const auto execution = engine->start("countUp", 1);
    engine.settle();
    REQUIRE(engine->nextTimer());
    const auto due = *engine->nextTimer();

    const auto before = engine.clock().now();
    engine.clock().set(due);
    engine->fireTimers();  // the timer is taken from the queue,
    engine.clock().set(before);
    engine.settle();  // and when the execution looks it is too early again

    CHECK(execution.status() == ExecutionStatus::running);
    CHECK(engine->nextTimer() == due);
    CHECK(engine.finish(execution).result<int>() == 2);
}

TEST_CASE("an execution whose handler is not registered waits, and the log says so") {
    auto store = std::make_shared<RecordingStore>();
    {
        TestEngine engine{registerAll, store};
        engine->start("countUp", 1, {.name = "a"});
        engine.settle();
    }
    TestEngine engine{[](Engine&) {}, store};
    engine->resume();
    engine.advance(60s);

    CHECK(engine->find("countUp", "a")->status() == ExecutionStatus::running);
    CHECK(engine.log() ==
          std::vector<std::string>{"execution \"a\" waits: no handler \"countUp\" is registered"});

    engine->registerHandler("countUp", countUp);
    engine.settle();

    CHECK(engine->find("countUp", "a")->result<int>() == 2);
}

TEST_CASE("an execution that runs too long is timed out") {
    TestEngine engine{registerAll};

    const auto execution = engine->start("forever", {.timeout = 90min});
    engine.advance(89min);
    CHECK(execution.status() == ExecutionStatus::running);
    engine.advance(1min);

    CHECK(execution.status() == ExecutionStatus::timedOut);
    CHECK_THROWS_WITH(execution.result<int>(), "Execution timed out after 5400 seconds.");
    CHECK(engine.events(execution.id()).back() == "ExecutionTimedOut");
}

TEST_CASE("an execution whose time was up while no engine ran is timed out by the next one") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        TestEngine engine{registerAll, std::make_shared<RecordingStore>(), maxParked};
        engine->start("forever", {.name = "a", .timeout = 90min});
        engine.settle();
        engine.clock().advance(2h);
        engine.restart();
        engine->resume();
        engine->fireTimers();
        engine.settle();

        CHECK(engine->find("forever", "a")->status() == ExecutionStatus::timedOut);
    }
}

TEST_CASE("a polled engine does one thing after the other, and says when there is nothing") {
    TestEngine engine{registerAll};
    const auto first = engine->start("countUp", 1, {.name = "a"});
    const auto second = engine->start("countUp", 2, {.name = "b"});
    engine.settle();
    CHECK_FALSE(engine->pollOne());
    engine.clock().advance(10s);
    engine->fireTimers();
    std::vector<int> ended{0};
    const auto hasEnded = [](const Execution& execution) {
        return execution.status() == ExecutionStatus::succeeded ? 1 : 0;
    };
    while (engine->pollOne()) {
        const auto now = hasEnded(first) + hasEnded(second);
        if (now != ended.back()) ended.push_back(now);
    }

    CHECK(ended == std::vector{0, 1, 2});
}

TEST_CASE("an execution can be stopped once") {
    TestEngine engine{registerAll};
    const auto execution = engine->start("forever");

    engine->stopExecution(execution.id(), {.type = "Operator", .message = "enough"});
    engine->stopExecution(execution.id(), {.message = "too late"});

    CHECK(engine.finish(execution).status() == ExecutionStatus::stopped);
    CHECK_THROWS_WITH(execution.result<int>(), "enough");
    CHECK(engine.events(execution.id()).back() == "ExecutionStopped");
    CHECK(engine->metrics().executionsParked == 0);
}

TEST_CASE("executions are listed by handler and status") {
    TestEngine engine{registerAll};
    const auto a = engine->start("countUp", 1, {.name = "a"});
    engine->start("countUp", 2, {.name = "b"});
    engine->start("forever", {.name = "c"});
    engine.finish(a);
    engine->stopExecution(engine->find("forever", "c")->id());
    engine.settle();

    const auto names = [&](const ExecutionFilter& filter) {
        std::vector<std::string> found;
        for (const auto& record : engine->list(filter)) found.push_back(record.start.name);
        return found;
    };

    CHECK(names({}) == std::vector<std::string>{"a", "b", "c"});
    CHECK(names({.handlerName = "countUp"}) == std::vector<std::string>{"a", "b"});
    CHECK(names({.handlerName = {}, .status = ExecutionStatus::stopped}) ==
          std::vector<std::string>{"c"});
    CHECK(engine->find("countUp", "z") == std::nullopt);
}

TEST_CASE("executions beyond the limit of parked ones are dropped, oldest first, and go on later") {
    TestEngine engine{registerAll, std::make_shared<RecordingStore>(), 2};
    bodyRuns = 0;
    std::vector<Execution> executions;
    for (int i = 0; i < 5; ++i) executions.push_back(engine->start("countUp", i));
    engine.settle();

    CHECK(engine->metrics().executionsParked == 2);
    CHECK(engine->metrics().executionsWaiting == 3);

    engine.advance(10s);

    for (int i = 0; i < 5; ++i) {
        CHECK(executions[static_cast<std::size_t>(i)].result<int>() == i + 1);
    }
    CHECK(bodyRuns == 5);
    CHECK(engine->metrics().executionsParked == 0);
    CHECK(engine->metrics().executionsWaiting == 0);
}

TEST_CASE("an invoked handler is an execution of its own") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("parent", [](DurableContext& ctx) -> Task<int> {
            auto first = co_await ctx.invoke<int>("call", "countUp", 1);
            auto second = co_await ctx.invoke<int>("countUp", 10);
            co_return first + second;
        });
        e.registerHandler("countUp", countUp);
    }};

    const auto execution = engine->start("parent");
    engine.finish(execution);

    CHECK(execution.result<int>() == 13);
    CHECK(engine->list({.handlerName = "countUp"}).size() == 2);
    for (const auto& child : engine->list({.handlerName = "countUp"})) {
        CHECK(child.start.invokerExecution == execution.id());
        CHECK(child.endAcknowledged);
    }
}

TEST_CASE("an invoked handler may give nothing, zero, false, or an empty text") {
    TestEngine engine{
        [](Engine& e) {
            e.registerHandler("zero", [](DurableContext&) -> Task<int> { co_return 0; });
            e.registerHandler("no", [](DurableContext&) -> Task<bool> { co_return false; });
            e.registerHandler("empty", [](DurableContext&) -> Task<std::string> { co_return ""; });
            e.registerHandler("none",
                              [](DurableContext&) -> Task<nlohmann::json> { co_return nullptr; });
            e.registerHandler("nothing", [](DurableContext&) -> Task<void> { co_return; });
            e.registerHandler("parent", [](DurableContext& ctx) -> Task<std::string> {
                const auto zero = co_await ctx.invoke<int>("zero", 1);
                const auto no = co_await ctx.invoke<bool>("no", 1);
                const auto empty = co_await ctx.invoke<std::string>("empty", 1);
                const auto none = co_await ctx.invoke<nlohmann::json>("none", 1);
                co_await ctx.invoke<void>("nothing", 1);
                co_return fmt::format("{} {} '{}' {}", zero, no, empty, none.dump());
            });
        },
        std::make_shared<RecordingStore>(), 0};
    CHECK(engine.finish(engine->start("parent")).result<std::string>() == "0 false '' null");
}

TEST_CASE("an invoke tells how the invoked execution ended") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("parent",
                          [](DurableContext& ctx, std::string target) -> Task<std::string> {
                              std::string told;
                              try {
                                  co_await ctx.invoke<int>("call", target, 1);
                              } catch (const InvokeError& error) {
                                  told = error.errorType() + ": " + error.what();
                              }
                              co_return told;
                          });
        e.registerHandler("broken", [](DurableContext&, int) -> Task<int> {
            throw std::runtime_error{"broken"};
            co_return 1;
        });
        e.registerHandler("slow", [](DurableContext& ctx, int) -> Task<int> {
            co_await ctx.wait(1h);
            co_return 1;
        });
    }};

    const auto broken = engine->start("parent", std::string{"broken"});
    const auto missing = engine->start("parent", std::string{"missing"});
    const auto stopped = engine->start("parent", std::string{"slow"});
    engine.settle();
    engine->stopExecution(engine->list({.handlerName = "slow"}).front().id, {.message = "halt"});

    CHECK(engine.finish(broken).result<std::string>() == "std::runtime_error: broken");
    CHECK(engine.finish(missing).result<std::string>() ==
          "ResourceNotFoundException: no handler \"missing\" is registered");
    CHECK(engine.finish(stopped).result<std::string>() == ": halt");
}

TEST_CASE("an engine is not idle while an execution has something to do") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("parent", [](DurableContext& ctx) -> Task<int> {
            co_return co_await ctx.invoke<int>("call", "quick", 1);
        });
        e.registerHandler("quick", [](DurableContext&, int i) -> Task<int> { co_return i; });
        e.registerHandler("waiting",
                          [](DurableContext& ctx) -> Task<void> { co_await ctx.wait(1s); });
    }};
    const auto parent = engine->start("parent");
    engine->waitUntilIdle();
    CHECK(parent.status() == ExecutionStatus::succeeded);

    const auto waiting = engine->start("waiting");
    engine->waitUntilIdle();
    engine.clock().advance(1s);
    engine->fireTimers();
    engine->waitUntilIdle();
    CHECK(waiting.status() == ExecutionStatus::succeeded);
}

TEST_CASE("what is too large for an execution or a callback is refused as that") {
    std::string id;
    TestEngine engine{[&](Engine& e) {
                          e.registerHandler("asking", [&](DurableContext& ctx) -> Task<void> {
                              co_await ctx.waitForCallback<void>(
                                  [&](std::string callbackId) { id = callbackId; });
                          });
                      },
                      std::make_shared<RecordingStore>(),
                      1000,
                      {.payloadBytesMax = 1000, .errorBytesMax = 1000}};
    const auto execution = engine->start("asking");
    engine.settle();
    const std::string large(1001, 'x');

    CHECK_THROWS_AS(engine->completeCallback(id, large), InvalidConfig);
    CHECK_THROWS_AS(engine->failCallback(id, {.message = large}), InvalidConfig);
    CHECK_THROWS_AS(engine->stopExecution(execution.id(), {.message = large}), InvalidConfig);
    CHECK(execution.status() == ExecutionStatus::running);
    engine->completeCallback(id);
    CHECK(engine.finish(execution).status() == ExecutionStatus::succeeded);
}

TEST_CASE("when an execution is stopped, those that it invoked go on") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("parent", [](DurableContext& ctx) -> Task<int> {
            co_return co_await ctx.invoke<int>("call", "slow", 1);
        });
        e.registerHandler("slow", [](DurableContext& ctx, int) -> Task<int> {
            co_await ctx.wait(1h);
            co_return 7;
        });
    }};
    const auto parent = engine->start("parent");
    engine.settle();
    engine->stopExecution(parent.id());
    const auto invoked = engine->list({.handlerName = "slow"}).front();

    CHECK(parent.status() == ExecutionStatus::stopped);
    CHECK(engine.finish(*engine->find("slow", invoked.start.name)).result<int>() == 7);
}

TEST_CASE("100,000 recorded operations are replayed without a deep stack") {
    constexpr int count = 100'000;
    const auto many = [](DurableContext& ctx) -> Task<int> {
        int sum = 0;
        for (int i = 0; i < count; ++i) sum += co_await ctx.step([] { return 1; });
        co_await ctx.wait(1s);
        co_return sum;
    };
    TestEngine engine{[&](Engine& e) { e.registerHandler("many", many); }};
    engine->start("many", {.name = "a"});
    engine.settle();

    engine.restart();
    engine->resume();
    engine.advance(1s);

    CHECK(engine->find("many", "a")->result<int>() == count);
}

TEST_CASE("a step's body may return a reference: the result is a copy") {
    const auto result = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        static const std::string text = "kept";
        auto fromStatic = co_await ctx.step("s", []() -> const std::string& { return text; });
        co_return fromStatic;
    });
    CHECK(result == "kept");
}
