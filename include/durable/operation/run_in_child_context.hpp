// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/child_context.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace durable::inline v0 {

namespace detail {

/// Awaits the author's code and gives its value as text, or suspends for good if it has none.
template <class T>
Task<Payload> encoded(const OperationCall& call, const Codec<T>& codec, Task<T> code) {
    Payload payload;
    if constexpr (std::is_void_v<T>) {
        co_await std::move(code);
    } else {
        const T value = co_await std::move(code);
        if (!call.encode(codec, value, payload)) co_await Never{};
    }
    co_return payload;
}

template <class T, class Body>
Task<T> runChildContext(OperationCall call, ChildContextConfig config, Body body) {
    const Codec<T> codec{config.serdes};
    const ContextOptions options{.summaryGenerator = config.summaryGenerator,
                                 .isVirtual = config.virtualContext};
    Payload payload;
    std::exception_ptr failure;
    try {
        auto running = runContext(call, options, [&](DurableContext& context) {
            return encoded<T>(call, codec, body(context));
        });
        payload = co_await std::move(running);
    } catch (const ChildContextError& error) {
        const RunLoop::Enter outside{nullptr};
        if (config.errorMapper) failure = config.errorMapper(error.error());
        if (!failure) failure = std::current_exception();
    }
    if (failure) std::rethrow_exception(failure);
    Outcome<T> result;
    if (!call.decode(codec, payload, result)) co_await Never{};
    co_return result.take();
}

}  // namespace detail

template <class Body>
Task<detail::ContextResult<Body>> DurableContext::runInChildContext(std::string_view name,
                                                                    Body body,
                                                                    ChildContextConfig config) {
    using Result = detail::ContextResult<Body>;
    (void)Codec<Result>{config.serdes};  // refuses a serdes of another type at the call
    return detail::runChildContext<Result>(
        nextCall(OperationType::context, OperationSubType::runInChildContext, name),
        std::move(config), std::move(body));
}

template <class Body>
    requires(!std::convertible_to<Body, std::string_view>)
Task<detail::ContextResult<Body>> DurableContext::runInChildContext(Body body,
                                                                    ChildContextConfig config) {
    return runInChildContext(std::string_view{}, std::move(body), std::move(config));
}

}  // namespace durable::inline v0
