// SPDX-License-Identifier: Apache-2.0
// A handler with every verb goes on over a journal that says anything. It ends or waits, and what
// the engine adds can be read again.
#include <durable/durable.hpp>
#include <durable/journal/entry_json.hpp>
#include <durable/testing/manual_clock.hpp>

#include <fuzz/fuzz_target.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

Task<std::string> everything(DurableContext& ctx) {
    auto step = co_await ctx.step("step", [] { return 7; }, {.retryStrategy = retry::fixed(2, 1s)});
    auto map = co_await ctx.map(
        "map", std::vector{1, 2, 3},
        [](DurableContext& item, int i) -> Task<int> {
            auto doubled = co_await item.step("item", [i] { return 2 * i; });
            co_return doubled;
        },
        {.maxConcurrency = 2, .completionConfig = CompletionConfig::allCompleted()});
    auto parallel = co_await ctx.parallel("parallel",
                                          branch("a",
                                                 [](DurableContext& c) -> Task<int> {
                                                     co_await c.wait("pause", 1s);
                                                     co_return 1;
                                                 }),
                                          branch("b", [](DurableContext& c) -> Task<std::string> {
                                              auto text =
                                                  co_await c.step([] { return std::string{"b"}; });
                                              co_return text;
                                          }));
    auto child = co_await ctx.runInChildContext("child", [](DurableContext& c) -> Task<int> {
        co_await c.wait("nap", 1s);
        co_return 5;
    });
    auto polled = co_await ctx.waitForCondition<int>(
        "poll", [](int state) { return state < 2 ? state + 1 : 2; },
        {.initialState = 0, .waitStrategy = [](int state, std::uint32_t, double) {
             return state < 2 ? WaitDecision::again(1s) : WaitDecision::stop();
         }});
    auto invoked = co_await ctx.invoke<int>("invoke", "other", 3);
    auto both = co_await ctx.all("both", ctx.step("x", [] { return 1; }),
                                 ctx.step("y", [] { return std::string{"y"}; }));
    auto callback = co_await ctx.waitForCallback<std::string>("callback", [](const std::string&) {},
                                                              {.timeout = 3s});
    co_return fmt::format("{} {} {} {} {} {} {} {}", step, map.successCount(),
                          parallel.successCount(), child, polled, invoked, std::get<0>(both),
                          callback);
}

}  // namespace

void fuzz(std::string_view bytes) {
    std::vector<Entry> entries;
    if (!accepts([&] { entriesFromJson(bytes, entries); })) return;
    const auto store = std::make_shared<MemoryStore>();
    const Commit commit{.execution = 1,
                        .start = ExecutionStart{.handlerName = "everything", .name = "fuzzed"},
                        .entries = entries};
    store->append({&commit, 1});

    const auto clock = std::make_shared<testing::ManualClock>();
    Engine engine{store,
                  {.workflowThreads = 0,
                   .stepThreads = 0,
                   .maxParked = bytes.size() % 2 == 0 ? 1000U : 0U,
                   .log = {},
                   .clock = clock,
                   .random = [] { return 0.5; }}};
    engine.registerHandler("everything", everything);
    engine.registerHandler("other", [](DurableContext&, int i) -> Task<int> { co_return i; });
    engine.poll();
    constexpr int timersMax = 100;
    for (int i = 0; i < timersMax && engine.nextTimer(); ++i) {
        if (*engine.nextTimer() > clock->now()) clock->set(*engine.nextTimer());
        engine.fireTimers();
        engine.poll();
    }
    const auto metrics = engine.metrics();
    require(metrics.executionsRunning == 0, "the execution has ended, or waits");

    const auto folds = [&](const std::vector<Entry>& journal) {
        return accepts<std::invalid_argument>([&] {
            ExecutionState folded;
            for (const auto& entry : journal) folded.fold(entry);
        });
    };
    if (folds(entries)) require(folds(store->load(1)), "what the engine adds can be read");
}
