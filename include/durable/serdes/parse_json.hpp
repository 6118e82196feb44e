// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace durable::inline v0 {

/// Arrays and objects in each other that JSON may have, the outermost one counted. Reading a value
/// from JSON, copying and writing it go one call deeper for each, so text from outside could
/// otherwise end the process, and again each time it is read.
inline constexpr std::size_t jsonDepthMax = 512;

/// Whether the JSON in `text` has more arrays and objects in each other than that.
[[nodiscard]] inline bool isTooDeep(std::string_view text) {
    const auto opens = [](char c) { return c == '[' || c == '{'; };
    if (text.size() <= jsonDepthMax) return false;
    if (static_cast<std::size_t>(std::ranges::count_if(text, opens)) <= jsonDepthMax) return false;
    std::size_t depth = 0;
    bool inString = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inString) {
            if (c == '\\') ++i;
            if (c == '"') inString = false;
        } else if (c == '"') {
            inString = true;
        } else if (opens(c)) {
            if (++depth > jsonDepthMax) return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return false;
}

/// \throws std::exception if `text` is not JSON, or has too many arrays and objects in each other.
template <class Json = nlohmann::json>
[[nodiscard]] Json parseJson(std::string_view text) {
    if (isTooDeep(text)) {
        throw std::invalid_argument{"JSON with more than " + std::to_string(jsonDepthMax) +
                                    " arrays and objects in each other"};
    }
    return Json::parse(text);
}

}  // namespace durable::inline v0
