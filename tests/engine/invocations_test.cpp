// SPDX-License-Identifier: Apache-2.0
#include <durable/sqlite.hpp>

#include <support/catch.hpp>
#include <support/temporary_directory.hpp>
#include <support/test_engine.hpp>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

using durable::DurableContext;
using durable::Execution;
using durable::HistoryEvent;
using durable::Task;
using namespace std::chrono_literals;

namespace {

Task<int> waitThenCharge(DurableContext& ctx) {
    co_await ctx.wait("pause", 5s);
    const int charged = co_await ctx.step("charge", [] { return 7; });
    co_return charged;
}

int charges = 0;
std::function<void()> crash;  // NOLINT: what a body does in the place of a crash

Task<int> chargeOnce(DurableContext& ctx) {
    const int charged =
        co_await ctx.step("charge",
                          [] {
                              ++charges;
                              if (crash) crash();
                              return 7;
                          },
                          {.retryStrategy = durable::retry::none(),
                           .semantics = durable::StepSemantics::atMostOncePerRetry});
    co_return charged;
}

std::string askedId;  // NOLINT: of the callback that `ask` opened last

Task<std::string> ask(DurableContext& ctx) {
    auto callback = co_await ctx.createCallback<std::string>("answer", {.heartbeatTimeout = 10s});
    askedId = callback.id();
    auto answer = co_await callback.result();
    co_return answer;
}

void registerAll(durable::Engine& engine) {
    engine.registerHandler("wait-then-charge", waitThenCharge);
    engine.registerHandler("charge-once", chargeOnce);
    engine.registerHandler("ask", ask);
}

std::vector<HistoryEvent> invocationsOf(TestEngine& engine, const Execution& execution) {
    std::vector<HistoryEvent> invocations;
    for (auto& event : engine->history(execution.id())) {
        if (event.eventType == "InvocationCompleted") invocations.push_back(std::move(event));
    }
    return invocations;
}

double seconds(const HistoryEvent& event, const char* key) {
    return event.details.at(key).get<double>();
}

}  // namespace

TEST_CASE("each invocation tells when it began and ended, and has an id of its own") {
    TestEngine engine{registerAll, std::make_shared<RecordingStore>(), 0};
    const auto begin = static_cast<double>(engine.clock().now().time_since_epoch().count()) / 1000;

    const auto first = engine.finish(engine->start("wait-then-charge"));
    const auto second = engine.finish(engine->start("wait-then-charge"));

    const auto invocations = invocationsOf(engine, first);
    REQUIRE(invocations.size() == 2);
    CHECK(seconds(invocations[0], "StartTimestamp") == begin);
    CHECK(seconds(invocations[0], "EndTimestamp") == begin);
    CHECK(seconds(invocations[1], "StartTimestamp") == begin + 5);
    CHECK(invocations[0].details.at("RequestId") == "00000000-0000-8000-8001-000000000001");
    CHECK(invocations[1].details.at("RequestId") == "00000000-0000-8000-8001-000000000002");
    CHECK_FALSE(invocations[0].details.contains("Error"));
    std::set<std::string> ids;
    for (const auto& execution : {first, second}) {
        for (const auto& event : invocationsOf(engine, execution)) {
            ids.insert(event.details.at("RequestId").get<std::string>());
        }
    }
    CHECK(ids.size() == 4);
}

TEST_CASE("an invocation that parks is the same one when it goes on") {
    TestEngine engine{registerAll};

    const auto execution = engine.finish(engine->start("wait-then-charge"));

    const auto invocations = invocationsOf(engine, execution);
    REQUIRE(invocations.size() == 1);
    CHECK(seconds(invocations[0], "EndTimestamp") - seconds(invocations[0], "StartTimestamp") == 5);
}

TEST_CASE("step 1-17: the next engine tells that a crash ended an invocation") {
    const auto store = std::make_shared<RecordingStore>();
    std::size_t written = 0;
    crash = [&] { written = store->transactions(); };
    TestEngine crashed{registerAll, store, 0};
    const auto lost = crashed.finish(crashed->start("charge-once"));
    crash = nullptr;
    charges = 0;

    TestEngine engine{registerAll, store->after(written), 0};
    engine.advance(1s);

    CHECK(engine.events(lost.id()) ==
          std::vector<std::string>{"ExecutionStarted", "StepStarted 1 charge",
                                   "InvocationCompleted", "StepFailed 1 charge",
                                   "InvocationCompleted", "ExecutionFailed"});
    const auto invocations = invocationsOf(engine, lost);
    CHECK(invocations[0].details.at("Error").at("Payload").at("ErrorType") == "Runtime.ExitError");
    CHECK(invocations[0].details.at("Error").at("Payload").at("ErrorMessage") ==
          "The process ended before the invocation did.");
    CHECK_FALSE(invocations[1].details.contains("Error"));
    CHECK(charges == 0);
}

TEST_CASE("a crash while an execution is parked ends its invocation") {
    const auto store = std::make_shared<RecordingStore>();
    TestEngine crashed{registerAll, store};
    const auto execution = crashed->start("wait-then-charge");
    crashed.settle();
    const auto written = store->transactions();

    TestEngine engine{registerAll, store->after(written)};
    engine.advance(5s);

    const auto invocations = invocationsOf(engine, execution);
    REQUIRE(invocations.size() == 2);
    CHECK(invocations[0].details.contains("Error"));
    CHECK_FALSE(invocations[1].details.contains("Error"));
}

TEST_CASE("a crash between two invocations ended none") {
    const auto store = std::make_shared<RecordingStore>();
    TestEngine crashed{registerAll, store, 0};
    const auto execution = crashed->start("wait-then-charge");
    crashed.settle();
    const auto written = store->transactions();

    TestEngine engine{registerAll, store->after(written), 0};
    engine.advance(5s);

    const auto invocations = invocationsOf(engine, execution);
    REQUIRE(invocations.size() == 2);
    CHECK_FALSE(invocations[0].details.contains("Error"));
}

TEST_CASE("an engine that stops ends the invocations it has parked, and they still wait") {
    TestEngine engine{registerAll};
    const auto id = engine->start("wait-then-charge").id();
    engine.settle();

    engine.restart();

    CHECK(engine.events(id) == std::vector<std::string>{"ExecutionStarted", "WaitStarted 1 pause",
                                                        "InvocationCompleted"});
    CHECK(engine.store()->find(id)->suspension.waiting);
    CHECK(engine.store()->find(id)->suspension.wakeAt == engine.clock().now() + 5s);
    engine.settle();
    CHECK(engine->metrics().executionsWaiting == 1);  // and was not run for nothing
    engine.advance(5s);
    CHECK(engine->list().front().status() == durable::ExecutionStatus::succeeded);
    for (const auto& event : engine->history(id)) CHECK_FALSE(event.details.contains("Error"));
}

TEST_CASE("callback 4-5: what does not wake an execution costs no invocation") {
    TestEngine engine{registerAll, std::make_shared<RecordingStore>(), 0};
    const auto execution = engine->start("ask", {.name = "a"});
    engine.settle();
    REQUIRE(invocationsOf(engine, execution).size() == 1);

    engine->heartbeatCallback(askedId);
    engine->start("ask", {.name = "a"});
    CHECK_THROWS_AS(engine->completeCallback(askedId + "0"), durable::UnknownCallback);
    engine.advance(8s);  // the heartbeat counts
    CHECK(invocationsOf(engine, execution).size() == 1);
    CHECK(execution.status() == durable::ExecutionStatus::running);
    CHECK(engine.store()->find(execution.id())->suspension.waiting);
    CHECK(engine->metrics().executionsWaiting == 1);

    engine->completeCallback(askedId, "yes");
    engine.settle();
    CHECK(execution.result<std::string>() == "yes");
    CHECK(invocationsOf(engine, execution).size() == 2);
}

TEST_CASE("an execution that a new engine finds waiting is woken by its timers") {
    TestEngine engine{registerAll};
    const auto id = engine->start("ask", {.name = "a"}).id();
    engine.settle();
    engine.restart();

    engine->heartbeatCallback(askedId);
    engine.advance(9s);
    CHECK(engine.store()->find(id)->status() == durable::ExecutionStatus::running);
    engine.advance(1s);
    CHECK(engine.store()->find(id)->status() == durable::ExecutionStatus::failed);
}

TEST_CASE("invocations and their errors are kept in SQLite") {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "journal.db";
    durable::ExecutionId id{};
    const auto recording = std::make_shared<RecordingStore>();
    {
        TestEngine crashed{registerAll, recording};
        id = crashed->start("wait-then-charge").id();
        crashed.settle();
        // What a crash now would leave, as another store holds it.
        const auto entries = recording->load(id);
        auto record = recording->find(id);
        const auto store = durable::SqliteStore::open(file);
        const std::vector<durable::Commit> commits{{.execution = id,
                                                    .start = record->start,
                                                    .entries = entries,
                                                    .end = {},
                                                    .suspension = record->suspension}};
        store->append(commits);
    }
    {
        TestEngine engine{registerAll, durable::SqliteStore::open(file)};
        engine.advance(5s);
    }
    TestEngine engine{registerAll, durable::SqliteStore::open(file)};

    std::vector<HistoryEvent> invocations;
    for (auto& event : engine->history(id)) {
        if (event.eventType == "InvocationCompleted") invocations.push_back(event);
    }
    REQUIRE(invocations.size() == 2);
    CHECK(invocations[0].details.at("Error").at("Payload").at("ErrorType") == "Runtime.ExitError");
    CHECK(invocations[1].details.at("RequestId") == "00000000-0000-8000-8001-000000000002");
}
