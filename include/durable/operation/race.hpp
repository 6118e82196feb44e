// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/first_of.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

template <class First, class... Rest>
Task<detail::OneOf<First, Rest...>> DurableContext::race(std::string_view name, Task<First> first,
                                                         Task<Rest>... rest) {
    return detail::firstOf(nextGroup(name), detail::Combining::race, std::move(first),
                           std::move(rest)...);
}

template <class First, class... Rest>
Task<detail::OneOf<First, Rest...>> DurableContext::race(Task<First> first, Task<Rest>... rest) {
    return race(std::string_view{}, std::move(first), std::move(rest)...);
}

template <class T>
Task<T> DurableContext::race(std::string_view name, std::vector<Task<T>> operations) {
    if (operations.empty()) throw InvalidConfig{"race must be given at least one operation"};
    return detail::runFirst<T>(nextGroup(name), detail::Combining::race, std::move(operations));
}

template <class T>
Task<T> DurableContext::race(std::vector<Task<T>> operations) {
    return race(std::string_view{}, std::move(operations));
}

}  // namespace durable::inline v0
