// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/serdes/json_text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

/// \file
/// The one way from text to a JSON document. `nlohmann::json` parses any depth, but copies, writes
/// and converts by recursion: text of some 100 KB from outside would end the stack, at every
/// replay again.

namespace durable::inline v0 {

/// How deep JSON may be nested: `[{"a":1}]` is two deep. Far more than anybody writes; little
/// enough for recursion on a stack of 8 MiB, in an author's `from_json` as well, whatever the
/// compiler's options.
inline constexpr std::size_t jsonDepthMax = 512;

namespace detail {

[[nodiscard]] constexpr bool opensNesting(char c) { return c == '[' || c == '{'; }
[[nodiscard]] constexpr bool closesNesting(char c) { return c == ']' || c == '}'; }

/// Whether `json` has more than `count` opening brackets, those inside of strings included.
/// Compilers look at many characters at once.
[[nodiscard]] constexpr bool hasMoreOpenings(std::string_view json, std::size_t count) {
    constexpr std::size_t blockLength = 255;  // what the narrow counter can count
    std::size_t found = 0;
    while (!json.empty() && found <= count) {
        unsigned char inBlock = 0;
        for (const char c : json.substr(0, blockLength)) {
            inBlock = static_cast<unsigned char>(inBlock + ((c | 0x20) == '{' ? 1 : 0));
        }
        found += inBlock;
        json.remove_prefix(std::min(json.size(), blockLength));
    }
    return found > count;
}

/// What follows the string whose opening quote ends before `json`.
[[nodiscard]] inline std::string_view afterString(std::string_view json) {
    char last = '\0';
    while (!json.empty() && last != '"') {
        const auto length = std::min(lengthWithoutEscape(json), json.size() - 1);
        last = json[length];
        json.remove_prefix(std::min(json.size(), length + (last == '\\' ? 2 : 1)));
    }
    return json;
}

/// Whether a parser that reads `json` meets deeper nesting. Text that is not JSON may be either.
[[nodiscard]] inline bool isDeeperThan(std::size_t depthMax, std::string_view json) {
    if (json.size() <= depthMax || !hasMoreOpenings(json, depthMax)) return false;
    std::size_t depth = 0;
    while (!json.empty()) {
        const char c = json.front();
        json.remove_prefix(1);
        if (opensNesting(c) && ++depth > depthMax) return true;
        if (closesNesting(c) && depth-- == 0) return false;
        if (c == '"') json = afterString(json);
    }
    return false;
}

template <class Json>
[[nodiscard]] bool isDeeperThan(std::size_t depthMax, const Json& document)
    requires requires { document.is_structured(); }
{
    if (!document.is_structured()) return false;
    if (depthMax == 0) return true;
    return std::ranges::any_of(
        document, [&](const Json& element) { return isDeeperThan(depthMax - 1, element); });
}

}  // namespace detail

/// \param json text or document.
/// \throws SerdesError if it is nested deeper than `jsonDepthMax`.
template <class Json>
void requireJsonDepth(const Json& json) {
    if (detail::isDeeperThan(jsonDepthMax, json)) {
        throw SerdesError{"JSON must be nested at most " + std::to_string(jsonDepthMax) +
                          " deep, this is deeper"};
    }
}

/// The document in `text`. For text from outside in your own steps as well.
/// \throws SerdesError if it is nested deeper than `jsonDepthMax`; nlohmann::json::parse_error.
template <class Json = nlohmann::json>
[[nodiscard]] Json parseJson(std::string_view text) {
    requireJsonDepth(text);
    return Json::parse(text);
}

}  // namespace durable::inline v0
