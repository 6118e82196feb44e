// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/coro/run_loop.hpp>
#include <durable/policy/retry_strategy.hpp>

#include <cstdint>
#include <exception>

namespace durable::inline v0::detail {

/// What a retry strategy, or the standard one if none is set, says to a failed attempt. A strategy
/// that throws stops: its exception takes the place of the attempt's in `error` and `failure`.
[[nodiscard]] inline RetryDecision askRetryStrategy(const RetryStrategy& strategy,
                                                    ErrorObject& error, std::exception_ptr& failure,
                                                    std::uint32_t attempt, double random) {
    const RunLoop::Enter outside{nullptr};
    try {
        const FailedAttempt failed{
            .error = error, .exception = failure, .attempt = attempt, .random = random};
        return strategy ? strategy(failed) : retry::standard()(failed);
    } catch (...) {
        failure = std::current_exception();
        error = errorObjectOf(failure);
        return RetryDecision::stop();
    }
}

}  // namespace durable::inline v0::detail
