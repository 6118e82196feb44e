// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/combination.hpp>

#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace detail {

template <class... Ts>
Task<std::tuple<Combined<Ts>...>> runAll(OperationCall call, std::tuple<Task<Ts>...> operations) {
    auto running = runCombination(call, {.kind = Combining::all}, asTexts(call, operations));
    const auto record = co_await std::move(running);
    std::optional<std::tuple<Combined<Ts>...>> results;
    const bool readBack = call.orHalt("could not be read back", [&] {
        auto text = record.settled.begin();
        results.emplace(std::tuple<Combined<Ts>...>{fromText<Ts>(call, (text++)->value)...});
    });
    if (!readBack) co_await Never{};
    co_return std::move(*results);
}

template <class T>
Task<ListOf<T, std::vector<Combined<T>>>> runAllOf(OperationCall call,
                                                   std::vector<Task<T>> operations) {
    auto running = runCombination(call, {.kind = Combining::all}, asTexts(call, operations));
    const auto record = co_await std::move(running);
    if constexpr (!std::is_void_v<T>) {
        std::vector<T> results;
        const bool readBack = call.orHalt("could not be read back", [&] {
            for (const auto& each : record.settled) {
                results.push_back(fromText<T>(call, each.value));
            }
        });
        if (!readBack) co_await Never{};
        co_return results;
    }
}

}  // namespace detail

template <class... Ts>
    requires(sizeof...(Ts) > 0)
Task<std::tuple<detail::Combined<Ts>...>> DurableContext::all(std::string_view name,
                                                              Task<Ts>... operations) {
    return detail::runAll<Ts...>(nextGroup(name),
                                 std::tuple<Task<Ts>...>{std::move(operations)...});
}

template <class... Ts>
    requires(sizeof...(Ts) > 0)
Task<std::tuple<detail::Combined<Ts>...>> DurableContext::all(Task<Ts>... operations) {
    return all(std::string_view{}, std::move(operations)...);
}

template <class T>
Task<detail::ListOf<T, std::vector<detail::Combined<T>>>> DurableContext::all(
    std::string_view name, std::vector<Task<T>> operations) {
    return detail::runAllOf<T>(nextGroup(name), std::move(operations));
}

template <class T>
Task<detail::ListOf<T, std::vector<detail::Combined<T>>>> DurableContext::all(
    std::vector<Task<T>> operations) {
    return all(std::string_view{}, std::move(operations));
}

}  // namespace durable::inline v0
