// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/logger.hpp>

#include <cstdint>
#include <stop_token>
#include <utility>

namespace durable::inline v0 {

/// What a step body may ask. It has no durable operations: a body is one unit, recorded as a whole.
///
/// Lifetime: valid while the body runs.
class StepContext {
public:
    StepContext(std::uint32_t attempt, Logger logger)
        : attempt_{attempt}, logger_{std::move(logger)} {}

    /// Number of this attempt, from 1.
    [[nodiscard]] std::uint32_t attempt() const noexcept { return attempt_; }

    /// Writes lines that carry the step and the attempt.
    [[nodiscard]] const Logger& logger() const noexcept { return logger_; }

    /// Triggered when the result is no longer wanted: the batch around the step has been decided,
    /// the execution has ended, or the engine stops. Return soon, in any way; what is returned or
    /// thrown then is not recorded as a failure.
    [[nodiscard]] const std::stop_token& stopToken() const noexcept { return stop_; }

    /// For the library: set before the body runs.
    void setStopToken(std::stop_token stop) noexcept { stop_ = std::move(stop); }

private:
    std::uint32_t attempt_;
    Logger logger_;
    std::stop_token stop_;
};

}  // namespace durable::inline v0
