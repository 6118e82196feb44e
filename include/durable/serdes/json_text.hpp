// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error_object.hpp>
#include <durable/serdes/utf8.hpp>

#include <nlohmann/json.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

/// \file
/// Appending JSON to text. Entries are written once per operation, so they do without a document
/// in between.

namespace durable::inline v0 {

namespace detail {

/// Whether the byte stands for itself in a JSON string, or is part of a character that does.
/// Without a jump, so that compilers look at many bytes at once.
[[nodiscard]] constexpr bool needsNoEscape(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return static_cast<bool>(static_cast<int>(byte >= 0x20) & static_cast<int>(byte != 0x7F) &
                             static_cast<int>(byte != '"') & static_cast<int>(byte != '\\'));
}

/// The first of eight bytes that needs an escape; 8 if none does.
[[nodiscard]] inline std::size_t firstEscapeOfEight(const char* bytes) {
    std::size_t first = 0;
    if constexpr (std::endian::native == std::endian::little) {
        // Each test marks the top bit of a byte that meets it. What it marks falsely comes after.
        constexpr std::uint64_t each = 0x0101'0101'0101'0101;
        std::uint64_t word{};
        std::memcpy(&word, bytes, sizeof word);
        const auto isBelow = [](std::uint64_t value, std::uint64_t limit) {
            return (value - each * limit) & ~value;
        };
        const auto is = [&](char c) {
            return isBelow(word ^ (each * static_cast<unsigned char>(c)), 1);
        };
        const auto found = (isBelow(word, 0x20) | is(0x7F) | is('"') | is('\\')) & (each * 0x80);
        first = static_cast<std::size_t>(std::countr_zero(found)) / 8;
    } else {
        while (first < 8 && needsNoEscape(bytes[first])) ++first;
    }
    return first;
}

/// The length of the part of `text` before the first byte that needs an escape.
[[nodiscard]] inline std::size_t lengthWithoutEscape(std::string_view text) {
    std::size_t length = 0;
    while (length + 8 <= text.size()) {
        const auto first = firstEscapeOfEight(text.data() + length);
        length += first;
        if (first < 8) return length;
    }
    while (length < text.size() && needsNoEscape(text[length])) ++length;
    return length;
}

inline void appendEscaped(std::string& json, char c) {
    switch (c) {
        case '"': json += "\\\""; return;
        case '\\': json += "\\\\"; return;
        case '\n': json += "\\n"; return;
        case '\r': json += "\\r"; return;
        case '\t': json += "\\t"; return;
        default: break;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    json += "\\u00";
    json += digits[byte >> 4U];
    json += digits[byte & 0xFU];
}

}  // namespace detail

/// Whether `text` is ASCII that stands for itself in a JSON string.
[[nodiscard]] constexpr bool isPlainText(std::string_view text) {
    bool plain = true;  // looks at every byte, as `isAscii`
    for (const char c : text) {
        plain &= detail::needsNoEscape(c);
        plain &= static_cast<unsigned char>(c) < 0x80;
    }
    return plain;
}

/// Appends `text` in quotes. Bytes that are not UTF-8 become U+FFFD: whatever an exception said,
/// it can be recorded.
inline void appendJsonString(std::string& json, std::string_view text) {
    const std::string repaired = isUtf8(text) ? std::string{} : withValidUtf8(text);
    if (!repaired.empty()) text = repaired;
    json += '"';
    while (true) {
        const auto length = detail::lengthWithoutEscape(text);
        json += text.substr(0, length);
        if (length == text.size()) break;
        detail::appendEscaped(json, text[length]);
        text.remove_prefix(length + 1);
    }
    json += '"';
}

/// Appends `"key":`, after a comma unless the object has just been opened.
inline void appendJsonKey(std::string& json, std::string_view key) {
    if (json.back() != '{') json += ',';
    json += '"';
    json += key;
    json += "\":";
}

inline void appendJsonMember(std::string& json, std::string_view key, std::string_view value) {
    appendJsonKey(json, key);
    appendJsonString(json, value);
}

/// Appends an error in AWS's spelling, with its causes.
inline void appendJson(std::string& json, const ErrorObject& error) {
    json += '{';
    if (error.type) appendJsonMember(json, "ErrorType", *error.type);
    if (error.message) appendJsonMember(json, "ErrorMessage", *error.message);
    if (error.data) appendJsonMember(json, "ErrorData", *error.data);
    if (!error.stackTrace.empty()) {
        appendJsonKey(json, "StackTrace");
        json += '[';
        for (const auto& line : error.stackTrace) {
            if (json.back() != '[') json += ',';
            appendJsonString(json, line);
        }
        json += ']';
    }
    if (error.cause) {
        appendJsonKey(json, "Cause");
        appendJson(json, *error.cause);
    }
    json += '}';
}

/// \throws std::exception if `json` is not an error.
template <class Json>
[[nodiscard]] ErrorObject errorFromJson(const Json& json, int causesMax = 1000) {
    if (!json.is_object() || causesMax == 0) throw std::invalid_argument{"impossible error"};
    ErrorObject error;
    const auto read = [&](const char* key, std::optional<std::string>& member) {
        if (json.contains(key)) member = json.at(key).template get<std::string>();
    };
    read("ErrorType", error.type);
    read("ErrorMessage", error.message);
    read("ErrorData", error.data);
    if (json.contains("StackTrace")) json.at("StackTrace").get_to(error.stackTrace);
    if (json.contains("Cause")) {
        error.cause =
            std::make_shared<const ErrorObject>(errorFromJson(json.at("Cause"), causesMax - 1));
    }
    return error;
}

}  // namespace durable::inline v0
