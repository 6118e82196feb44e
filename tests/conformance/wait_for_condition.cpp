// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

using durable::DurableContext;
using durable::Jitter;
using durable::polling;
using durable::Task;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

struct Progress {
    std::string status{"PENDING"};
    int attempts{};
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Progress, status, attempts)
};

/// Counts up from 0 until `threshold`.
durable::WaitForConditionConfig<int> until(int threshold) {
    return {.initialState = 0,
            .waitStrategy = polling<int>(
                {.shouldContinuePolling = [threshold](int state) { return state < threshold; },
                 .initialDelay = 1s})};
}

int increment(const int& state) { return state + 1; }

Task<int> basic(DurableContext& ctx, int threshold) {
    const int state = co_await ctx.waitForCondition<int>(increment, until(threshold));
    co_return state;
}

Task<int> immediate(DurableContext& ctx, int state) {
    const int result = co_await ctx.waitForCondition<int>(
        [](const int& s) { return s; },
        {.initialState = state,
         .waitStrategy = polling<int>({.shouldContinuePolling = [](int s) { return s < 5; }})});
    co_return result;
}

Task<int> named(DurableContext& ctx, int threshold) {
    const int state =
        co_await ctx.waitForCondition<int>("poll-status", increment, until(threshold));
    co_return state;
}

Task<int> fixedDelay(DurableContext& ctx, int threshold) {
    const int state = co_await ctx.waitForCondition<int>(
        increment, {.initialState = 0,
                    .waitStrategy = polling<int>(
                        {.shouldContinuePolling = [threshold](int s) { return s < threshold; },
                         .initialDelay = 2s,
                         .backoffRate = 1,
                         .jitter = Jitter::none})});
    co_return state;
}

Task<int> exhausted(DurableContext& ctx, int) {
    const int state = co_await ctx.waitForCondition<int>(
        increment, {.initialState = 0,
                    .waitStrategy = polling<int>({.shouldContinuePolling = [](int) { return true; },
                                                  .maxAttempts = 3,
                                                  .initialDelay = 1s,
                                                  .backoffRate = 1,
                                                  .jitter = Jitter::none})});
    co_return state;
}

Task<int> failing(DurableContext& ctx) {
    const int state = co_await ctx.waitForCondition<int>(
        [](const int&) -> int { throw std::runtime_error{"the check fails"}; }, until(3));
    co_return state;
}

Task<Progress> structured(DurableContext& ctx) {
    auto progress = co_await ctx.waitForCondition<Progress>(
        [](const Progress& before) {
            auto next = before;
            if (++next.attempts == 2) next.status = "DONE";
            return next;
        },
        {.initialState = Progress{},
         .waitStrategy = polling<Progress>(
             {.shouldContinuePolling = [](const Progress& p) { return p.status == "PENDING"; }})});
    co_return progress;
}

Task<std::string> customSerdes(DurableContext& ctx) {
    const durable::Serdes<std::string> encoded{
        .serialize = [](const std::string& state, auto&) { return "state:" + state; },
        .deserialize = [](const std::string& text, auto&) { return text.substr(6); }};
    auto state = co_await ctx.waitForCondition<std::string>(
        [](const std::string& s) { return s + "x"; },
        {.initialState = std::string{},
         .waitStrategy = polling<std::string>(
             {.shouldContinuePolling = [](const std::string& s) { return s.size() < 2; }}),
         .serdes = encoded});
    co_return state;
}

Task<int> thenStep(DurableContext& ctx, int threshold) {
    const int state = co_await ctx.waitForCondition<int>(increment, until(threshold));
    const int result = co_await ctx.step([&] { return state * 10; });
    co_return result;
}

}  // namespace

void registerWaitForCondition(durable::testing::LocalRunner& runner) {
    runner.registerHandler("6-1", basic)
        .registerHandler("6-2", immediate)
        .registerHandler("6-3", named)
        .registerHandler("6-5", fixedDelay)
        .registerHandler("6-6", exhausted)
        .registerHandler("6-7", failing)
        .registerHandler("6-9", structured)
        .registerHandler("6-11", customSerdes)
        .registerHandler("6-12", thenStep);
}
