// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/policy/retry_strategy.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

/// \file
/// When `waitForCondition` looks again. The decision is recorded with the state it was taken on.

namespace durable::inline v0 {

/// What to do after a check.
class WaitDecision {
public:
    /// The condition holds: the state is the result.
    [[nodiscard]] static WaitDecision stop() { return WaitDecision{std::nullopt}; }

    /// \param delay at least 1 s; less counts as 1 s.
    [[nodiscard]] static WaitDecision again(std::chrono::seconds delay) {
        return WaitDecision{std::max(delay, std::chrono::seconds{1})};
    }

    /// Time to the next check, or empty to stop.
    [[nodiscard]] std::optional<std::chrono::seconds> delay() const { return delay_; }

private:
    explicit WaitDecision(std::optional<std::chrono::seconds> delay) : delay_{delay} {}

    std::optional<std::chrono::seconds> delay_;
};

/// Decides after a check. `attempt` counts checks from 1; `random` is from 0 to below 1. What it
/// throws fails the operation.
template <class State>
using WaitStrategy =
    std::function<WaitDecision(const State& state, std::uint32_t attempt, double random)>;

/// The usual wait strategy: poll while `shouldContinuePolling`, with growing delays.
template <class State>
struct PollingConfig {
    std::function<bool(const State&)> shouldContinuePolling;
    std::uint32_t maxAttempts{60};          ///< the first check included; at least 1
    std::chrono::seconds initialDelay{5};   ///< after the first check
    std::chrono::seconds maxDelay{5 * 60};  ///< applied before jitter
    double backoffRate{1.5};                ///< at least 1
    Jitter jitter{Jitter::full};
};

/// The condition is looked at before the limit of attempts.
/// \throws InvalidConfig if a value is out of range.
template <class State>
[[nodiscard]] WaitStrategy<State> polling(PollingConfig<State> config) {
    requireAtLeast("maxAttempts", config.maxAttempts, std::uint32_t{1});
    if (!config.shouldContinuePolling) throw InvalidConfig{"shouldContinuePolling must be set"};
    auto delays = retry::exponential({.maxAttempts = config.maxAttempts,
                                      .initialDelay = config.initialDelay,
                                      .maxDelay = config.maxDelay,
                                      .backoffRate = config.backoffRate,
                                      .jitter = config.jitter});
    return [config = std::move(config), delays = std::move(delays)](
               const State& state, std::uint32_t attempt, double random) {
        if (!config.shouldContinuePolling(state)) return WaitDecision::stop();
        const ErrorObject noError;
        const auto next =
            delays({.error = noError, .exception = {}, .attempt = attempt, .random = random});
        if (!next.delay()) {
            throw std::runtime_error{
                fmt::format("waitForCondition exceeded maximum attempts ({})", config.maxAttempts)};
        }
        return WaitDecision::again(*next.delay());
    };
}

}  // namespace durable::inline v0
