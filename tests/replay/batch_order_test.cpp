// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <chrono>
#include <string>

using namespace durable;
using namespace std::chrono_literals;

namespace {

const std::vector three{0, 1, 2};  // here: some g++ take no such list in a coroutine

/// What a batch says when its execution stays in memory, and when each suspension ends the
/// invocation.
struct Outcomes {
    std::string parked;
    std::string evicted;
};

template <class Handler>
Outcomes outcomesOf(Handler handler, Limits limits = {}) {
    const auto run = [&](std::size_t maxParked) {
        TestEngine engine{[&](Engine& e) { e.registerHandler("handler", handler); },
                          std::make_shared<RecordingStore>(), maxParked, limits};
        const auto execution = engine->start("handler");
        engine.finish(execution);
        return execution.result<std::string>();
    };
    return {run(1000), run(0)};
}

template <class T>
std::string summary(const BatchResult<T>& result) {
    auto text =
        fmt::format("{} {}", toString(result.status()), toString(result.completionReason()));
    for (const auto& item : result.all()) text += fmt::format(" {}", toString(item.status));
    return text;
}

CompletionDecision failsWhileOnlyOneFailed(const CompletionProgress& progress) {
    const bool fails = progress.failureCount == 1 && progress.successCount == 0;
    return fails ? CompletionDecision::completeAsFailed : CompletionDecision::goOn;
}

/// Item 0 fails after item 1 has succeeded; item 2 ends last.
Task<std::string> failureAfterSuccess(DurableContext& ctx) {
    const auto result =
        co_await ctx.map(three,
                         [](DurableContext& item, int i) -> Task<std::string> {
                             if (i == 0) {
                                 co_await item.wait(10s);
                                 throw std::runtime_error{"failed"};
                             }
                             co_await item.wait(i == 1 ? 5s : 20s);
                             co_return std::string(100, 'x');
                         },
                         {.completionConfig = {.shouldComplete = failsWhileOnlyOneFailed}});
    co_return summary(result);
}

}  // namespace

TEST_CASE("a predicate that takes back what it said decides the same after a replay") {
    const auto [parked, evicted] = outcomesOf(failureAfterSuccess);

    CHECK(parked == "FAILED ALL_COMPLETED FAILED SUCCEEDED SUCCEEDED");
    CHECK(evicted == parked);
}

TEST_CASE("it does so too when the items' results are too large to keep") {
    const auto [parked, evicted] = outcomesOf(failureAfterSuccess, {.inlineResultBytesMax = 10});

    CHECK(parked == "FAILED ALL_COMPLETED FAILED SUCCEEDED SUCCEEDED");
    CHECK(evicted == parked);
}

TEST_CASE("an item of a flat batch that was started by an earlier run counts as started") {
    const auto [parked, evicted] = outcomesOf([](DurableContext& ctx) -> Task<std::string> {
        const auto result = co_await ctx.map(three,
                                             [](DurableContext& item, int i) -> Task<int> {
                                                 if (i == 1) co_await item.wait(1s);
                                                 if (i == 2) co_await item.wait(60s);
                                                 co_return i;
                                             },
                                             {.maxConcurrency = 2,
                                              .completionConfig = {.minSuccessful = 2},
                                              .nesting = Nesting::flat});
        co_return summary(result);
    });

    CHECK(parked == "COMPLETED MIN_SUCCESSFUL_REACHED SUCCEEDED SUCCEEDED STARTED");
    CHECK(evicted == parked);
}
