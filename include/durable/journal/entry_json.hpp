// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/names.hpp>
#include <durable/serdes/json_text.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <iterator>
#include <span>
#include <stdexcept>
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
    appendText(json, "callbackId", entry.callbackId);
    appendText(json, "handler", entry.handlerName);
    appendText(json, "tenant", entry.tenantId);
    appendSeconds(json, "delay", entry.delay);
    appendSeconds(json, "heartbeatTimeout", entry.heartbeatTimeout);
    if (entry.attempt > 0) {
        appendJsonKey(json, "attempt");
        json += std::to_string(entry.attempt);
    }
    if (entry.replayChildren) {
        appendJsonKey(json, "replayChildren");
        json += "true";
    }
    if (entry.invocationStart) {
        appendJsonKey(json, "start");
        json += std::to_string(entry.invocationStart->time_since_epoch().count());
    }
    appendText(json, "requestId", entry.requestId);
    if (entry.payload) appendJsonMember(json, "payload", *entry.payload);
    if (entry.error) {
        appendJsonKey(json, "error");
        appendJson(json, *entry.error);
    }
    json += '}';
}

template <class Value>
void readOptional(const nlohmann::json& json, const char* key, Value& value) {
    if (const auto member = json.find(key); member != json.end()) member->get_to(value);
}

template <class Enum>
[[nodiscard]] Enum readName(const nlohmann::json& json, const char* key, Enum fallback) {
    const auto member = json.find(key);
    if (member == json.end()) return fallback;
    const auto value = fromWireName<Enum>(member->get_ref<const std::string&>());
    if (!value) throw std::invalid_argument{"unknown " + std::string{key} + " " + member->dump()};
    return *value;
}

[[nodiscard]] inline std::optional<std::chrono::seconds> readSeconds(const nlohmann::json& json,
                                                                     const char* key) {
    const auto member = json.find(key);
    if (member == json.end()) return std::nullopt;
    constexpr std::uint64_t longest = 10'000'000'000;  // three centuries
    if (!member->is_number_unsigned() || member->get<std::uint64_t>() > longest) {
        throw std::invalid_argument{"impossible " + std::string{key}};
    }
    return std::chrono::seconds{member->get<std::int64_t>()};
}

[[nodiscard]] inline TimePoint readTime(const nlohmann::json& json) {
    constexpr std::int64_t farthest = 253'402'300'800'000;  // the year 10000, in milliseconds
    const bool readable = json.is_number_unsigned()
                              ? json.get<std::uint64_t>() < std::uint64_t{farthest}
                              : json.is_number_integer() && json.get<std::int64_t>() > -farthest;
    if (!readable) throw std::invalid_argument{"impossible time"};
    return TimePoint{std::chrono::milliseconds{json.get<std::int64_t>()}};
}

[[nodiscard]] inline Entry readEntry(const nlohmann::json& json) {
    Entry entry;
    const auto kind = fromWireName<EntryKind>(json.at("kind").get_ref<const std::string&>());
    if (!kind) throw std::invalid_argument{"unknown kind " + json.at("kind").dump()};
    entry.kind = *kind;
    entry.time = readTime(json.at("time"));
    if (json.contains("start")) entry.invocationStart = readTime(json.at("start"));
    readOptional(json, "requestId", entry.requestId);
    entry.type = readName(json, "type", OperationType::execution);
    entry.subType = readName(json, "subType", OperationSubType::none);
    readOptional(json, "id", entry.operationId);
    readOptional(json, "parent", entry.parentId);
    readOptional(json, "name", entry.name);
    readOptional(json, "callbackId", entry.callbackId);
    readOptional(json, "handler", entry.handlerName);
    readOptional(json, "tenant", entry.tenantId);
    if (json.contains("attempt")) {
        if (!json.at("attempt").is_number_unsigned()) {
            throw std::invalid_argument{"impossible attempt"};
        }
        json.at("attempt").get_to(entry.attempt);
    }
    readOptional(json, "replayChildren", entry.replayChildren);
    entry.delay = readSeconds(json, "delay");
    entry.heartbeatTimeout = readSeconds(json, "heartbeatTimeout");
    if (json.contains("payload")) entry.payload = json.at("payload").get<std::string>();
    if (json.contains("error")) entry.error = errorFromJson(json.at("error"));
    return entry;
}

}  // namespace detail

[[nodiscard]] inline std::string entriesToJson(std::span<const Entry> entries) {
    std::string json = "[";
    for (const auto& entry : entries) {
        if (json.back() != '[') json += ',';
        detail::appendEntry(json, entry);
    }
    json += ']';
    return json;
}

/// Adds the entries of `json` to `entries`.
/// \throws std::exception if `json` is not what `entriesToJson` writes.
inline void entriesFromJson(std::string_view json, std::vector<Entry>& entries) {
    const auto array = nlohmann::json::parse(json);
    if (!array.is_array()) throw std::invalid_argument{"not an array of entries"};
    std::vector<Entry> read;
    for (const auto& entry : array) read.push_back(detail::readEntry(entry));
    entries.insert(entries.end(), std::make_move_iterator(read.begin()),
                   std::make_move_iterator(read.end()));
}

}  // namespace durable::inline v0
