// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/history.hpp>

#include <nlohmann/json.hpp>

#include <span>

namespace durable::inline v0 {

/// An event as AWS's GetDurableExecutionHistory writes it. Members that it does not have are left
/// out; `<EventType>Details` is always there.
[[nodiscard]] inline nlohmann::json eventToJson(const HistoryEvent& event) {
    nlohmann::json json{{"EventId", event.eventId},
                        {"EventType", event.eventType},
                        {"EventTimestamp", detail::wireTime(event.time)}};
    const auto text = [&](const char* key, const std::string& value) {
        if (!value.empty()) json[key] = value;
    };
    text("Id", event.operationId);
    text("ParentId", event.parentId);
    text("Name", event.name);
    text("SubType", event.subType);
    json[event.eventType + "Details"] =
        event.details.is_null() ? nlohmann::json::object() : event.details;
    return json;
}

/// The events of one execution, in order.
[[nodiscard]] inline nlohmann::json historyToJson(std::span<const HistoryEvent> events) {
    auto json = nlohmann::json::array();
    for (const auto& event : events) json.push_back(eventToJson(event));
    return json;
}

}  // namespace durable::inline v0
