// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/history.hpp>
#include <durable/journal/names.hpp>
#include <durable/testing/test_operation.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

/// \file
/// Histories and operations as tables for people.

namespace durable::inline v0 {

namespace testing {

namespace detail {

/// Lays out rows of the same number of cells; the first one is the head.
[[nodiscard]] inline std::string tableOf(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string table;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += fmt::format("{:{}}  ", row[i].empty() ? "-" : row[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        table += line + '\n';
    }
    return table;
}

[[nodiscard]] inline std::string secondsAfter(TimePoint start, TimePoint time) {
    const std::chrono::duration<double> passed = time - start;
    return fmt::format("{}s", passed.count());
}

/// The text, shortened to what fits a line.
[[nodiscard]] inline std::string shortened(std::string text) {
    constexpr std::size_t lengthMax = 80;
    if (text.size() > lengthMax) text = text.substr(0, lengthMax - 3) + "...";
    return text;
}

}  // namespace detail

/// The events with the times since the first one.
[[nodiscard]] inline std::string historyTable(std::span<const HistoryEvent> events) {
    std::vector<std::vector<std::string>> rows{{"#", "time", "event", "id", "name", "details"}};
    for (const auto& event : events) {
        const auto details = event.details.is_null() ? "{}" : event.details.dump();
        rows.push_back({std::to_string(event.eventId),
                        detail::secondsAfter(events.front().time, event.time), event.eventType,
                        event.operationId, event.name, detail::shortened(details)});
    }
    return detail::tableOf(rows);
}

/// The operations with the times since the first one began.
[[nodiscard]] inline std::string operationTable(std::span<const TestOperation> operations) {
    if (operations.empty()) return "No operations.\n";
    std::vector<std::vector<std::string>> rows{
        {"id", "parent", "name", "type", "status", "attempts", "start", "duration"}};
    for (const auto& operation : operations) {
        const auto parent = operation.parent();
        const auto duration = operation.duration();
        rows.push_back({operation.id(), parent ? parent->id() : "", operation.name(),
                        std::string{wireName(operation.subType())},
                        std::string{wireName(operation.status())},
                        operation.attempts() > 0 ? std::to_string(operation.attempts()) : "",
                        detail::secondsAfter(operations.front().startTime(), operation.startTime()),
                        duration ? fmt::format("{}ms", duration->count()) : ""});
    }
    return detail::tableOf(rows);
}

}  // namespace testing

}  // namespace durable::inline v0
