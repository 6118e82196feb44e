// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>

#include <algorithm>
#include <cctype>
#include <string>

/// \file
/// Serdes that several requirements use.

inline std::string upperCase(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
}

/// Text as it is, in capitals once it has been written.
inline durable::Serdes<std::string> upperCaseSerdes() {
    return {.serialize = [](const std::string& value, auto&) { return upperCase(value); },
            .deserialize = [](const std::string& text, auto&) { return text; }};
}
