// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/step_context.hpp>
#include <durable/coro/body_run.hpp>
#include <durable/coro/task.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

/// \file
/// What the callables that authors pass in return, and whether they may be passed at all.

namespace durable::inline v0 {

class DurableContext;

namespace detail {

/// The result of a step body: `T()`, `T(StepContext&)`, or either as an `asio::awaitable<T>`, with
/// `Args` before the context.
template <class Body, class... Args>
struct StepBody {
    static constexpr bool takesContext = std::is_invocable_v<Body&, Args..., StepContext&>;
    static_assert(takesContext || std::is_invocable_v<Body&, Args...>,
                  "A step body must be callable without arguments or with a StepContext&.");

    /// By value also where `body` returns a reference: the result outlives what it refers to.
    static auto call(Body& body, StepContext& context, Args... args) {
        if constexpr (takesContext) {
            return body(std::forward<Args>(args)..., context);
        } else {
            return body(std::forward<Args>(args)...);
        }
    }

    using Returned = decltype(call(std::declval<Body&>(), std::declval<StepContext&>(),
                                   std::declval<Args>()...));
    using Result = std::remove_cvref_t<typename BodyResult<std::remove_cvref_t<Returned>>::type>;
    static_assert(!isTask<Result>,
                  "A step body has no durable operations: it must not return a durable::Task. Use "
                  "ctx.runInChildContext(name, body) to group durable operations.");
};

/// The result of a coroutine that gets a context: `Task<T>(DurableContext&, Args...)`.
template <class Body, class... Args>
struct ContextBody {
    static_assert(std::is_invocable_v<Body&, DurableContext&, Args...>,
                  "The body must be callable with a DurableContext& and, for map, an item, and "
                  "optionally its index.");
    using Returned = std::invoke_result_t<Body&, DurableContext&, Args...>;
    static_assert(isTask<Returned>, "The body must return a durable::Task.");
    using Result = typename Returned::value_type;
};

template <class Body, class... Args>
using StepResult = typename StepBody<Body, Args...>::Result;

template <class Body, class... Args>
using ContextResult = typename ContextBody<Body, Args...>::Result;

/// What a body of `withRetry` returns: the task of one attempt.
template <class Body>
struct RetryBody {
    using type = std::invoke_result_t<Body&, DurableContext&>;
};
template <class Body>
    requires std::is_invocable_v<Body&, DurableContext&, std::uint32_t>
struct RetryBody<Body> {
    using type = std::invoke_result_t<Body&, DurableContext&, std::uint32_t>;
};
template <class Body>
using RetryTask = typename RetryBody<Body>::type;

/// The item, to which the frame of a body may refer for as long as `items` lives; those of a
/// `vector<bool>` are no objects.
template <class Items>
const auto& itemAt(const Items& items, std::size_t index) {
    if constexpr (std::is_same_v<typename Items::value_type, bool>) {
        static constexpr bool values[]{false, true};
        return values[items[index] ? 1 : 0];
    } else {
        return items[index];
    }
}

/// Calls a map's body with as many of (context, item, index, items) as it takes.
template <class Body, class Items>
decltype(auto) callMapBody(Body& body, DurableContext& context, const Items& items,
                           std::size_t index) {
    const auto& item = itemAt(items, index);
    if constexpr (std::is_invocable_v<Body&, DurableContext&, decltype(item), std::size_t,
                                      const Items&>) {
        return body(context, item, index, items);
    } else if constexpr (std::is_invocable_v<Body&, DurableContext&, decltype(item), std::size_t>) {
        return body(context, item, index);
    } else {
        static_assert(std::is_invocable_v<Body&, DurableContext&, decltype(item)>,
                      "A map's body must be callable with (DurableContext&, const Item&) and "
                      "optionally the index as std::size_t.");
        return body(context, item);
    }
}

}  // namespace detail

}  // namespace durable::inline v0
