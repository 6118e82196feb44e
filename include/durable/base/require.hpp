// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

/// \file
/// One wording for every option that is out of range.

namespace durable::inline v0 {

/// \throws InvalidConfig "`field` must be from `least` to `most`, got `value`".
template <class Value>
void requireRange(std::string_view field, const Value& value, const Value& least,
                  const Value& most) {
    if (value >= least && value <= most) return;
    throw InvalidConfig{fmt::format("{} must be from {} to {}, got {}", field, least, most, value)};
}

/// An empty value is always in range: it means that the option does not count.
template <class Value>
void requireRange(std::string_view field, const std::optional<Value>& value, const Value& least,
                  const Value& most) {
    if (value) requireRange(field, *value, least, most);
}

/// \throws InvalidConfig "`field` must be at least `least`, got `value`".
template <class Value>
void requireAtLeast(std::string_view field, const Value& value, const Value& least) {
    if (value >= least) return;
    throw InvalidConfig{fmt::format("{} must be at least {}, got {}", field, least, value)};
}

/// Source: AWS Lambda API, DurableOperationName.
inline constexpr std::size_t nameLengthMax = 256;

/// A name is empty (no name) or 1 to `nameLengthMax` printable ASCII characters.
inline void requireName(std::string_view field, std::string_view name) {
    if (name.size() > nameLengthMax) {
        throw InvalidConfig{fmt::format("{} must be at most {} characters, got {}", field,
                                        nameLengthMax, name.size())};
    }
    const auto printable = [](unsigned char c) { return c >= 0x20 && c <= 0x7E; };
    if (!std::ranges::all_of(name, printable)) {
        throw InvalidConfig{fmt::format("{} must be printable ASCII characters", field)};
    }
}

}  // namespace durable::inline v0
