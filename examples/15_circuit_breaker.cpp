// SPDX-License-Identifier: Apache-2.0
//
// Stops calling a service that is down. `toleratedFailureCount` counts all failures;
// `shouldComplete` may look at anything: here, three failures in a row.
//
//   $ ./15_circuit_breaker
//   more than 3 failures: called 7, saved 3: FAILURE_TOLERANCE_EXCEEDED
//   3 failures in a row:  called 8, saved 2: CUSTOM_COMPLETION_FAILED
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace durable;

/// `+` where the service answers, for each request.
constexpr std::string_view service = "+-+-+-----";

void call(std::size_t request) {
    if (service.at(request) != '+') throw std::runtime_error{"no answer"};
}

CompletionDecision threeFailuresInARow(const CompletionProgress& progress) {
    std::size_t inARow = 0;
    for (const auto& item : progress.items) {
        if (item.status == BatchItemStatus::succeeded) inARow = 0;
        if (item.status == BatchItemStatus::failed && ++inARow == 3) {
            return CompletionDecision::completeAsFailed;
        }
    }
    return CompletionDecision::goOn;
}

Task<std::string> callAll(DurableContext& ctx, CompletionConfig breaker) {
    std::vector<std::size_t> requests(service.size());
    for (std::size_t i = 0; i < requests.size(); ++i) requests[i] = i;

    const StepConfig once{.retryStrategy = retry::none()};
    const MapConfig config{.maxConcurrency = 1, .completionConfig = std::move(breaker)};
    auto results = co_await ctx.map(
        "call-all", requests,
        [&](DurableContext& item, const std::size_t& request) -> Task<void> {
            co_await item.step("call", [&] { call(request); }, once);
        },
        config);
    co_return fmt::format("called {}, saved {}: {}", results.totalCount(),
                          results.notStarted().size(), toString(results.completionReason()));
}

Task<std::string> compareBreakers(DurableContext& ctx) {
    auto byCount = co_await callAll(ctx, {.toleratedFailureCount = 3});
    auto inARow = co_await callAll(ctx, {.shouldComplete = threeFailuresInARow});
    co_return fmt::format("more than 3 failures: {}\n3 failures in a row:  {}\n", byCount, inARow);
}

int main() {
    Engine engine{SqliteStore::open("15_circuit_breaker.db")};
    engine.registerHandler("compare-breakers", compareBreakers);

    auto execution = engine.start("compare-breakers", {.name = "monday"});
    fmt::print("{}", execution.result<std::string>());
}
