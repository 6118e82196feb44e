// SPDX-License-Identifier: Apache-2.0
// Clocks that are set back or forth by a day, as by an operator or a virtual machine that was
// moved.
#include <support/catch.hpp>
#include <support/seed.hpp>
#include <support/test_engine.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

using namespace durable;
using namespace std::chrono_literals;

namespace {

/// Every kind of timer, one after the other, and beside each other.
Task<int> timers(DurableContext& ctx) {
    const auto caught = [](bool heartbeats) {
        return [heartbeats](DurableContext& child) -> Task<int> {
            CallbackConfig config{.timeout = 1h};
            if (heartbeats) config = {.timeout = 24h * 3, .heartbeatTimeout = 1h};
            auto callback = co_await child.createCallback<int>("asked", config);
            bool late = false;
            try {
                co_await callback.result();
            } catch (const CallbackTimeoutError&) {
                late = true;
            }
            co_return late ? 1 : 0;
        };
    };
    co_await ctx.wait("pause", 1h);
    const auto attempts = co_await ctx.step("flaky",
                                            [](StepContext& step) {
                                                if (step.attempt() < 3) {
                                                    throw std::runtime_error{"busy"};
                                                }
                                                return static_cast<int>(step.attempt());
                                            },
                                            {.retryStrategy = retry::fixed(5, 1h)});
    const auto late = co_await ctx.parallel("late", branch("timeout", caught(false)),
                                            branch("heartbeat", caught(true)),
                                            branch("wait", [](DurableContext& child) -> Task<int> {
                                                co_await child.wait(2h);
                                                co_return 1;
                                            }));
    const auto& [timeout, heartbeat, waited] = late.getResults();
    co_return attempts * 1000 + timeout * 100 + heartbeat * 10 + waited;
}

/// How often each thing happened to each operation; times do not count.
std::map<std::pair<std::string, EntryKind>, int> happened(Store& store, ExecutionId id) {
    std::map<std::pair<std::string, EntryKind>, int> counts;
    for (const auto& entry : store.load(id)) {
        if (!entry.operationId.empty()) ++counts[{entry.operationId, entry.kind}];
    }
    return counts;
}

void registerAll(Engine& engine) { engine.registerHandler("timers", timers); }

}  // namespace

TEST_CASE("a clock that jumps by a day loses no timer and fires none twice") {
    const auto seed = newSeed();
    std::mt19937 random{seed};
    TestEngine straight{registerAll};
    const auto model = straight.finish(straight->start("timers", {.name = "a"}));
    REQUIRE(model.result<int>() == 3111);
    const auto expected = happened(*straight.store(), model.id());

    for (int round = 0; round < 300; ++round) {
        const std::size_t maxParked = round % 2 == 0 ? 1000 : 0;
        TestEngine engine{registerAll, std::make_shared<RecordingStore>(), maxParked};
        (void)engine->start("timers", {.name = "a"});
        for (int move = 0; move < 12; ++move) {
            const std::chrono::minutes moves[] = {-24h, 24h, 1min, 30min, -30min};
            engine.clock().set(engine.clock().now() + moves[random() % 5]);
            if (random() % 3 == 0) engine.restart();
            engine->poll();
            engine->fireTimers();
            engine.settle();
        }
        const auto execution = engine.finish(*engine->find("timers", "a"));
        INFO("seed " << seed << ", round " << round);
        REQUIRE(execution.result<int>() == 3111);
        REQUIRE(happened(*engine.store(), execution.id()) == expected);
    }
}

TEST_CASE("a wait ends when the clock says so, though it was set back meanwhile") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("wait", [](DurableContext& ctx) -> Task<int> {
            co_await ctx.wait(1h);
            co_return 1;
        });
    }};
    const auto execution = engine->start("wait", {.name = "a"});
    engine.settle();
    engine.clock().set(engine.clock().now() - 24h);
    engine.advance(24h);
    CHECK(execution.status() == ExecutionStatus::running);

    engine.advance(1h);

    CHECK(execution.result<int>() == 1);
}
