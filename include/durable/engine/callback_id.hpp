// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/store.hpp>

#include <fmt/core.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

/// \file
/// Ids of callbacks: where the callback is, and 128 random bits that only its owner knows. Made of
/// characters of the base64 alphabet, as AWS demands: `12x1x4x` and 32 hexadecimal digits.

namespace durable::inline v0 {

/// The operation that a callback id names.
struct CallbackPlace {
    ExecutionId execution{};
    std::string operationId{};
};

[[nodiscard]] inline std::string newCallbackId(ExecutionId execution,
                                               std::string_view operationId) {
    std::string place{operationId};
    std::ranges::replace(place, '-', 'x');
    std::array<std::uint64_t, 2> random{};  // of the operating system
    if (::getentropy(random.data(), sizeof random) != 0) {
        throw std::system_error{errno, std::generic_category(), "getentropy"};
    }
    return fmt::format("{}x{}x{:016x}{:016x}", execution, place, random[0], random[1]);
}

/// Empty if `id` is not a callback id. Whether the random part is right is for the journal to say.
[[nodiscard]] inline std::optional<CallbackPlace> callbackPlaceOf(std::string_view id) {
    const auto first = id.find('x');
    const auto last = id.rfind('x');
    if (first == std::string_view::npos || first == last) return std::nullopt;
    CallbackPlace place;
    const auto read = std::from_chars(id.data(), id.data() + first, place.execution);
    if (read.ec != std::errc{} || read.ptr != id.data() + first) return std::nullopt;
    if (place.execution < 1 || last == first + 1) return std::nullopt;
    place.operationId = id.substr(first + 1, last - first - 1);
    std::ranges::replace(place.operationId, 'x', '-');
    return place;
}

/// Compares in a time that does not tell how much is equal.
[[nodiscard]] inline bool equalSecrets(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        difference |= static_cast<unsigned char>(left[i]) ^ static_cast<unsigned char>(right[i]);
    }
    return difference == 0;
}

}  // namespace durable::inline v0
