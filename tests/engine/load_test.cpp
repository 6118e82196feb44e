// SPDX-License-Identifier: Apache-2.0
// Many executions at once, on threads, while engines are stopped and few may be parked.
// DURABLE_LONG=1: 10,000 of them.
#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <support/catch.hpp>
#include <support/temporary_directory.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace durable;

namespace {

/// Callback ids that were handed out and are not answered yet; outlives engines.
class Questions {
public:
    void push(std::string id) {
        const std::scoped_lock lock{mutex_};
        ids_.push_back(std::move(id));
    }
    std::optional<std::string> pop() {
        const std::scoped_lock lock{mutex_};
        if (ids_.empty()) return std::nullopt;
        auto id = std::move(ids_.front());
        ids_.pop_front();
        return id;
    }

private:
    std::mutex mutex_;
    std::deque<std::string> ids_;
};

/// A branch that works while the other one is asked.
Task<int> handler(DurableContext& ctx, Questions& questions, int n) {
    const std::vector<int> branches{0, 1};
    const auto both = co_await ctx.map(
        branches, [&questions, n](DurableContext& item, const int& branch) -> Task<int> {
            if (branch == 1) {
                co_return co_await item.waitForCallback<int>(
                    [&questions](std::string id) { questions.push(std::move(id)); });
            }
            int sum = 0;
            for (int i = 0; i < 3; ++i) sum += co_await item.step([n] { return n; });
            co_return sum;
        });
    int sum = 0;
    for (const int value : both.getResults()) sum += value;
    const auto last = co_await ctx.step([sum] { return sum + 1; });
    co_return last;
}

/// Answers until it is told to stop, or the engine is.
void answer(const std::stop_token& stop, Engine& engine, Questions& questions) {
    while (!stop.stop_requested()) {
        auto id = questions.pop();
        if (!id) {
            std::this_thread::yield();
            continue;
        }
        try {
            engine.completeCallback(*id, 100);
        } catch (const ClosedCallback&) {
            continue;  // asked twice, for the engine was stopped in between
        } catch (const EngineStopped&) {
            questions.push(std::move(*id));
            return;
        }
    }
}

std::vector<Execution> startAll(Engine& engine, int count) {
    std::vector<Execution> executions;
    try {
        for (int n = 0; n < count; ++n) {
            executions.push_back(engine.start("handler", n, {.name = std::to_string(n)}));
        }
    } catch (const EngineStopped&) {
        return executions;
    }
    return executions;
}

void runThroughStops(const std::shared_ptr<Store>& store, int count) {
    Questions questions;
    for (int life = 0; life < 3; ++life) {
        EngineOptions options{.workflowThreads = 4, .stepThreads = 4, .maxParked = 16};
        options.log = {};
        Engine engine{store, options};
        engine.registerHandler(
            "handler", [&](DurableContext& ctx, int n) { return handler(ctx, questions, n); });
        const std::jthread one{[&](const std::stop_token& s) { answer(s, engine, questions); }};
        const std::jthread two{[&](const std::stop_token& s) { answer(s, engine, questions); }};
        const std::jthread starting{[&] { (void)startAll(engine, count); }};
        if (life < 2) {
            const auto enough = static_cast<std::uint64_t>(count) * 4;
            while (engine.metrics().entries < enough) std::this_thread::yield();
            engine.stop();
            continue;
        }
        std::int64_t sum = 0;
        for (const auto& execution : startAll(engine, count)) sum += execution.result<int>();
        const std::int64_t all = count;
        CHECK(sum == 3 * all * (all - 1) / 2 + 101 * all);
        CHECK(engine.list({.countMax = 100'000}).size() == static_cast<std::size_t>(count));
    }
}

int executions() { return std::getenv("DURABLE_LONG") != nullptr ? 10'000 : 200; }

}  // namespace

TEST_CASE("executions on eight threads end right through stops, evictions and callbacks") {
    runThroughStops(std::make_shared<MemoryStore>(), executions());
}

TEST_CASE("executions in SQLite end right through stops, evictions and callbacks") {
    const TemporaryDirectory directory;
    runThroughStops(SqliteStore::open(directory / "orders.db", {.durability = Durability::normal}),
                    executions());
}
