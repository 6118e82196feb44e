// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace durable::inline v0 {

enum class LogLevel { debug, info, warn, error };

[[nodiscard]] constexpr std::string_view toString(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "DEBUG";
        case LogLevel::info: return "INFO";
        case LogLevel::warn: return "WARN";
        case LogLevel::error: return "ERROR";
    }
    return "";
}

/// What a plugin adds to a log line.
struct LogField {
    std::string name{};
    std::string value{};
};

/// One line of a log, with what it belongs to. Views are valid during the call of the sink only.
struct LogRecord {
    TimePoint time{};
    LogLevel level{LogLevel::info};
    std::string_view message{};
    std::string_view executionArn{};  ///< see `executionArn`; empty in lines of the engine's own
    std::string_view executionName{};
    std::string_view handlerName{};
    std::string_view tenantId{};             ///< empty if the execution has none
    std::string_view operationId{};          ///< empty outside operations
    std::string_view operationName{};        ///< empty if it has none
    std::optional<std::uint32_t> attempt{};  ///< from 1; only inside a step body
    std::span<const LogField> fields{};      ///< added by plugins
};

/// Where log lines go. Called from several threads at once; must not throw.
using LogSink = std::function<void(const LogRecord&)>;

/// A record as a line for people, without its end.
[[nodiscard]] inline std::string toLine(const LogRecord& record) {
    auto line = fmt::format("{:%Y-%m-%dT%H:%M:%S}Z {:5} {}",
                            fmt::gmtime(std::chrono::system_clock::to_time_t(record.time)),
                            toString(record.level), record.executionName);
    if (!record.operationId.empty()) line += fmt::format(" {}", record.operationId);
    if (!record.operationName.empty()) line += fmt::format(" \"{}\"", record.operationName);
    if (record.attempt.value_or(1) > 1) line += fmt::format(" attempt {}", *record.attempt);
    line += fmt::format(": {}", record.message);
    for (const auto& field : record.fields) line += fmt::format(" {}={}", field.name, field.value);
    return line;
}

/// Writes a line per record to standard error.
inline void logToStandardError(const LogRecord& record) {
    const auto line = toLine(record) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

/// Writes log lines that carry the execution and operation they belong to.
///
/// A handler's logger is silent while the handler passes through its recorded past, so that each
/// line is written once. A step's logger always writes: a body runs only for real.
///
/// Lifetime: a view into its context or step; do not keep it.
class Logger {
public:
    /// Tells, at each line, whether the handler is passing through its recorded past.
    using IsReplaying = std::function<bool()>;

    Logger(const LogSink& sink, const Clock& clock, LogRecord fields, IsReplaying isReplaying = {})
        : sink_{&sink}, clock_{&clock}, fields_{fields}, isReplaying_{std::move(isReplaying)} {}

    /// The same logger, but one that writes while the handler passes through its recorded past too:
    /// then a line is written on every run.
    [[nodiscard]] Logger alsoOnReplay() const {
        auto logger = *this;
        logger.isReplaying_ = {};
        return logger;
    }

    template <class... Args>
    void debug(fmt::format_string<Args...> format, Args&&... args) const {
        write(LogLevel::debug, format, std::forward<Args>(args)...);
    }

    template <class... Args>
    void info(fmt::format_string<Args...> format, Args&&... args) const {
        write(LogLevel::info, format, std::forward<Args>(args)...);
    }

    template <class... Args>
    void warn(fmt::format_string<Args...> format, Args&&... args) const {
        write(LogLevel::warn, format, std::forward<Args>(args)...);
    }

    template <class... Args>
    void error(fmt::format_string<Args...> format, Args&&... args) const {
        write(LogLevel::error, format, std::forward<Args>(args)...);
    }

private:
    template <class... Args>
    void write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
        if (!*sink_ || (isReplaying_ && isReplaying_())) return;
        const auto message = fmt::format(format, std::forward<Args>(args)...);
        auto record = fields_;
        record.time = clock_->now();
        record.level = level;
        record.message = message;
        (*sink_)(record);
    }

    const LogSink* sink_;
    const Clock* clock_;
    LogRecord fields_;
    IsReplaying isReplaying_;
};

}  // namespace durable::inline v0
