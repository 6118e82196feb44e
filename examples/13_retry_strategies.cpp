// SPDX-License-Identifier: Apache-2.0
//
// What a step does when its body throws. The delays are recorded: a process that dies in one of
// them waits for the rest of it only, and counts attempts on.
//
//   $ ./13_retry_strategies
//   fixed:       worked at attempt 2
//   exponential: worked at attempt 3
//   by type:     failed: no such account
//   custom:      worked at attempt 2
//   none:        failed: line is busy
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

using namespace durable;
using namespace std::chrono_literals;

struct Busy : std::runtime_error {
    using runtime_error::runtime_error;
};

/// Works at the attempt with the number `worksAt`.
std::string call(StepContext& step, std::uint32_t worksAt) {
    if (step.attempt() < worksAt) throw Busy{"line is busy"};
    return fmt::format("worked at attempt {}", step.attempt());
}

std::string callWrongNumber(StepContext& /*step*/) {
    throw std::invalid_argument{"no such account"};
}

/// Runs `body` as a step; gives its result, or its error as text.
template <class Body>
Task<std::string> attempt(DurableContext& ctx, Body body, RetryStrategy strategy) {
    const StepConfig config{.retryStrategy = std::move(strategy)};
    std::string outcome;
    try {
        outcome = co_await ctx.step("call", body, config);
    } catch (const StepError& error) {
        outcome = fmt::format("failed: {}", error.what());
    }
    co_return outcome;
}

Task<std::string> callEverybody(DurableContext& ctx) {
    const auto worksAt = [](std::uint32_t number) {
        return [number](StepContext& step) { return call(step, number); };
    };
    // 1 s, 2 s, 4 s and so on. The default jitter spreads them, so that many clients do not come
    // back at the same time.
    const auto exponential = retry::exponential({.maxAttempts = 5,
                                                 .initialDelay = 1s,
                                                 .maxDelay = 30s,
                                                 .backoffRate = 2,
                                                 .jitter = Jitter::none});
    const auto onlyIfBusy =
        retry::fixed(5, 1s, {{errorOfType<Busy>(), errorWithMessage("timeout")}});
    const RetryStrategy custom = [](const FailedAttempt& failed) {
        const bool again = failed.error.message == "line is busy" && failed.attempt < 10;
        return again ? RetryDecision::after(1s) : RetryDecision::stop();
    };

    auto results = co_await ctx.parallel(
        "call-everybody",
        [&](DurableContext& child) { return attempt(child, worksAt(2), retry::fixed(3, 1s)); },
        [&](DurableContext& child) { return attempt(child, worksAt(3), exponential); },
        [&](DurableContext& child) { return attempt(child, callWrongNumber, onlyIfBusy); },
        [&](DurableContext& child) { return attempt(child, worksAt(2), custom); },
        [&](DurableContext& child) { return attempt(child, worksAt(2), retry::none()); });

    const auto [a, b, c, d, e] = results.getResults();
    co_return fmt::format(
        "fixed:       {}\nexponential: {}\nby type:     {}\ncustom:      {}\n"
        "none:        {}\n",
        a, b, c, d, e);
}

int main() {
    Engine engine{SqliteStore::open("13_retry_strategies.db")};
    engine.registerHandler("call-everybody", callEverybody);

    auto execution = engine.start("call-everybody", {.name = "monday"});
    fmt::print("{}", execution.result<std::string>());
}
