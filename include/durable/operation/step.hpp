// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>
#include <durable/operation/ask_retry_strategy.hpp>
#include <durable/operation/attempt.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace durable::inline v0 {

namespace detail {

/// Records the end of a failed attempt, and that another one follows if the strategy wants one.
inline void recordFailedAttempt(const OperationCall& call, const RetryStrategy& strategy,
                                std::exception_ptr failure, std::uint32_t attempt) {
    auto error = errorObjectOf(failure);
    const auto decision =
        askRetryStrategy(strategy, error, failure, attempt, call.invocation().services().random());
    const auto delay = decision.delay();
    call.record(delay ? OperationAction::retry : OperationAction::fail,
                [&](OperationUpdate& update) {
                    update.error = std::move(error);
                    update.delay = delay;
                });
}

/// The life of a step. Each turn looks at what is recorded and moves it one on; the caller gets
/// what the journal says, on the first run as on replay.
template <class T, class Body>
Task<T> runStep(OperationCall call, StepConfig config, Body body) {
    co_await call.admitted();
    const Codec<T> codec{config.serdes};
    const Operation& step = call.operation();
    const bool atMostOnce = config.semantics == StepSemantics::atMostOncePerRetry;
    bool startedHere = false;
    for (;;) {
        while (call.awaitsWorld()) co_await call.changed();
        if (step.status == OperationStatus::succeeded) {
            Outcome<T> result;
            if (!call.decode(codec, step.result, result)) co_await Never{};
            co_return result.take();
        }
        if (isTerminal(step.status)) throw StepError{call.error()};

        if (call.mustNotRun()) co_await Never{};
        const auto attempt = step.attempt + 1;
        Outcome<T> outcome;
        if (atMostOnce && step.status == OperationStatus::started && !startedHere) {
            outcome.setException(std::make_exception_ptr(StepInterruptedError{}));
        } else {
            if (step.status != OperationStatus::started) call.record(OperationAction::start);
            startedHere = true;
            if (atMostOnce || call.invocation().services().writesStartsFirst) {
                co_await call.written();
            }

            const auto id = call.id();
            auto context = call.stepContext(attempt, id);
            ObservedAttempt observed{call, attempt, atMostOnce};
            using Returned = typename StepBody<Body>::Returned;
            auto run = [&](std::stop_token stop) -> Returned {
                context.setStopToken(std::move(stop));
                return observed.run<Returned>(
                    [&]() -> Returned { return StepBody<Body>::call(body, context); });
            };
            // One that runs at most once would be taken for interrupted by the next engine.
            auto running = call.invocation().runBody(run, !atMostOnce);
            outcome = co_await running;
            observed.returned<Returned>(outcome.exception());
        }

        if (outcome.succeeded()) {
            Payload payload;
            if constexpr (!std::is_void_v<T>) {
                const T value = outcome.take();
                if (!call.encode(codec, value, payload)) co_await Never{};
            }
            call.record(OperationAction::succeed,
                        [&](OperationUpdate& update) { update.payload = std::move(payload); });
        } else {
            if (call.invocation().stopping() && startedHere) co_await Never{};
            recordFailedAttempt(call, config.retryStrategy, outcome.exception(), attempt);
        }
        startedHere = false;
        co_await call.written();
    }
}

}  // namespace detail

template <class Body>
Task<detail::StepResult<Body>> DurableContext::step(std::string_view name, Body body,
                                                    StepConfig config) {
    using Result = detail::StepResult<Body>;
    (void)Codec<Result>{config.serdes};  // refuses a serdes of another type at the call
    return detail::runStep<Result>(nextCall(OperationType::step, OperationSubType::step, name),
                                   std::move(config), std::move(body));
}

template <class Body>
    requires(!std::convertible_to<Body, std::string_view>)
Task<detail::StepResult<Body>> DurableContext::step(Body body, StepConfig config) {
    return step(std::string_view{}, std::move(body), std::move(config));
}

}  // namespace durable::inline v0
