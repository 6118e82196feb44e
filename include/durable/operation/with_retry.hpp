// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/ask_retry_strategy.hpp>
#include <durable/operation/run_in_child_context.hpp>
#include <durable/operation/wait.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace durable::inline v0 {

namespace detail {

/// Calls a body with as many of (context, attempt) as it takes.
template <class Body>
decltype(auto) callRetryBody(Body& body, DurableContext& context, std::uint32_t attempt) {
    if constexpr (std::is_invocable_v<Body&, DurableContext&, std::uint32_t>) {
        return body(context, attempt);
    } else {
        static_assert(std::is_invocable_v<Body&, DurableContext&>,
                      "The body of withRetry must be callable with a DurableContext& and "
                      "optionally the number of the attempt.");
        return body(context);
    }
}

/// The delay before the next attempt, or empty if there is none. A strategy that throws ends it
/// with its own exception.
[[nodiscard]] inline std::optional<std::chrono::seconds> delayAfter(const RetryStrategy& strategy,
                                                                    const DurableContext& context,
                                                                    std::exception_ptr& failure,
                                                                    std::uint32_t attempt) {
    auto error = errorObjectOf(failure);
    const auto decision = askRetryStrategy(strategy, error, failure, attempt,
                                           context.invocation().services().random());
    return decision.delay();
}

/// The name of the wait after an attempt. A name that leaves no room for the number is cut.
[[nodiscard]] inline std::string backoffName(const std::string& name, std::uint32_t attempt) {
    if (name.empty()) return {};
    const auto suffix = fmt::format("-backoff-{}", attempt);
    return name.substr(0, nameLengthMax - suffix.size()) + suffix;
}

/// Runs `body` until it succeeds or the strategy gives up. `body` and `strategy` outlive it.
template <class T, class Body>
Task<T> retryBlock(DurableContext& context, std::string name, const RetryStrategy& strategy,
                   Body& body) {
    for (std::uint32_t attempt = 1;; ++attempt) {
        Outcome<T> outcome;
        try {
            auto running = callRetryBody(body, context, attempt);
            if constexpr (std::is_void_v<T>) {
                co_await std::move(running);
                outcome.setValue();
            } else {
                auto value = co_await std::move(running);
                outcome.setValue(std::move(value));
            }
        } catch (...) {
            outcome.setException(std::current_exception());
        }
        if (outcome.succeeded()) co_return outcome.take();
        auto failure = outcome.exception();
        const auto delay = delayAfter(strategy, context, failure, attempt);
        if (!delay) std::rethrow_exception(failure);
        co_await waitFor(context, backoffName(name, attempt), *delay, WaitLength::drawn);
    }
}

/// The same, keeping what it needs.
template <class T, class Body>
Task<T> retryHere(DurableContext& context, std::string name, RetryStrategy strategy, Body body) {
    auto running = retryBlock<T>(context, std::move(name), strategy, body);
    co_return co_await std::move(running);
}

}  // namespace detail

template <class Body>
detail::RetryTask<Body> DurableContext::withRetry(std::string_view name, Body body,
                                                  WithRetryConfig config) {
    using T = typename detail::RetryTask<Body>::value_type;
    if (!config.retryStrategy) throw InvalidConfig{"retryStrategy must be set"};
    requireName("name", name);
    if (!config.wrapWithRunInChildContext) {
        requireOwnCode({.type = OperationType::context,
                        .subType = OperationSubType::runInChildContext,
                        .name = name});
        return detail::retryHere<T>(*this, std::string{name}, std::move(config.retryStrategy),
                                    std::move(body));
    }
    auto block = [name = std::string{name}, strategy = std::move(config.retryStrategy),
                  body = std::move(body)](DurableContext& child) mutable -> Task<T> {
        return detail::retryBlock<T>(child, name, strategy, body);
    };
    return runInChildContext(name, std::move(block), std::move(config.childContext));
}

template <class Body>
    requires(!std::convertible_to<Body, std::string_view>)
detail::RetryTask<Body> DurableContext::withRetry(Body body, WithRetryConfig config) {
    return withRetry(std::string_view{}, std::move(body), std::move(config));
}

}  // namespace durable::inline v0
