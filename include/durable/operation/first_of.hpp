// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/combination.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// \file
/// What `any` and `race` share: one of the operations gives the result.

namespace durable::inline v0 {

namespace detail {

/// The value of the operation at `index`, in its place of the variant.
template <class Variant, class... Ts, std::size_t... Is>
[[nodiscard]] Variant variantFromText(const OperationCall& call, const WinnerText& winner,
                                      std::index_sequence<Is...>) {
    using Read = Variant (*)(const OperationCall&, const Payload&);
    constexpr std::array<Read, sizeof...(Ts)> readers{
        [](const OperationCall& c, const Payload& text) -> Variant {
            return Variant{std::in_place_index<Is>, fromText<Ts>(c, text)};
        }...};
    return readers[winner.index](call, winner.value);
}

template <class T, class Operations>
Task<T> runFirst(OperationCall call, Combining kind, Operations operations) {
    auto running =
        runCombination(call, {.kind = kind, .ofOneType = true}, asTexts(call, operations));
    const auto record = co_await std::move(running);
    if constexpr (!std::is_void_v<T>) {
        std::optional<T> result;
        const bool readBack = call.orHalt("could not be read back", [&] {
            result.emplace(fromText<T>(call, record.winner.value));
        });
        if (!readBack) co_await Never{};
        co_return std::move(*result);
    }
}

template <class... Ts>
Task<std::variant<Combined<Ts>...>> runFirstOfTypes(OperationCall call, Combining kind,
                                                    std::tuple<Task<Ts>...> operations) {
    using Variant = std::variant<Combined<Ts>...>;
    auto running =
        runCombination(call, {.kind = kind, .ofOneType = false}, asTexts(call, operations));
    const auto record = co_await std::move(running);
    std::optional<Variant> result;
    const bool readBack = call.orHalt("could not be read back", [&] {
        result.emplace(
            variantFromText<Variant, Ts...>(call, record.winner, std::index_sequence_for<Ts...>{}));
    });
    if (!readBack) co_await Never{};
    co_return std::move(*result);
}

template <class First, class... Rest>
Task<OneOf<First, Rest...>> firstOf(OperationCall call, Combining kind, Task<First> first,
                                    Task<Rest>... rest) {
    std::tuple<Task<First>, Task<Rest>...> operations{std::move(first), std::move(rest)...};
    if constexpr ((std::is_same_v<First, Rest> && ...)) {
        return runFirst<First>(std::move(call), kind, std::move(operations));
    } else {
        return runFirstOfTypes<First, Rest...>(std::move(call), kind, std::move(operations));
    }
}

}  // namespace detail

}  // namespace durable::inline v0
