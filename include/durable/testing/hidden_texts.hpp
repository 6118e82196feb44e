// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/serdes/parse_json.hpp>
#include <durable/testing/golden_history.hpp>

#include <cstddef>
#include <map>
#include <string>

namespace durable::inline v0 {

namespace testing {

namespace detail {

/// Texts that are drawn anew in each run, such as ids, and what stands in their place where two
/// runs are compared.
class HiddenTexts {
public:
    /// Shorter ones are part of too much else.
    static constexpr std::size_t lengthMin = 6;

    /// Hides a serialized value: the whole of it and, if it is JSON, each string and number in it.
    void add(const std::string& value, const std::string& place) {
        addText(value, place);
        if (durable::detail::isDeeperThan(jsonDepthMax, value)) return;
        const auto json = nlohmann::json::parse(value, nullptr, false);
        if (!json.is_discarded()) addParts(json, place);
    }

    void hideIn(std::string& text) const {
        for (const auto& [hidden, place] : places_) replaceAll(text, hidden, place);
    }

private:
    /// The longest first: another one may be a part of it.
    struct Longer {
        bool operator()(const std::string& a, const std::string& b) const {
            return a.size() != b.size() ? a.size() > b.size() : a < b;
        }
    };

    void addParts(const nlohmann::json& json, const std::string& place) {
        if (json.is_string()) addText(json.get<std::string>(), place);
        if (json.is_number()) addText(json.dump(), place);
        if (!json.is_structured()) return;
        for (const auto& part : json) addParts(part, place);
    }

    /// As it is, and as it reads inside a JSON text, which may itself be inside another one.
    void addText(std::string text, const std::string& place) {
        constexpr int depthMax = 3;  // a result, in that of a batch, in the details of an event
        for (int depth = 0; depth <= depthMax && text.size() >= lengthMin; ++depth) {
            places_.emplace(text, place);
            const auto quoted =
                nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
            text = quoted.substr(1, quoted.size() - 2);
        }
    }

    std::map<std::string, std::string, Longer> places_;
};

}  // namespace detail

}  // namespace testing

}  // namespace durable::inline v0
