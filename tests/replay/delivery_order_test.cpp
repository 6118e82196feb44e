// SPDX-License-Identifier: Apache-2.0
// What the world did comes to a handler in the order of the journal, whether the handler stayed in
// memory or is run again.
#include <support/catch.hpp>
#include <support/seed.hpp>
#include <support/test_engine.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

/// The items of a batch that have ended, and how.
template <class T>
std::string endedItems(const BatchResult<T>& batch) {
    std::string ended;
    for (const auto& item : batch.all()) {
        if (item.status == BatchItemStatus::started) continue;
        ended += std::to_string(item.index);
        ended += item.status == BatchItemStatus::succeeded ? '+' : '-';
    }
    return ended;
}

/// Item 0 is called first and done last.
Task<std::string> firstOfTwo(DurableContext& ctx) {
    const std::vector<int> items{0, 1};
    auto batch = co_await ctx.map("m", items,
                                  [](DurableContext& c, int item) -> Task<int> {
                                      if (item == 0) co_await c.wait("a", 1s);
                                      co_await c.wait("b", std::chrono::seconds{item + 1});
                                      co_return item;
                                  },
                                  {.completionConfig = CompletionConfig::firstSuccessful()});
    co_return endedItems(batch);
}

/// Waits, steps, retries and batches in batches, all of whole seconds, drawn from a seed. The seed
/// of each is told by its place, so that every run is the same.
Task<std::string> randomWorkflow(DurableContext& ctx, unsigned seed, int depth) {
    std::mt19937 random{seed};
    const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    constexpr unsigned any = 1U << 31U;
    std::string seen;
    const auto calls = 1 + draw(3);
    for (unsigned call = 0; call < calls; ++call) {
        const auto kind = draw(depth > 0 ? 6 : 4);
        if (kind < 2) {
            co_await ctx.wait(std::chrono::seconds{1 + draw(3)});
        } else if (kind == 2) {
            seen += co_await ctx.step([] { return std::string{"s"}; });
        } else if (kind == 3) {
            const auto failures = draw(3);
            seen += co_await ctx.step(
                [failures](StepContext& step) -> std::string {
                    if (step.attempt() <= failures) throw std::runtime_error{"again"};
                    return "r";
                },
                {.retryStrategy = retry::fixed(5, 1s)});
        } else {
            std::vector<unsigned> seeds;
            for (auto branches = 2 + draw(3); branches > 0; --branches) seeds.push_back(draw(any));
            auto batch = co_await ctx.map(
                seeds,
                [depth](DurableContext& c, unsigned branchSeed) -> Task<std::string> {
                    auto running = randomWorkflow(c, branchSeed, depth - 1);
                    auto text = co_await std::move(running);
                    if (branchSeed % 4 == 0) throw std::runtime_error{text};
                    co_return text;
                },
                {.maxConcurrency = 1 + draw(4),
                 .completionConfig = {.minSuccessful = 1 + draw(2),
                                      .toleratedFailureCount = draw(2)},
                 .nesting = draw(4) == 0 ? Nesting::flat : Nesting::nested});
            seen += "(" + endedItems(batch) + ")";
        }
    }
    co_return seen;
}

struct Run {
    std::string result{};
    std::vector<std::string> events{};  ///< without the ends of invocations
};

enum class Memory { kept, dropped, restarted };

Run runOf(const std::function<Task<std::string>(DurableContext&)>& handler, Memory memory) {
    TestEngine engine{[&](Engine& e) { e.registerHandler("handler", handler); },
                      std::make_shared<RecordingStore>(), memory == Memory::kept ? 1000U : 0U};
    auto execution = engine->start("handler", {.name = "a"});
    const auto id = execution.id();
    engine.settle();
    while (engine->find("handler", "a")->status() == ExecutionStatus::running) {
        const auto next = engine->nextTimer();
        if (!next) break;
        if (memory == Memory::restarted) engine.restart();
        engine.clock().set(*next);
        engine->fireTimers();
        engine.settle();
    }
    Run run{.result = engine->find("handler", "a")->result<std::string>()};
    for (auto& event : engine.events(id)) {
        if (event != "InvocationCompleted") run.events.push_back(std::move(event));
    }
    return run;
}

}  // namespace

TEST_CASE("of branches that are due together the timer set first wins, in memory or not") {
    CHECK(runOf(firstOfTwo, Memory::kept).result == "1+");
    CHECK(runOf(firstOfTwo, Memory::dropped).result == "1+");
    CHECK(runOf(firstOfTwo, Memory::restarted).result == "1+");
}

TEST_CASE("a crash, and an engine that was stopped before the handler began, change no order") {
    const auto registering = [](Engine& e) { e.registerHandler("handler", firstOfTwo); };
    const auto store = std::make_shared<RecordingStore>();
    {
        TestEngine engine{registering, store};
        engine.finish(engine->start("handler", {.name = "a"}));
    }
    const auto ended = [](RecordingStore& in) {
        return std::ranges::count(in.load(1), EntryKind::succeeded, &Entry::kind);
    };
    std::size_t crash = 0;
    while (ended(*store->after(crash)) < 3) ++crash;  // all waits, and nothing after them
    const auto rest = store->after(crash);
    REQUIRE(ended(*rest) == 3);

    TestEngine engine{registering, rest};
    engine->resume();
    engine.restart();
    engine->resume();
    CHECK(engine.finish(*engine->find("handler", "a")).result<std::string>() == "1+");
}

TEST_CASE("random handlers do the same whether they stay in memory or are run again") {
    const auto first = newSeed();
    for (unsigned i = 0; i < 300; ++i) {
        const auto seed = first + i;
        INFO("seed " << seed);
        const auto handler = [seed](DurableContext& ctx) {
            return randomWorkflow(ctx, static_cast<unsigned>(seed), 2);
        };
        const auto kept = runOf(handler, Memory::kept);
        const auto dropped = runOf(handler, Memory::dropped);
        const auto restarted = runOf(handler, Memory::restarted);
        CHECK(dropped.result == kept.result);
        CHECK(dropped.events == kept.events);
        CHECK(restarted.result == kept.result);
        CHECK(restarted.events == kept.events);
        if (dropped.events != kept.events) break;
    }
}
