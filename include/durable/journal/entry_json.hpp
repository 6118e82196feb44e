// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/entry_reader.hpp>
#include <durable/journal/names.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/serdes/parse_json.hpp>
#include <durable/serdes/plain_json.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Entries as stores keep them: a JSON array, so that a journal can be read with SQL and by eye.

namespace durable::inline v0 {

namespace detail {

inline void appendSeconds(std::string& json, std::string_view key,
                          const std::optional<std::chrono::seconds>& value) {
    if (!value) return;
    appendJsonKey(json, key);
    json += std::to_string(value->count());
}

inline void appendText(std::string& json, std::string_view key, const std::string& value) {
    if (!value.empty()) appendJsonMember(json, key, value);
}

inline void appendDetails(std::string& json, const EntryDetails& details) {
    appendText(json, "callbackId", details.callbackId);
    appendText(json, "handler", details.handlerName);
    appendText(json, "tenant", details.tenantId);
    appendSeconds(json, "heartbeatTimeout", details.heartbeatTimeout);
    if (details.invocationStart) {
        appendJsonKey(json, "start");
        json += std::to_string(details.invocationStart->time_since_epoch().count());
    }
    appendText(json, "requestId", details.requestId);
}

inline void appendEntry(std::string& json, const Entry& entry) {
    json += '{';
    appendJsonMember(json, "kind", wireName(entry.kind));
    appendJsonKey(json, "time");
    json += std::to_string(entry.time.time_since_epoch().count());
    appendText(json, "id", entry.operationId);
    const bool describes = entry.kind == EntryKind::started || entry.kind == EntryKind::succeeded ||
                           entry.kind == EntryKind::failed;
    if (describes && !entry.operationId.empty()) {
        appendJsonMember(json, "type", wireName(entry.type));
        appendText(json, "subType", std::string{wireName(entry.subType)});
        appendText(json, "name", entry.name);
        appendText(json, "parent", entry.parentId);
    } else if (entry.operationId.empty()) {
        appendText(json, "name", entry.name);
    }
    if (entry.details) appendDetails(json, *entry.details);
    appendSeconds(json, "delay", entry.delay);
    if (entry.attempt > 0) {
        appendJsonKey(json, "attempt");
        json += std::to_string(entry.attempt);
    }
    if (entry.replayChildren) {
        appendJsonKey(json, "replayChildren");
        json += "true";
    }
    if (entry.payload) appendJsonMember(json, "payload", *entry.payload);
    if (entry.error) {
        appendJsonKey(json, "error");
        appendJson(json, *entry.error);
    }
    json += '}';
}

}  // namespace detail

[[nodiscard]] inline std::string entriesToJson(std::span<const Entry> entries) {
    constexpr std::size_t usualLength = 192;  // of an entry without its payload
    std::size_t length = 0;
    for (const auto& entry : entries) {
        length += usualLength + (entry.payload ? entry.payload->size() : 0);
    }
    std::string json;
    json.reserve(length);
    json = "[";
    for (const auto& entry : entries) {
        if (json.back() != '[') json += ',';
        detail::appendEntry(json, entry);
    }
    json += ']';
    return json;
}

/// Adds the entries of `json` to `entries`; none if it throws.
/// \throws std::exception if `json` is not what `entriesToJson` writes.
inline void entriesFromJson(std::string_view json, std::vector<Entry>& entries) {
    const auto before = entries.size();
    try {
        if (detail::EntryReader listener{entries}; detail::PlainJsonReader{json, listener}.read()) {
            return;
        }
        entries.resize(before);
        detail::EntryReader listener{entries};
        requireJsonDepth(json);
        nlohmann::json::sax_parse(json, &listener);
    } catch (...) {
        entries.resize(before);
        throw;
    }
}

}  // namespace durable::inline v0
