// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/child_context.hpp>
#include <durable/operation/create_callback.hpp>
#include <durable/operation/step.hpp>

#include <concepts>
#include <exception>
#include <string>
#include <utility>

namespace durable::inline v0 {

namespace detail {

/// Inside the context: the callback, the step that hands out its id, the wait. Gives the result as
/// JSON of the text that was delivered.
template <class Submitter>
Task<Payload> submitAndWait(DurableContext& context, WaitForCallbackConfig config,
                            Submitter& submitter) {
    using Body = StepBody<Submitter, std::string>;
    const CallbackConfig timeouts{
        .timeout = config.timeout, .heartbeatTimeout = config.heartbeatTimeout, .serdes = {}};
    auto callback = co_await context.createCallback<std::string>(timeouts);
    const StepConfig once{.retryStrategy = config.retryStrategy, .semantics = {}, .serdes = {}};
    auto submit = [&submitter, id = callback.id()](StepContext& step) ->
        typename Body::Returned { return Body::call(submitter, step, id); };
    static_assert(std::is_void_v<typename Body::Result>, "A submitter must return nothing.");
    co_await context.step(submit, once);
    const auto delivered = co_await callback.result();
    co_return toJsonText(delivered);
}

/// The class that a recorded error of the context stands for.
[[noreturn]] inline void throwWaitForCallbackError(const ErrorObject& error) {
    const auto inner = error.cause ? *error.cause : ErrorObject{.message = error.message};
    if (error.type == "CallbackTimeoutError") throw CallbackTimeoutError{inner};
    if (error.type == "CallbackExternalError") throw CallbackExternalError{inner};
    if (error.type == "StepError") throw CallbackSubmitterError{error};
    throw ChildContextError{error};
}

template <class T, class Submitter>
Task<T> runWaitForCallback(OperationCall call, WaitForCallbackConfig config, Submitter submitter) {
    Payload payload;
    std::optional<ErrorObject> failure;
    try {
        auto running = runContext(call, {}, [&](DurableContext& context) {
            return submitAndWait(context, config, submitter);
        });
        payload = co_await std::move(running);
    } catch (const ChildContextError& error) {
        failure = error.error();
    }
    if (failure) throwWaitForCallbackError(*failure);

    Outcome<std::string> delivered;
    if (!call.decode(Codec<std::string>{{}}, payload, delivered)) co_await Never{};
    auto text = delivered.take();
    if constexpr (std::same_as<T, std::string>) {
        if (!config.serdes) co_return text;
    }
    Outcome<T> result;
    if (!call.decode(Codec<T>{config.serdes}, text, result)) co_await Never{};
    co_return result.take();
}

}  // namespace detail

template <class T, class Submitter>
Task<T> DurableContext::waitForCallback(std::string_view name, Submitter submitter,
                                        WaitForCallbackConfig config) {
    (void)Codec<T>{config.serdes};  // refuses a serdes of another type at the call
    detail::requireTimeouts(config.timeout, config.heartbeatTimeout,
                            invocation().services().limits);
    return detail::runWaitForCallback<T>(
        nextCall(OperationType::context, OperationSubType::waitForCallback, name),
        std::move(config), std::move(submitter));
}

template <class T, class Submitter>
    requires(!std::convertible_to<Submitter, std::string_view>)
Task<T> DurableContext::waitForCallback(Submitter submitter, WaitForCallbackConfig config) {
    return waitForCallback<T>(std::string_view{}, std::move(submitter), std::move(config));
}

}  // namespace durable::inline v0
