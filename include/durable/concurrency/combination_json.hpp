// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error_object.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/serdes/parse_json.hpp>
#include <durable/serdes/payload.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// \file
/// How the results of `all`, `allSettled`, `any` and `race` are recorded, as the AWS SDKs write
/// them where they do.

namespace durable::inline v0 {

/// How one of several operations ended, its value as JSON.
struct SettledText {
    Payload value{};
    std::optional<ErrorObject> error{};
};

/// The operation that decided an `any` or a `race`.
struct WinnerText {
    std::size_t index{};
    Payload value{};
    std::optional<std::size_t> count{};  ///< of operations; of a winner without its value only
};

/// An array of the values.
[[nodiscard]] inline std::string valuesToJson(const std::vector<SettledText>& settled) {
    std::string json = "[";
    for (const auto& each : settled) {
        if (json.back() != '[') json += ',';
        json += each.value.value_or("null");
    }
    json += ']';
    return json;
}

/// \throws std::exception if `text` is not what `valuesToJson` writes.
[[nodiscard]] inline std::vector<SettledText> valuesFromJson(const std::string& text) {
    const auto json = parseJson<nlohmann::ordered_json>(text);
    if (!json.is_array()) throw std::invalid_argument{"the results: no array"};
    std::vector<SettledText> settled;
    for (const auto& value : json) settled.push_back({.value = value.dump(), .error = {}});
    return settled;
}

/// An array of `{"status":"fulfilled","value":…}` and `{"status":"rejected","reason":…}`.
[[nodiscard]] inline std::string settledToJson(const std::vector<SettledText>& settled) {
    std::string json = "[";
    for (const auto& each : settled) {
        if (json.back() != '[') json += ',';
        json += '{';
        appendJsonMember(json, "status", each.error ? "rejected" : "fulfilled");
        if (each.error) {
            appendJsonKey(json, "reason");
            appendJson(json, *each.error);
        } else if (each.value) {
            appendJsonKey(json, "value");
            json += *each.value;
        }
        json += '}';
    }
    json += ']';
    return json;
}

/// \throws std::exception if `text` is not what `settledToJson` writes.
[[nodiscard]] inline std::vector<SettledText> settledFromJson(const std::string& text) {
    const auto json = parseJson<nlohmann::ordered_json>(text);
    if (!json.is_array()) throw std::invalid_argument{"the results: no array"};
    std::vector<SettledText> settled;
    for (const auto& element : json) {
        SettledText each;
        if (element.at("status").get<std::string>() == "rejected") {
            each.error = errorFromJson(element.at("reason"));
        } else if (const auto value = element.find("value"); value != element.end()) {
            each.value = value->dump();
        }
        settled.push_back(std::move(each));
    }
    return settled;
}

/// `{"index":…,"value":…}`, or `{"index":…,"count":…}`: which one it was tells the type of the
/// value.
[[nodiscard]] inline std::string winnerToJson(const WinnerText& winner) {
    std::string json = "{\"index\":" + std::to_string(winner.index);
    if (winner.value) {
        appendJsonKey(json, "value");
        json += *winner.value;
    }
    if (winner.count) {
        appendJsonKey(json, "count");
        json += std::to_string(*winner.count);
    }
    json += '}';
    return json;
}

/// \throws std::exception if `text` is not what `winnerToJson` writes.
[[nodiscard]] inline WinnerText winnerFromJson(const std::string& text) {
    const auto json = parseJson<nlohmann::ordered_json>(text);
    const auto& index = json.at("index");
    if (!index.is_number_unsigned()) throw std::invalid_argument{"impossible index of a result"};
    WinnerText winner{.index = index.get<std::size_t>(), .value = {}};
    if (const auto value = json.find("value"); value != json.end()) winner.value = value->dump();
    if (const auto count = json.find("count"); count != json.end()) {
        if (!count->is_number_unsigned())
            throw std::invalid_argument{"impossible number of operations"};
        winner.count = count->get<std::size_t>();
    }
    return winner;
}

}  // namespace durable::inline v0
