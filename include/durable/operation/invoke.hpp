// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>

#include <string>
#include <utility>

namespace durable::inline v0 {

namespace detail {

template <class T, class Input>
Task<T> runInvoke(OperationCall call, std::string handlerName, InvokeConfig config, Input input) {
    co_await call.admitted();
    const Operation& invoked = call.operation();
    if (!invoked.recorded() || call.invocation().trace() != nullptr) {
        Payload payload;
        if (!call.encode(Codec<Input>{config.payloadSerdes}, input, payload)) co_await Never{};
        const bool isNew = call.recordStart([&](OperationUpdate& update) {
            const auto& own = call.invocation().identity().tenantId;
            update.details =
                EntryDetails{.handlerName = std::move(handlerName),
                             .tenantId = config.tenantId.empty() ? own : config.tenantId};
            update.payload = std::move(payload);
        });
        if (isNew) co_await call.written();
    }
    while (call.awaitsWorld()) co_await call.changed();
    if (invoked.status != OperationStatus::succeeded) throw InvokeError{call.error()};
    Outcome<T> result;
    if (!call.decode(Codec<T>{config.resultSerdes}, invoked.result, result)) co_await Never{};
    co_return result.take();
}

}  // namespace detail

template <class T, class Input>
Task<T> DurableContext::invoke(std::string_view name, std::string_view handlerName, Input input,
                               InvokeConfig config) {
    if constexpr (detail::TextLike<Input> && !std::same_as<Input, std::string>) {
        return invoke<T>(name, handlerName, std::string{input}, std::move(config));
    } else {
        (void)Codec<T>{config.resultSerdes};  // refuses a serdes of another type at the call
        (void)Codec<Input>{config.payloadSerdes};
        return detail::runInvoke<T>(
            nextCall(OperationType::chainedInvoke, OperationSubType::chainedInvoke, name),
            std::string{handlerName}, std::move(config), std::move(input));
    }
}

template <class T, class Input>
Task<T> DurableContext::invoke(std::string_view handlerName, Input input, InvokeConfig config) {
    return invoke<T>(std::string_view{}, handlerName, std::move(input), std::move(config));
}

}  // namespace durable::inline v0
