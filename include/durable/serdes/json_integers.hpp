// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// \file
/// Numbers that fit. `nlohmann::json` cuts a number to the integer that is wanted, which is
/// undefined for a fraction beyond its range: so it is asked only where the number fits.

namespace durable::inline v0::detail {

/// Characters as well: their JSON is a number.
template <class T>
concept JsonInteger = std::integral<T> && !std::same_as<T, bool> && sizeof(T) <= sizeof(long long);

/// A document, or a template of one. Since nlohmann_json 3.11.3 the library's own functions for all
/// containers are found beside it.
template <class T>
struct MentionsJson : nlohmann::detail::is_basic_json<T> {};
template <template <class...> class Of, class... Ts>
struct MentionsJson<Of<Ts...>> : std::disjunction<MentionsJson<Ts>...> {};
template <template <class, std::size_t, class...> class Of, class T, std::size_t n, class... Ts>
struct MentionsJson<Of<T, n, Ts...>> : std::disjunction<MentionsJson<T>, MentionsJson<Ts>...> {};

/// Stands for a document where a function beside another type is looked for.
struct AnyJson {
    template <class Json>
    operator const Json&() const;  // NOLINT(google-explicit-constructor)
};

/// Has a `from_json` beside it, which says what its JSON is.
template <class T>
concept HasFromJson =
    !MentionsJson<T>::value && requires(const AnyJson& json, T& value) { from_json(json, value); };

/// Not `nullptr`, which is convertible but no text: its JSON is `null`.
template <class T>
concept TextLike = std::convertible_to<const T&, std::string_view> &&
                   !std::same_as<std::remove_cv_t<T>, std::nullptr_t>;

template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; } && !std::ranges::range<T>;

template <class T>
concept OptionalLike = requires(T value) {
    typename T::value_type;
    value.has_value();
    value.reset();
};

/// A type that holds itself, such as `nlohmann::json` or a path, is no container of others.
template <class T>
concept ContainerLike = std::ranges::range<T> && !TextLike<T> && requires {
    typename T::value_type;
} && !std::same_as<typename T::value_type, T>;

template <class T>
concept MapLike = ContainerLike<T> && requires { typename T::mapped_type; };

/// The number, where `json` is one that `T` can hold.
template <JsonInteger T, class Json>
[[nodiscard]] T integerOf(const Json& json) {
    if (json.is_number_unsigned()) {
        const auto value = json.template get<std::uint64_t>();
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
        if (value <= most) return static_cast<T>(value);
    } else if (json.is_number_integer()) {  // a negative one, unless an author made the document
        const auto value = json.template get<std::int64_t>();
        constexpr auto least = static_cast<std::int64_t>(std::numeric_limits<T>::min());
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
        const bool fits = value < 0 ? value >= least : static_cast<std::uint64_t>(value) <= most;
        if (fits) return static_cast<T>(value);
    }
    throw SerdesError{"not an integer of this range: " +
                      (json.is_number() ? json.dump() : std::string{json.type_name()})};
}

template <class T, class Json>
void requireIntegersFit(const Json& json);

template <class Tuple, class Json, std::size_t... Is>
void requireElementsFit(const Json& json, std::index_sequence<Is...>) {
    const auto requireFit = [&]<std::size_t i>() {
        if (i < json.size())
            requireIntegersFit<std::remove_cv_t<std::tuple_element_t<i, Tuple>>>(json[i]);
    };
    (requireFit.template operator()<Is>(), ...);
}

/// Refuses a number in `json` that is too large for its place in a `T`, in containers, tuples and
/// optionals at any depth. What does not even look like a `T` is left to `nlohmann::json`, and
/// what a type's own `from_json` reads is left to that.
/// \throws SerdesError
template <class T, class Json>
void requireIntegersFit([[maybe_unused]] const Json& json) {
    if constexpr (HasFromJson<T>) {
        return;
    } else if constexpr (JsonInteger<T>) {
        if (json.is_number() || json.is_boolean()) (void)integerOf<T>(json);
    } else if constexpr (std::is_enum_v<T>) {
        requireIntegersFit<std::underlying_type_t<T>>(json);
    } else if constexpr (OptionalLike<T>) {
        requireIntegersFit<typename T::value_type>(json);
    } else if constexpr (TupleLike<T>) {
        if (!json.is_array()) return;
        requireElementsFit<T>(json, std::make_index_sequence<std::tuple_size_v<T>>{});
    } else if constexpr (MapLike<T>) {
        // An object if the keys are text, else an array of pairs.
        for (const Json& element : json) {
            if (json.is_object()) requireIntegersFit<typename T::mapped_type>(element);
            if (json.is_array()) requireIntegersFit<typename T::value_type>(element);
        }
    } else if constexpr (ContainerLike<T>) {
        if (!json.is_array()) return;
        for (const Json& element : json) requireIntegersFit<typename T::value_type>(element);
    }
}

/// \throws SerdesError if a number does not fit; what `nlohmann::json` throws.
template <class T, class Json>
[[nodiscard]] T valueOf(const Json& json) {
    if constexpr (JsonInteger<T>) {
        return integerOf<T>(json);
    } else {
        requireIntegersFit<T>(json);
        return json.template get<T>();
    }
}

}  // namespace durable::inline v0::detail
