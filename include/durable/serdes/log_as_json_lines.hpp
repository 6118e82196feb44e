// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/logger.hpp>
#include <durable/serdes/json_text.hpp>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// A record as one JSON object, without an end of line. Members, in this order: `timestamp` (UTC,
/// with milliseconds), `level`, `executionArn`, `executionName`, `handlerName`, `tenantId`,
/// `operationId`, `operationName`, `attempt`, what plugins add, `message`. What is not known is
/// left out. A member that a plugin gives too has the plugin's value.
[[nodiscard]] inline std::string toJsonLine(const LogRecord& record) {
    using namespace std::chrono;
    const auto seconds = floor<std::chrono::seconds>(record.time);
    const auto milliseconds = floor<std::chrono::milliseconds>(record.time - seconds);
    std::vector<std::pair<std::string_view, std::string>> members{
        {"timestamp",
         fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(seconds)),
                     milliseconds.count())},
        {"level", std::string{toString(record.level)}},
    };
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) members.emplace_back(name, value);
    };
    add("executionArn", record.executionArn);
    add("executionName", record.executionName);
    add("handlerName", record.handlerName);
    add("tenantId", record.tenantId);
    add("operationId", record.operationId);
    add("operationName", record.operationName);
    constexpr std::string_view attempt = "attempt";
    if (record.attempt) members.emplace_back(attempt, std::to_string(*record.attempt));
    const auto own = members.size();
    members.emplace_back("message", record.message);
    for (const auto& field : record.fields) {
        const auto same = std::ranges::find(members, std::string_view{field.name},
                                            &std::pair<std::string_view, std::string>::first);
        if (same != members.end()) {
            same->second = field.value;
        } else {
            members.emplace(members.end() - 1, field.name, field.value);
        }
    }

    std::string json = "{";
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto& [name, value] = members[i];
        if (i > 0) json += ',';
        appendJsonString(json, name);
        json += ':';
        const bool isNumber =
            i < own && name == attempt &&
            std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
        if (isNumber) {
            json += value;
        } else {
            appendJsonString(json, value);
        }
    }
    json += '}';
    return json;
}

/// A sink that writes each record to `out` as a line of JSON, see `toJsonLine`, and flushes it.
///
/// Lifetime: `out` must outlive the engine. Thread-safety: lines of one sink do not mix; nothing
/// else may write to `out` meanwhile.
[[nodiscard]] inline LogSink logAsJsonLines(std::ostream& out) {
    return [&out, mutex = std::make_shared<std::mutex>()](const LogRecord& record) {
        const auto line = toJsonLine(record) + '\n';
        const std::scoped_lock lock{*mutex};
        out << line << std::flush;
    };
}

}  // namespace durable::inline v0
