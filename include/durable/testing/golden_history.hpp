// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/history.hpp>
#include <durable/testing/history_table.hpp>

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// \file
/// Golden histories: what a handler did, recorded in a file that is kept with the tests, so that a
/// change of its behaviour is seen in review.

namespace durable::inline v0 {

namespace testing {

struct GoldenOptions {
    /// Writes the file instead of comparing with it. So does the environment variable
    /// `DURABLE_RECORD_GOLDEN`, set to anything but nothing.
    bool record{false};
};

namespace detail {

/// Leaves out what differs from run to run: moments, ids of requests and callbacks, stack traces.
inline void normalise(nlohmann::json& json) {
    if (json.is_object()) {
        for (const auto* key : {"StartTimestamp", "EndTimestamp", "ScheduledEndTimestamp",
                                "RequestId", "CallbackId", "StackTrace"}) {
            json.erase(key);
        }
    }
    for (auto& member : json) {
        if (member.is_structured()) normalise(member);
    }
}

inline void replaceAll(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

[[nodiscard]] inline std::vector<std::string> linesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

[[nodiscard]] inline bool wantsRecording(const GoldenOptions& options) {
    const char* wanted = std::getenv("DURABLE_RECORD_GOLDEN");
    return options.record || (wanted != nullptr && *wanted != '\0');
}

}  // namespace detail

/// The history as text, a line each: the time since the start, what happened, to which operation,
/// and its details as JSON. The same handler with the same input gives the same text.
[[nodiscard]] inline std::string goldenText(std::span<const HistoryEvent> events) {
    std::string text;
    std::vector<std::pair<std::string, std::string>> callbacks;
    for (const auto& event : events) {
        if (event.details.contains("CallbackId")) {
            callbacks.emplace_back(event.details.at("CallbackId").get<std::string>(),
                                   "<callback " + event.operationId + ">");
        }
        auto details = event.details;
        detail::normalise(details);
        text += detail::secondsAfter(events.front().time, event.time) + ' ' + event.eventType;
        if (!event.operationId.empty()) text += ' ' + event.operationId;
        if (!event.operationId.empty() && !event.name.empty()) text += " \"" + event.name + '"';
        if (!details.empty()) text += ' ' + details.dump();
        text += '\n';
    }
    for (const auto& [id, place] : callbacks) {
        if (!id.empty()) detail::replaceAll(text, id, place);
    }
    return text;
}

/// Compares a history with the one recorded in `file`, or records it.
/// \return where they differ first, for people; empty if they do not.
/// \throws std::ios_base::failure if the file cannot be written.
[[nodiscard]] inline std::string goldenDifference(std::span<const HistoryEvent> events,
                                                  const std::filesystem::path& file,
                                                  GoldenOptions options = {}) {
    const auto text = goldenText(events);
    if (detail::wantsRecording(options)) {
        std::ofstream out;
        out.exceptions(std::ios::failbit | std::ios::badbit);
        out.open(file, std::ios::binary);
        out << text;
        return "";
    }
    constexpr auto advice = "Set DURABLE_RECORD_GOLDEN=1 to record the history as it is now.";
    std::ifstream in{file, std::ios::binary};
    if (!in) return fmt::format("There is no recorded history {}. {}", file.string(), advice);
    const std::string recorded{std::istreambuf_iterator<char>{in}, {}};
    if (recorded == text) return "";

    const auto expected = detail::linesOf(recorded);
    const auto actual = detail::linesOf(text);
    std::size_t line = 0;
    while (line < expected.size() && line < actual.size() && expected[line] == actual[line]) ++line;
    const auto at = [line](const std::vector<std::string>& lines) {
        return line < lines.size() ? lines[line] : std::string{"(the history ends)"};
    };
    return fmt::format(
        "The history differs from {} at line {}.\n  recorded: {}\n  now:      {}\n{}",
        file.string(), line + 1, at(expected), at(actual), advice);
}

}  // namespace testing

}  // namespace durable::inline v0
