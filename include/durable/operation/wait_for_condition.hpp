// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>
#include <durable/operation/attempt.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace durable::inline v0 {

namespace detail {

/// The life of a condition: a step that is retried with its state until its strategy says stop.
template <class State, class Check>
Task<State> runCondition(OperationCall call, WaitForConditionConfig<State> config, Check check) {
    co_await call.admitted();
    using Body = StepBody<Check, const State&>;
    const Codec<State> codec{config.serdes};
    const Operation& condition = call.operation();
    for (;;) {
        while (call.awaitsWorld()) co_await call.changed();
        if (isTerminal(condition.status) && condition.status != OperationStatus::succeeded) {
            throw WaitForConditionError{call.error()};
        }
        Outcome<State> recorded;
        if (condition.result && !call.decode(codec, condition.result, recorded)) co_await Never{};
        if (condition.status == OperationStatus::succeeded) co_return recorded.take();

        if (call.mustNotRun()) co_await Never{};
        if (condition.status != OperationStatus::started) call.record(OperationAction::start);
        if (call.invocation().services().writesStartsFirst) co_await call.written();
        const State state = recorded.succeeded() ? recorded.take() : config.initialState;
        const auto attempt = condition.attempt + 1;
        const auto id = call.id();
        auto context = call.stepContext(attempt, id);
        ObservedAttempt observed{call, attempt};
        using Returned = typename Body::Returned;
        auto run = [&](std::stop_token stop) -> Returned {
            context.setStopToken(std::move(stop));
            return observed.run<Returned>(
                [&]() -> Returned { return Body::call(check, context, state); });
        };
        auto running = call.invocation().runBody(run, true);
        auto outcome = co_await running;
        observed.returned<Returned>(outcome.exception());
        if (!outcome.succeeded() && call.invocation().stopping()) co_await Never{};

        std::optional<ErrorObject> error;
        std::optional<WaitDecision> decision;
        Payload payload;
        if (outcome.succeeded()) {
            const State next = outcome.take();
            if (!call.encode(codec, next, payload)) co_await Never{};
            Outcome<State> readBack;
            if (!call.decode(codec, payload, readBack)) co_await Never{};
            try {
                const State seen = readBack.take();
                const RunLoop::Enter outside{nullptr};
                decision =
                    config.waitStrategy(seen, attempt, call.invocation().services().random());
            } catch (...) {
                error = errorObjectOf(std::current_exception());
            }
        } else {
            error = errorObjectOf(outcome.exception());
        }
        const auto action = error               ? OperationAction::fail
                            : decision->delay() ? OperationAction::retry
                                                : OperationAction::succeed;
        call.record(action, [&](OperationUpdate& update) {
            if (decision) update.delay = decision->delay();
            if (!error) update.payload = std::move(payload);
            update.error = std::move(error);
        });
        co_await call.written();
    }
}

}  // namespace detail

template <class State, class Check>
Task<State> DurableContext::waitForCondition(std::string_view name, Check check,
                                             WaitForConditionConfig<State> config) {
    using Result = detail::StepResult<Check, const State&>;
    static_assert(std::is_same_v<Result, State>, "The check must return the state.");
    (void)Codec<State>{config.serdes};  // refuses a serdes of another type at the call
    if (!config.waitStrategy) throw InvalidConfig{"waitStrategy must be set"};
    return detail::runCondition<State>(
        nextCall(OperationType::step, OperationSubType::waitForCondition, name), std::move(config),
        std::move(check));
}

template <class State, class Check>
Task<State> DurableContext::waitForCondition(Check check, WaitForConditionConfig<State> config) {
    return waitForCondition<State>(std::string_view{}, std::move(check), std::move(config));
}

}  // namespace durable::inline v0
