// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/operation_call.hpp>
#include <durable/coro/body_run.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace durable::inline v0 {

namespace detail {

/// What plugins see of one run of a body, on the body's thread. Lives in the frame of the step.
/// Without plugins it does nothing.
class ObservedAttempt {
public:
    ObservedAttempt(const OperationCall& call, std::uint32_t attempt, bool atMostOnce = false) {
        auto* dispatch = call.invocation().plugins();
        if (dispatch == nullptr) return;
        plugins_ = &dispatch->plugins();
        info_ = std::make_unique<AttemptInfo>(dispatch->attemptOf(call.operation(), attempt));
        info_->atMostOnce = atMostOnce;
    }

    /// Runs `body`, or begins it if it is an `asio::awaitable`.
    template <class Returned, class Body>
    Returned run(Body body) {
        if (plugins_ == nullptr) return body();
        begin();
        if constexpr (BodyResult<Returned>::isAsync) {
            return body();
        } else {
            Outcome<Returned> outcome;
            plugins_->wrapAttempt(*info_, [&] { outcome.capture(body); });
            end(outcome.exception());
            return outcome.take();
        }
    }

    /// Back on the handler's thread: tells the end of a body that was an `asio::awaitable`.
    template <class Returned>
    void returned(const std::exception_ptr& failure) {
        if constexpr (BodyResult<Returned>::isAsync) {
            if (plugins_ != nullptr) end(failure);
        }
    }

private:
    void begin() {
        info_->startTime = plugins_->now();
        plugins_->each("onOperationAttemptStart",
                       [this](Plugin& plugin) { plugin.onOperationAttemptStart(*info_); });
    }

    void end(const std::exception_ptr& failure) {
        AttemptEndInfo ended{.attempt = *info_, .endTime = plugins_->now()};
        if (failure) {
            ended.outcome = AttemptOutcome::failed;
            ended.error = errorObjectOf(failure);
        }
        plugins_->each("onOperationAttemptEnd",
                       [&](Plugin& plugin) { plugin.onOperationAttemptEnd(ended); });
    }

    const Plugins* plugins_{};
    std::unique_ptr<AttemptInfo> info_;  // outside: most frames have none
};

}  // namespace detail

}  // namespace durable::inline v0
