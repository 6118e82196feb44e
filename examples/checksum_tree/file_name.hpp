// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <compare>
#include <cstddef>
#include <string>
#include <utility>

/// A path, which is any bytes. What is recorded must be UTF-8, so in the journal each byte beyond
/// ASCII, and `%`, is written as `%` and two digits. Any type that brings its own `to_json` and
/// `from_json`, like this one, can be an input or a result.
struct FileName {
    std::string bytes;

    friend auto operator<=>(const FileName&, const FileName&) = default;

    friend void to_json(nlohmann::json& json, const FileName& name) {
        std::string text;
        for (const char c : name.bytes) {
            const auto byte = static_cast<unsigned char>(c);
            const bool plain = byte < 0x80 && c != '%';
            text += plain ? std::string{c} : fmt::format("%{:02X}", byte);
        }
        json = std::move(text);
    }

    friend void from_json(const nlohmann::json& json, FileName& name) {
        const auto& text = json.get_ref<const std::string&>();
        name.bytes.clear();
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool plain = text[i] != '%';
            name.bytes +=
                plain ? text[i] : static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
            if (!plain) i += 2;
        }
    }
};
