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
Task<std::tuple<Settled<Ts>...>> runAllSettled(OperationCall call,
                                               std::tuple<Task<Ts>...> operations) {
    auto running = runCombination(call, {.kind = Combining::allSettled}, asTexts(call, operations));
    const auto record = co_await std::move(running);
    std::optional<std::tuple<Settled<Ts>...>> results;
    const bool readBack = call.orHalt("could not be read back", [&] {
        auto text = record.settled.begin();
        results.emplace(std::tuple<Settled<Ts>...>{settledFromText<Ts>(call, *text++)...});
    });
    if (!readBack) co_await Never{};
    co_return std::move(*results);
}

template <class T>
Task<std::vector<Settled<T>>> runAllSettledOf(OperationCall call, std::vector<Task<T>> operations) {
    auto running = runCombination(call, {.kind = Combining::allSettled}, asTexts(call, operations));
    const auto record = co_await std::move(running);
    std::vector<Settled<T>> results;
    const bool readBack = call.orHalt("could not be read back", [&] {
        for (const auto& each : record.settled) results.push_back(settledFromText<T>(call, each));
    });
    if (!readBack) co_await Never{};
    co_return results;
}

}  // namespace detail

template <class... Ts>
    requires(sizeof...(Ts) > 0)
Task<std::tuple<Settled<Ts>...>> DurableContext::allSettled(std::string_view name,
                                                            Task<Ts>... operations) {
    return detail::runAllSettled<Ts...>(nextGroup(name),
                                        std::tuple<Task<Ts>...>{std::move(operations)...});
}

template <class... Ts>
    requires(sizeof...(Ts) > 0)
Task<std::tuple<Settled<Ts>...>> DurableContext::allSettled(Task<Ts>... operations) {
    return allSettled(std::string_view{}, std::move(operations)...);
}

template <class T>
Task<std::vector<Settled<T>>> DurableContext::allSettled(std::string_view name,
                                                         std::vector<Task<T>> operations) {
    return detail::runAllSettledOf<T>(nextGroup(name), std::move(operations));
}

template <class T>
Task<std::vector<Settled<T>>> DurableContext::allSettled(std::vector<Task<T>> operations) {
    return allSettled(std::string_view{}, std::move(operations));
}

}  // namespace durable::inline v0
