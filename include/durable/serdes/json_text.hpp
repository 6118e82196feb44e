// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error_object.hpp>
#include <durable/serdes/utf8.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

/// \file
/// Appending JSON to text. Entries are written once per operation, so they do without a document
/// in between.

namespace durable::inline v0 {

/// Appends `text` in quotes. Bytes that are not UTF-8 become U+FFFD: whatever an exception said,
/// it can be recorded.
inline void appendJsonString(std::string& json, std::string_view text) {
    const auto isPlain = [](unsigned char c) {
        return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
    };
    json += '"';
    const auto special = std::ranges::find_if_not(text, isPlain);
    if (special == text.end()) {
        json += text;
        json += '"';
        return;
    }
    const bool escapesSuffice = isUtf8(text);
    const std::string repaired = escapesSuffice ? std::string{} : withValidUtf8(text);
    for (const char c : escapesSuffice ? text : std::string_view{repaired}) {
        switch (c) {
            case '"': json += "\\\""; break;
            case '\\': json += "\\\\"; break;
            case '\n': json += "\\n"; break;
            case '\r': json += "\\r"; break;
            case '\t': json += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
                    constexpr std::string_view digits = "0123456789abcdef";
                    const auto byte = static_cast<unsigned char>(c);
                    json += "\\u00";
                    json += digits[byte >> 4U];
                    json += digits[byte & 0xFU];
                } else {
                    json += c;
                }
        }
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
