// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

std::string lastId;

/// Waits for an approval and tells how it went.
Task<std::string> approval(DurableContext& ctx) {
    std::string told;
    try {
        told = co_await ctx.waitForCallback("approval",
                                            [](std::string callbackId) { lastId = callbackId; },
                                            {.timeout = 1h, .heartbeatTimeout = 10min});
    } catch (const CallbackTimeoutError& error) {
        told = "timeout " + error.errorType();
    } catch (const CallbackExternalError& error) {
        told = "failed " + error.errorType() + " " + error.what() + " " + error.errorData();
    }
    co_return told;
}

struct Approval {
    TestEngine engine{[](Engine& e) { e.registerHandler("approval", approval); }};
    Execution execution = engine->start("approval");

    Approval() { engine.settle(); }

    std::string told() { return engine.finish(execution).result<std::string>(); }
};

}  // namespace

TEST_CASE("a completed callback gives its text as it was delivered") {
    Approval test;

    test.engine->completeCallback(lastId, "{\"yes\": true}");

    CHECK(test.told() == "{\"yes\": true}");
}

TEST_CASE("nullptr is the JSON null, as the answer of a callback and as an input") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("isNull", [](DurableContext&, nlohmann::json input) -> Task<bool> {
            co_return input.is_null();
        });
        e.registerHandler("handler", [](DurableContext& ctx) -> Task<std::string> {
            auto isNull = co_await ctx.invoke<bool>("isNull", nullptr);
            auto answer = co_await ctx.waitForCallback<std::string>(
                [](std::string callbackId) { lastId = std::move(callbackId); });
            co_return isNull ? answer : "no null";
        });
    }};
    const auto execution = engine->start("handler", nullptr);
    engine.settle();
    engine->completeCallback(lastId, nullptr);

    CHECK(engine.finish(execution).result<std::string>() == "null");
}

TEST_CASE("a callback is not completed with text that is not UTF-8, and stays open") {
    Approval test;

    CHECK_THROWS_AS(test.engine->completeCallback(lastId, "caf\xE9"), SerdesError);
    test.engine->completeCallback(lastId, "coffee");

    CHECK(test.told() == "coffee");
}

TEST_CASE("a failed callback throws what was reported") {
    Approval test;

    test.engine->failCallback(lastId, {.type = "Denied", .message = "no money", .data = "42"});

    CHECK(test.told() == "failed Denied no money 42");
}

TEST_CASE("a callback without heartbeats times out on heartbeat") {
    Approval test;

    test.engine.advance(10min - 1ms);
    CHECK(test.execution.status() == ExecutionStatus::running);
    test.engine.advance(1ms);

    CHECK(test.told() == "timeout Callback.Heartbeat");
}

TEST_CASE("heartbeats keep a callback open until its timeout") {
    Approval test;

    for (int i = 0; i < 6; ++i) {
        test.engine->heartbeatCallback(lastId);
        test.engine.advance(9min);
    }
    CHECK(test.execution.status() == ExecutionStatus::running);
    test.engine->heartbeatCallback(lastId);
    test.engine.advance(9min);

    CHECK(test.told() == "timeout Callback.Timeout");
}

TEST_CASE("a callback that is closed refuses to be completed, and says why") {
    Approval completed;
    const auto first = lastId;
    completed.engine->completeCallback(first, "yes");
    CHECK_THROWS_AS(completed.engine->completeCallback(first, "again"), ClosedCallback);
    CHECK(completed.told() == "yes");
    CHECK_THROWS_WITH(completed.engine->completeCallback(first, "again"),
                      "The execution has ended.");

    Approval timedOut;
    timedOut.engine.advance(1h);
    CHECK_THROWS_AS(timedOut.engine->completeCallback(lastId, "late"), ClosedCallback);
}

TEST_CASE("a callback completed twice while its execution goes on says so") {
    std::string id;
    TestEngine engine{[&](Engine& e) {
        e.registerHandler("late", [&](DurableContext& ctx) -> Task<std::string> {
            auto callback = co_await ctx.createCallback<std::string>("answer", {.timeout = 60s});
            id = callback.id();
            co_await ctx.wait(1h);
            std::string told;
            try {
                told = co_await callback.result();
            } catch (const CallbackTimeoutError&) {
                told = "timeout";
            }
            co_return told;
        });
    }};
    const auto answered = engine->start("late");
    engine.settle();
    engine->completeCallback(id, "yes");
    CHECK_THROWS_WITH(engine->completeCallback(id, "no"), "The callback was already completed.");
    CHECK(engine.finish(answered).result<std::string>() == "yes");

    const auto late = engine->start("late");
    engine.advance(60s);
    CHECK_THROWS_WITH(engine->completeCallback(id, "no"), "The callback has timed out.");
    CHECK(engine.finish(late).result<std::string>() == "timeout");
}

TEST_CASE("an unknown callback is refused") {
    Approval test;
    auto guessed = lastId;
    guessed.back() = guessed.back() == '0' ? '1' : '0';

    for (const auto& id : {guessed, std::string{"nonsense"}, std::string{}, std::string{"99x1x2"},
                           std::string{"1x7x0123"}}) {
        INFO(id);
        CHECK_THROWS_AS(test.engine->completeCallback(id, "yes"), UnknownCallback);
    }
    CHECK(test.execution.status() == ExecutionStatus::running);
}

TEST_CASE("a callback's typed result is read as JSON") {
    std::string id;
    TestEngine engine{[&](Engine& e) {
        e.registerHandler("typed", [&](DurableContext& ctx) -> Task<int> {
            auto numbers = co_await ctx.waitForCallback<std::vector<int>>(
                [&](std::string callbackId) { id = callbackId; });
            co_return numbers.at(1);
        });
    }};
    const auto execution = engine->start("typed");
    engine.settle();

    engine->completeCallback(id, std::vector<int>{1, 2, 3});

    CHECK(engine.finish(execution).result<int>() == 2);
}

TEST_CASE("a submitter that fails for good is told as such") {
    const auto told = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        std::string caught;
        try {
            co_await ctx.waitForCallback(
                "approval", [](std::string) { throw std::runtime_error{"mail server is down"}; },
                {.retryStrategy = retry::fixed(2, 1s)});
        } catch (const CallbackSubmitterError& error) {
            caught = error.what();
        }
        co_return caught;
    });

    CHECK(told == "mail server is down");
}

TEST_CASE("an answer that nests too deeply fails the handler clearly, and the process lives") {
    const std::string deep(300'000, '[');
    for (const std::size_t maxParked : {1000U, 0U}) {
        std::string id;
        TestEngine engine{[&](Engine& e) {
                              e.registerHandler("asking", [&](DurableContext& ctx) -> Task<int> {
                                  co_return co_await ctx.waitForCallback<int>(
                                      [&](std::string callbackId) { id = callbackId; });
                              });
                          },
                          std::make_shared<RecordingStore>(), maxParked};
        engine->start("asking", {.name = "a"});
        engine.settle();
        engine->completeCallback(id, deep + std::string(300'000, ']'));
        engine.settle();
        engine.restart();
        engine->resume();
        engine.settle();
        const auto execution = engine->find("asking", "a");

        REQUIRE(execution->status() == ExecutionStatus::failed);
        CHECK_THAT(execution->error()->message.value(),
                   Catch::Matchers::EndsWith("could not be read back: JSON must be nested at "
                                             "most 512 deep, this is deeper"));
    }
}

TEST_CASE("a callback is delivered by an engine that has not registered the handler") {
    auto store = std::make_shared<RecordingStore>();
    {
        TestEngine engine{[](Engine& e) { e.registerHandler("approval", approval); }, store};
        engine->start("approval", {.name = "a"});
        engine.settle();
    }
    {
        TestEngine other{[](Engine&) {}, store};
        other->completeCallback(lastId, "yes");
    }
    TestEngine engine{[](Engine& e) { e.registerHandler("approval", approval); }, store};
    engine->resume();
    engine.settle();

    CHECK(engine->find("approval", "a")->result<std::string>() == "yes");
}

TEST_CASE("a map may wait for many callbacks at once, answered in any order") {
    std::vector<std::string> ids(50);
    TestEngine engine{[&](Engine& e) {
        e.registerHandler("many", [&](DurableContext& ctx) -> Task<std::string> {
            auto answers = co_await ctx.map(
                "approvals", std::vector<int>(50),
                [&](DurableContext& item, int, std::size_t index) -> Task<std::string> {
                    co_return co_await item.waitForCallback(
                        [&ids, index](std::string id) { ids[index] = id; });
                });
            std::string all;
            for (const auto& answer : answers.getResults()) all += answer;
            co_return all;
        });
    }};
    const auto execution = engine->start("many");
    engine.settle();

    for (std::size_t i = 50; i-- > 0;) {
        engine->completeCallback(ids[i], std::string(1, static_cast<char>('A' + i % 26)));
    }

    CHECK(engine.finish(execution).result<std::string>() ==
          "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWX");
}
