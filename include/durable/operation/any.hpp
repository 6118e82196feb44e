// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/first_of.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

template <class First, class... Rest>
Task<detail::OneOf<First, Rest...>> DurableContext::any(std::string_view name, Task<First> first,
                                                        Task<Rest>... rest) {
    return detail::firstOf(nextGroup(name), detail::Combining::any, std::move(first),
                           std::move(rest)...);
}

template <class First, class... Rest>
Task<detail::OneOf<First, Rest...>> DurableContext::any(Task<First> first, Task<Rest>... rest) {
    return any(std::string_view{}, std::move(first), std::move(rest)...);
}

template <class T>
Task<T> DurableContext::any(std::string_view name, std::vector<Task<T>> operations) {
    if (operations.empty()) throw InvalidConfig{"any must be given at least one operation"};
    return detail::runFirst<T>(nextGroup(name), detail::Combining::any, std::move(operations));
}

template <class T>
Task<T> DurableContext::any(std::vector<Task<T>> operations) {
    return any(std::string_view{}, std::move(operations));
}

}  // namespace durable::inline v0
