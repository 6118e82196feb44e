// SPDX-License-Identifier: Apache-2.0
#include <durable/durable.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <support/catch.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <csignal>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

/// Blocks until the body is asked to stop.
void blockUntilStopped(const std::stop_token& stop) {
    std::promise<void> stopped;
    const std::stop_callback onStop{stop, [&] { stopped.set_value(); }};
    stopped.get_future().wait();
}

EngineOptions quiet(std::size_t workflowThreads = 2, std::size_t stepThreads = 4) {
    return {.workflowThreads = workflowThreads, .stepThreads = stepThreads, .log = {}};
}

}  // namespace

TEST_CASE("blocking bodies of a map run at the same time, as many as maxConcurrency says") {
    Engine engine{std::make_shared<MemoryStore>(), quiet()};
    std::barrier together{3};
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
        auto batch = co_await ctx.map(
            std::vector{1, 2, 3},
            [&](DurableContext& item, int i) -> Task<int> {
                co_return co_await item.step([&, i] {
                    together.arrive_and_wait();  // passes only if three bodies are here
                    return i;
                });
            },
            {.maxConcurrency = 3});
        co_return static_cast<int>(batch.successCount());
    });

    CHECK(engine.start("handler").result<int>() == 3);
}

TEST_CASE("an early decision stops running bodies and waits for them") {
    Engine engine{std::make_shared<MemoryStore>(), quiet()};
    std::latch loserRuns{1};
    std::atomic<int> inBodies{0};
    int atReturn = -1;
    engine.registerHandler("race", [&](DurableContext& ctx) -> Task<int> {
        auto race = co_await ctx.map(std::vector{0, 1},
                                     [&](DurableContext& item, int i) -> Task<int> {
                                         co_return co_await item.step([&, i](StepContext& step) {
                                             ++inBodies;
                                             if (i == 0) {
                                                 loserRuns.count_down();
                                                 blockUntilStopped(step.stopToken());
                                             } else {
                                                 loserRuns.wait();
                                             }
                                             --inBodies;
                                             return i;
                                         });
                                     },
                                     {.completionConfig = CompletionConfig::firstSuccessful()});
        atReturn = inBodies;
        co_return *race.succeeded().front().result * 10 + static_cast<int>(race.startedCount());
    });

    CHECK(engine.start("race").result<int>() == 11);
    CHECK(atReturn == 0);
}

TEST_CASE("asio::awaitable bodies run, fail and are cancelled like plain ones") {
    Engine engine{std::make_shared<MemoryStore>(), quiet()};
    engine.registerHandler("async", [](DurableContext& ctx) -> Task<std::string> {
        auto slept = co_await ctx.step("sleep", []() -> boost::asio::awaitable<int> {
            boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor, 1ms};
            co_await timer.async_wait(boost::asio::use_awaitable);
            co_return 7;
        });
        std::string caught;
        auto failing = ctx.step("fail",
                                []() -> boost::asio::awaitable<void> {
                                    throw std::runtime_error{"async failure"};
                                    co_return;
                                },
                                {.retryStrategy = retry::none()});
        try {
            co_await failing;
        } catch (const StepError& error) {
            caught = error.what();
        }
        auto race = co_await ctx.parallel(
            branch("forever",
                   [](DurableContext& c) -> Task<int> {
                       co_await c.step([](StepContext&) -> boost::asio::awaitable<void> {
                           boost::asio::steady_timer timer{
                               co_await boost::asio::this_coro::executor, 24h};
                           co_await timer.async_wait(boost::asio::use_awaitable);
                       });
                       co_return 1;
                   }),
            branch("quick",
                   [](DurableContext& c) -> Task<int> {
                       co_return co_await c.step([] { return 2; });
                   }),
            ParallelConfig{.completionConfig = CompletionConfig::firstSuccessful()});
        co_return fmt::format("{} {} {}", slept, caught, race.successCount());
    });

    CHECK(engine.start("async").result<std::string>() == "7 async failure 1");
}

TEST_CASE("stopping the engine stops running bodies, and their steps run again later") {
    auto store = std::make_shared<MemoryStore>();
    std::atomic<int> runs{0};
    std::atomic<bool> block{true};
    std::latch running{1};
    const auto handler = [&](DurableContext& ctx) -> Task<int> {
        auto first = co_await ctx.step("first", [&] { return ++runs; });
        co_await ctx.step("long", [&](StepContext& step) {
            if (!block) return;
            running.count_down();
            blockUntilStopped(step.stopToken());
            throw std::runtime_error{"interrupted"};
        });
        co_return first;
    };
    {
        Engine engine{store, quiet()};
        engine.registerHandler("handler", handler);
        const auto execution = engine.start("handler", {.name = "a"});
        running.wait();

        engine.stop();

        CHECK_THROWS_AS(execution.result<int>(), EngineStopped);
        CHECK_THROWS_AS(engine.start("handler", {.name = "b"}), EngineStopped);
    }
    CHECK(store->find("handler", "a")->status() == ExecutionStatus::running);

    block = false;
    Engine engine{store, quiet()};
    engine.registerHandler("handler", handler);

    CHECK(engine.start("handler", {.name = "a"}).result<int>() == 1);
    CHECK(runs == 1);
}

TEST_CASE("a body that returns when it is asked to stop has its result recorded") {
    auto store = std::make_shared<MemoryStore>();
    std::latch running{1};
    std::atomic<int> runs{0};
    const auto handler = [&](DurableContext& ctx) -> Task<int> {
        auto value = co_await ctx.step("long", [&](StepContext& step) {
            running.count_down();
            if (++runs == 1) blockUntilStopped(step.stopToken());
            return runs.load();
        });
        auto next = co_await ctx.step("next", [=] { return value + 1; });
        co_return next;
    };
    {
        Engine engine{store, quiet()};
        engine.registerHandler("handler", handler);
        engine.start("handler", {.name = "a"});
        running.wait();
        engine.stop();
    }
    Engine engine{store, quiet()};
    engine.registerHandler("handler", handler);

    CHECK(engine.start("handler", {.name = "a"}).result<int>() == 2);
    CHECK(runs == 1);
}

TEST_CASE("a signal stops the engine, and who waits is told") {
    Engine engine{std::make_shared<MemoryStore>(), quiet()};
    engine.stopOn({SIGUSR1});
    std::latch running{1};
    std::atomic<bool> stopped{false};
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
        co_await ctx.step("long", [&](StepContext& step) {
            running.count_down();
            blockUntilStopped(step.stopToken());
            stopped = true;
        });
        co_await ctx.step("not any more", [] {});
        co_return 1;
    });
    const auto execution = engine.start("handler");
    running.wait();

    std::raise(SIGUSR1);

    CHECK_THROWS_AS(execution.result<int>(), EngineStopped);
    CHECK(stopped);
}

TEST_CASE("a second signal acts as if the engine did not listen") {
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const struct rlimit noCore{};
        ::setrlimit(RLIMIT_CORE, &noCore);
        Engine engine{std::make_shared<MemoryStore>(), quiet()};
        engine.stopOn({SIGTERM});
        std::latch running{1};
        engine.registerHandler("deaf", [&](DurableContext& ctx) -> Task<void> {
            co_await ctx.step([&](StepContext& step) {
                running.count_down();
                blockUntilStopped(step.stopToken());
                std::raise(SIGTERM);  // a body that does not listen would be killed here
            });
        });
        engine.start("deaf");
        running.wait();
        std::raise(SIGTERM);
        engine.run();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);

    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("the longest duration is long enough, to wait and not to write") {
    auto options = quiet();
    options.startVisibleAfter = std::chrono::milliseconds::max();
    auto store = std::make_shared<MemoryStore>();
    Engine engine{store, options};
    std::latch running{1};
    std::promise<void> release;
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.step([&] {
            running.count_down();
            release.get_future().wait();
            return 1;
        });
    });
    const auto execution = engine.start("handler");
    running.wait();
    std::jthread releasing{[&] { release.set_value(); }};

    CHECK(execution.waitFor(std::chrono::milliseconds::max()));
    CHECK(execution.result<int>() == 1);
}

TEST_CASE("an engine may be stopped by several threads") {
    for (int round = 0; round < 20; ++round) {
        Engine engine{std::make_shared<MemoryStore>(), quiet()};
        std::barrier together{3};
        std::vector<std::jthread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                together.arrive_and_wait();
                engine.stop();
            });
        }
    }
    SUCCEED("nobody waits for ever");
}

TEST_CASE("without threads of its own an engine lets all that start one name go on") {
    for (int round = 0; round < 50; ++round) {
        Engine engine{std::make_shared<MemoryStore>(), quiet(0, 0)};
        engine.registerHandler("handler", [](DurableContext&) -> Task<int> { co_return 1; });
        std::barrier together{3};
        std::vector<std::jthread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                together.arrive_and_wait();
                (void)engine.start("handler", {.name = "a"});
            });
        }
    }
    SUCCEED("nobody waits for ever");
}

TEST_CASE("who waits for an execution is told when another thread has run it piece by piece") {
    for (int round = 0; round < 20; ++round) {
        Engine engine{std::make_shared<MemoryStore>(), quiet(0, 0)};
        engine.registerHandler("handler", [](DurableContext&) -> Task<int> { co_return 1; });
        const auto execution = engine.start("handler");
        const std::jthread waiting{[&] { execution.wait(); }};
        while (execution.status() == ExecutionStatus::running) (void)engine.pollOne();
    }
    SUCCEED("nobody waits for ever");
}

TEST_CASE("the running body of an execution that is stopped gets its stop token") {
    Engine engine{std::make_shared<MemoryStore>(), quiet()};
    std::latch running{1};
    std::promise<void> stopped;
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<void> {
        co_await ctx.step([&](StepContext& step) {
            running.count_down();
            blockUntilStopped(step.stopToken());
            stopped.set_value();
        });
    });
    const auto execution = engine.start("handler");
    running.wait();
    engine.stopExecution(execution.id());

    CHECK(stopped.get_future().wait_for(1min) == std::future_status::ready);
    engine.stop();
    CHECK(execution.status() == ExecutionStatus::stopped);
}

TEST_CASE("no queued body begins after its execution was stopped") {
    Engine engine{std::make_shared<MemoryStore>(), quiet(2, 1)};
    std::latch running{1};
    std::latch release{1};
    std::atomic<int> charged{0};
    engine.registerHandler("busy", [&](DurableContext& ctx) -> Task<void> {
        co_await ctx.step([&] {
            running.count_down();
            release.wait();
        });
    });
    engine.registerHandler("charging", [&](DurableContext& ctx) -> Task<void> {
        co_await ctx.step("charge", [&] { ++charged; },
                          {.semantics = StepSemantics::atMostOncePerRetry});
    });
    const auto busy = engine.start("busy");
    running.wait();
    const auto charging = engine.start("charging");
    while (engine.metrics().bodiesQueued == 0) std::this_thread::yield();
    engine.stopExecution(charging.id());
    release.count_down();
    busy.wait();
    charging.wait();

    CHECK(charging.status() == ExecutionStatus::stopped);
    CHECK(charged == 0);
}

TEST_CASE("the start of a body that runs long is written while it runs") {
    auto store = std::make_shared<MemoryStore>();
    Engine engine{store, quiet()};
    std::promise<void> release;
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
        co_await ctx.step("long", [&] { release.get_future().wait(); });
        co_return 1;
    });
    const auto execution = engine.start("handler");

    while (store->load(execution.id()).size() < 2) std::this_thread::yield();
    const auto entries = store->load(execution.id());
    CHECK(entries.back().kind == EntryKind::started);
    CHECK(entries.back().name == "long");
    release.set_value();
    CHECK(execution.result<int>() == 1);
}

TEST_CASE("many executions with few parked, callbacks from other threads, all end right") {
    constexpr int count = 200;
    for (const std::size_t maxParked : {1000U, 3U, 0U}) {
        auto options = quiet(2, 2);
        options.maxParked = maxParked;
        Engine engine{std::make_shared<MemoryStore>(), options};
        std::mutex mutex;
        std::vector<std::string> ids;
        engine.registerHandler("handler", [&](DurableContext& ctx, int n) -> Task<int> {
            auto doubled = co_await ctx.step([=] { return 2 * n; });
            auto answer = co_await ctx.waitForCallback<int>([&](std::string id) {
                const std::scoped_lock lock{mutex};
                ids.push_back(std::move(id));
            });
            co_return doubled + answer;
        });
        std::vector<Execution> executions;
        std::jthread completer{[&](const std::stop_token& stop) {
            int completed = 0;
            while (completed < count && !stop.stop_requested()) {
                std::vector<std::string> batch;
                {
                    const std::scoped_lock lock{mutex};
                    batch.swap(ids);
                }
                for (const auto& id : batch) engine.completeCallback(id, 1);
                completed += static_cast<int>(batch.size());
                std::this_thread::yield();
            }
        }};
        for (int i = 0; i < count; ++i) executions.push_back(engine.start("handler", i));

        int sum = 0;
        for (const auto& execution : executions) sum += execution.result<int>();
        CHECK(sum == count * (count - 1) + count);
        CHECK(engine.metrics().entriesPerCommit() >= 1);
        CHECK(engine.metrics().bodiesInFlight == 0);
    }
}

TEST_CASE("two threads that start the same name start one execution") {
    Engine engine{std::make_shared<MemoryStore>(), quiet()};
    std::atomic<int> runs{0};
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.step([&] { return ++runs; });
    });
    std::vector<ExecutionId> ids(8);
    {
        std::vector<std::jthread> threads;
        for (auto& id : ids) {
            threads.emplace_back([&] {
                const auto execution = engine.start("handler", {.name = "same"});
                id = execution.id();
                (void)execution.result<int>();
            });
        }
    }

    CHECK(std::set<ExecutionId>(ids.begin(), ids.end()).size() == 1);
    CHECK(runs == 1);
}

TEST_CASE("without threads, several threads that wait all get their answers") {
    Engine engine{std::make_shared<MemoryStore>(), quiet(0, 2)};
    engine.registerHandler("handler", [](DurableContext& ctx, int n) -> Task<int> {
        co_return co_await ctx.step([=] { return n + 1; });
    });
    std::atomic<int> sum{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&, i] {
                for (int j = 0; j < 50; ++j) {
                    sum += engine.start("handler", 50 * i + j).result<int>();
                }
            });
        }
    }

    CHECK(sum == 200 * 199 / 2 + 200);
}

TEST_CASE("run returns when the engine is stopped, and who waits then is told") {
    Engine engine{std::make_shared<MemoryStore>(), quiet(0, 0)};
    engine.registerHandler("handler", [](DurableContext& ctx) -> Task<int> {
        co_await ctx.waitForCallback([](const std::string&) {});
        co_return 1;
    });
    const auto execution = engine.start("handler");
    std::jthread running{[&] { engine.run(); }};

    engine.stop();
    running.join();

    CHECK_THROWS_AS(execution.result<int>(), EngineStopped);
    CHECK_THROWS_AS(engine.start("handler"), EngineStopped);
}

TEST_CASE("with threads, run waits until the engine is stopped") {
    Engine engine{std::make_shared<MemoryStore>(), quiet()};
    std::jthread running{[&] { engine.run(); }};

    engine.stop();
    running.join();

    CHECK(engine.metrics().executionsRunning == 0);
}

TEST_CASE("whoever calls while the engine stops gets an answer") {
    for (int round = 0; round < 20; ++round) {
        Engine engine{std::make_shared<MemoryStore>(), quiet(2, 0)};
        engine.registerHandler("handler", [](DurableContext& ctx) -> Task<int> {
            co_await ctx.wait(24h);
            co_return 1;
        });
        std::latch started{4};
        std::vector<std::jthread> callers;
        for (int i = 0; i < 4; ++i) {
            callers.emplace_back([&] {
                const auto execution = engine.start("handler");
                started.count_down();
                try {
                    for (;;) {
                        engine.start("handler");
                        engine.stopExecution(execution.id());
                    }
                } catch (const EngineStopped&) {
                }
            });
        }
        started.wait();
        engine.stop();
    }
    SUCCEED("every caller has returned");
}

TEST_CASE("executions that invoke others start each of them once, with any number parked") {
    constexpr int count = 100;
    for (const std::size_t maxParked : {1000U, 2U, 0U}) {
        auto options = quiet(2, 2);
        options.maxParked = maxParked;
        auto store = std::make_shared<MemoryStore>();
        Engine engine{store, options};
        std::atomic<int> bodies{0};
        engine.registerHandler("asked", [&](DurableContext& ctx, int n) -> Task<int> {
            co_return co_await ctx.step([&bodies, n] {
                ++bodies;
                return 2 * n;
            });
        });
        engine.registerHandler("asking", [](DurableContext& ctx, int n) -> Task<int> {
            auto batch = co_await ctx.map(std::vector{n, n + 1},
                                          [](DurableContext& item, int i) -> Task<int> {
                                              co_return co_await item.invoke<int>("asked", i);
                                          });
            const auto results = batch.getResults();
            co_return results[0] + results[1];
        });
        std::vector<Execution> executions;
        for (int i = 0; i < count; ++i) executions.push_back(engine.start("asking", i));

        int sum = 0;
        for (const auto& execution : executions) sum += execution.result<int>();

        CHECK(sum == count * (count - 1) * 2 + 2 * count);
        CHECK(bodies == 2 * count);
        CHECK(engine.list({.handlerName = "asked"}).size() == 2 * count);
    }
}

TEST_CASE("who waits for an idle engine is told when every execution waits or has ended") {
    for (const std::size_t workflowThreads : {0U, 2U}) {
        Engine engine{std::make_shared<MemoryStore>(), quiet(workflowThreads, 2)};
        std::atomic<int> asked{0};
        engine.registerHandler("handler", [&](DurableContext& ctx, bool asks) -> Task<int> {
            co_await ctx.step([] {});
            if (asks) co_await ctx.waitForCallback([&](const std::string&) { ++asked; });
            co_return 1;
        });
        engine.waitUntilIdle();
        const auto waits = engine.start("handler", true);
        const auto ends = engine.start("handler", false);

        engine.waitUntilIdle();

        CHECK(asked == 1);
        CHECK(waits.status() == ExecutionStatus::running);
        CHECK(ends.status() == ExecutionStatus::succeeded);
        CHECK(engine.metrics().executionsParked == 1);
        CHECK_FALSE(waits.waitFor(1ms));
        CHECK(ends.waitFor(0ms));
    }
}

TEST_CASE("the metrics tell which bodies are in flight and which are queued") {
    Engine engine{std::make_shared<MemoryStore>(), quiet(1, 2)};
    std::latch twoRun{2};
    std::promise<void> release;
    const auto released = release.get_future().share();
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
        auto batch = co_await ctx.map(std::vector{1, 2, 3, 4, 5},
                                      [&](DurableContext& item, int i) -> Task<int> {
                                          co_return co_await item.step([&, i] {
                                              if (i <= 2) twoRun.count_down();
                                              released.wait();
                                              return i;
                                          });
                                      });
        co_return static_cast<int>(batch.successCount());
    });
    const auto execution = engine.start("handler");
    twoRun.wait();
    while (engine.metrics().bodiesQueued < 3) std::this_thread::yield();

    const auto during = engine.metrics();
    release.set_value();

    CHECK(execution.result<int>() == 5);
    CHECK(during.executionsRunning == 1);
    CHECK(during.bodiesInFlight == 2);
    CHECK(during.bodiesQueued == 3);
    const auto after = engine.metrics();
    CHECK(after.bodiesInFlight == 0);
    CHECK(after.bodiesQueued == 0);
    CHECK(after.commits >= 2);
    CHECK(after.entries == 1 + 2 + 5 * 2 + 5 * 2 + 2);  // execution, map, items, steps, its end
}
