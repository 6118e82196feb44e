// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/serdes/plain_json.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Keeps what a JSON parser says.
class HeardJson {
public:
    using Json = nlohmann::json;

    bool null() { return add("null"); }
    bool boolean(bool value) { return add(value ? "true" : "false"); }
    bool number_integer(std::int64_t value) { return add("integer " + std::to_string(value)); }
    bool number_unsigned(std::uint64_t value) { return add("unsigned " + std::to_string(value)); }
    bool number_float(double value, const std::string&) {
        return add("float " + std::to_string(value));
    }
    bool string(std::string_view text) { return add("string " + std::string{text}); }
    bool binary(Json::binary_t&) { return add("binary"); }
    bool start_object(std::size_t) { return add("{"); }
    bool key(std::string_view text) { return add("key " + std::string{text}); }
    bool end_object() { return add("}"); }
    bool start_array(std::size_t) { return add("["); }
    bool end_array() { return add("]"); }
    bool parse_error(std::size_t, const std::string&, const Json::exception&) { return false; }

    [[nodiscard]] const std::vector<std::string>& heard() const { return heard_; }

private:
    bool add(std::string what) {
        heard_.push_back(std::move(what));
        return true;
    }

    std::vector<std::string> heard_;
};

/// What `nlohmann::json` says of the text; nothing if it is not JSON.
inline std::optional<std::vector<std::string>> heardFromParser(std::string_view json) {
    HeardJson listener;
    if (!nlohmann::json::sax_parse(json, &listener)) return std::nullopt;
    return listener.heard();
}

/// What the reader of plain JSON says of it; nothing if it gave up.
inline std::optional<std::vector<std::string>> heardFromPlainReader(std::string_view json) {
    HeardJson listener;
    if (!durable::detail::PlainJsonReader{json, listener}.read()) return std::nullopt;
    return listener.heard();
}
