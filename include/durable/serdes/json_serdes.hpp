// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/serdes/json_integers.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/serdes/parse_json.hpp>
#include <durable/serdes/payload.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <concepts>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// \file
/// The default way from a value to text: JSON through `to_json` and `from_json`. Integers,
/// booleans and plain text go directly, since `nlohmann::json` would be most of their cost.

namespace durable::inline v0 {

namespace detail {

template <class T>
concept PlainInteger =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
    !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
    !std::same_as<T, char32_t> && sizeof(T) <= sizeof(long long);

template <class T>
concept JsonDocument = std::same_as<T, nlohmann::json> || std::same_as<T, nlohmann::ordered_json>;

template <class T>
inline constexpr bool isTuple = false;
template <class... Ts>
inline constexpr bool isTuple<std::tuple<Ts...>> = true;
template <class A, class B>
inline constexpr bool isTuple<std::pair<A, B>> = true;

/// Refuses a document that is too deep before anything copies it, in standard containers at any
/// depth as well.
/// \throws SerdesError
template <class T>
void requireDocumentDepths([[maybe_unused]] const T& value) {
    if constexpr (JsonDocument<T>) {
        requireJsonDepth(value);
    } else if constexpr (OptionalLike<T>) {
        if (value.has_value()) requireDocumentDepths(value.value());
    } else if constexpr (isTuple<T>) {
        std::apply([](const auto&... elements) { (requireDocumentDepths(elements), ...); }, value);
    } else if constexpr (ContainerLike<T> && std::ranges::range<const T>) {
        for (const auto& element : value) requireDocumentDepths(element);
    }
}

}  // namespace detail

/// \throws SerdesError if `value` has no JSON, such as text that is not UTF-8, or too deep JSON.
template <class T>
[[nodiscard]] std::string toJsonText(const T& value) {
    if constexpr (std::same_as<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (detail::PlainInteger<T>) {
        return std::to_string(value);
    } else {
        if constexpr (std::same_as<T, std::string>) {
            if (isPlainText(value)) return '"' + value + '"';
        }
        try {
            detail::requireDocumentDepths(value);
            const nlohmann::json json(value);
            requireJsonDepth(json);
            return json.dump();
        } catch (const std::exception& error) {
            throw SerdesError{error.what()};
        }
    }
}

/// \throws SerdesError if `text` is not JSON, too deep, or not that of a `T`; also if a number in
///     it is out of range of where a `T` keeps it, in standard containers at any depth.
template <class T>
[[nodiscard]] T fromJsonText(const std::string& text) {
    if constexpr (detail::PlainInteger<T>) {
        T value{};
        const char* end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, value);
        if (read.ec == std::errc{} && read.ptr == end) return value;
    }
    if constexpr (std::same_as<T, std::string>) {
        const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
        const auto inside = quoted ? std::string_view{text}.substr(1, text.size() - 2) : "";
        if (quoted && isPlainText(inside)) return std::string{inside};
    }
    try {
        return detail::valueOf<T>(parseJson(text));
    } catch (const std::exception& error) {
        throw SerdesError{error.what()};
    }
}

}  // namespace durable::inline v0
