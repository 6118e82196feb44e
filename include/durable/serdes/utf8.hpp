// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace durable::inline v0 {

namespace detail {

/// Length of the well-formed UTF-8 sequence at the start of `text`, or 0.
/// Source: Unicode 15, table 3-7.
[[nodiscard]] constexpr std::size_t utf8SequenceLength(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto continues = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xBF) {
        return byte(i) >= least && byte(i) <= most;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const bool second = first == 0xE0   ? continues(1, 0xA0)
                            : first == 0xED ? continues(1, 0x80, 0x9F)
                                            : continues(1);
        return second && continues(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool second = first == 0xF0   ? continues(1, 0x90)
                            : first == 0xF4 ? continues(1, 0x80, 0x8F)
                                            : continues(1);
        return second && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

}  // namespace detail

/// Looks at every byte, for a loop without a way out is one that the compiler makes wide.
[[nodiscard]] constexpr bool isAscii(std::string_view text) {
    unsigned char all = 0;
    for (const char c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
    return all < 0x80;
}

[[nodiscard]] constexpr bool isUtf8(std::string_view text) {
    if (isAscii(text)) return true;
    while (!text.empty()) {
        const auto length = detail::utf8SequenceLength(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// `text` with U+FFFD in the place of each byte that belongs to no character.
[[nodiscard]] inline std::string withValidUtf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const auto length = detail::utf8SequenceLength(text);
        if (length == 0) {
            valid += "\xEF\xBF\xBD";
            text.remove_prefix(1);
        } else {
            valid += text.substr(0, length);
            text.remove_prefix(length);
        }
    }
    return valid;
}

}  // namespace durable::inline v0
