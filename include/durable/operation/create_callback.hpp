// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/wait.hpp>

#include <concepts>
#include <string>
#include <utility>

namespace durable::inline v0 {

namespace detail {

/// Throws the error of a callback that ended without a result.
[[noreturn]] inline void throwCallbackError(const OperationCall& call) {
    if (call.operation().status == OperationStatus::timedOut) {
        throw CallbackTimeoutError{call.error()};
    }
    throw CallbackExternalError{call.error()};
}

/// Waits for the end of a callback and reads its result: text as it was delivered for a string
/// without a serdes.
template <class T>
Task<T> awaitCallback(OperationCall call, AnySerdes serdes) {
    const Codec<T> codec{serdes};
    const Operation& callback = call.operation();
    while (call.awaitsWorld()) {
        if (call.onlyRecorded() && !isTerminal(callback.status)) call.haltAsMissing();
        co_await call.changed();
    }
    if (callback.status != OperationStatus::succeeded) throwCallbackError(call);
    if constexpr (std::same_as<T, std::string>) {
        if (!serdes) co_return callback.result.value_or("");
    }
    Outcome<T> result;
    if (!call.decode(codec, callback.result, result)) co_await Never{};
    co_return result.take();
}

}  // namespace detail

/// An open callback: an id to hand out, and the result that will come.
template <class T>
class Callback {
public:
    Callback(OperationCall call, AnySerdes serdes)
        : call_{std::move(call)}, serdes_{std::move(serdes)} {}

    /// Unguessable; whoever has it can complete the callback through the engine.
    [[nodiscard]] const std::string& id() const { return call_.operation().details->callbackId; }

    /// Waits until someone completes the callback or its time is over.
    /// \throws CallbackTimeoutError, CallbackExternalError (from the task).
    [[nodiscard]] Task<T> result() const { return detail::awaitCallback<T>(call_, serdes_); }

private:
    OperationCall call_;
    AnySerdes serdes_;
};

namespace detail {

template <class T>
Task<Callback<T>> runCreateCallback(OperationCall call, CallbackConfig config) {
    co_await call.admitted();
    const bool isNew = !call.operation().recorded();
    call.recordStart([&](OperationUpdate& update) {
        const auto& services = call.invocation().services();
        const auto execution = call.invocation().identity().id;
        EntryDetails details{.heartbeatTimeout = config.heartbeatTimeout};
        if (isNew) details.callbackId = services.newCallbackId(execution, call.id());
        update.details = std::move(details);
        update.delay = config.timeout;
    });
    if (isNew) co_await call.written();
    co_return Callback<T>{std::move(call), std::move(config.serdes)};
}

/// \throws InvalidConfig
inline void requireTimeouts(std::optional<std::chrono::seconds> timeout,
                            std::optional<std::chrono::seconds> heartbeatTimeout,
                            const Limits& limits) {
    if (timeout) requireDuration("timeout", *timeout, limits);
    if (heartbeatTimeout) requireDuration("heartbeatTimeout", *heartbeatTimeout, limits);
}

}  // namespace detail

template <class T>
Task<Callback<T>> DurableContext::createCallback(std::string_view name, CallbackConfig config) {
    (void)Codec<T>{config.serdes};  // refuses a serdes of another type at the call
    detail::requireTimeouts(config.timeout, config.heartbeatTimeout,
                            invocation().services().limits);
    return detail::runCreateCallback<T>(
        nextCall(OperationType::callback, OperationSubType::callback, name), std::move(config));
}

template <class T>
Task<Callback<T>> DurableContext::createCallback(CallbackConfig config) {
    return createCallback<T>(std::string_view{}, std::move(config));
}

}  // namespace durable::inline v0
