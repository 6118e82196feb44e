// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/logger.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace durable::inline v0 {

namespace testing {

/// A `LogRecord` that keeps its texts.
struct CapturedLog {
    CapturedLog() = default;
    explicit CapturedLog(const LogRecord& record)
        : time{record.time},
          level{record.level},
          message{record.message},
          executionName{record.executionName},
          handlerName{record.handlerName},
          operationId{record.operationId},
          operationName{record.operationName},
          attempt{record.attempt} {}

    TimePoint time{};
    LogLevel level{LogLevel::info};
    std::string message{};
    std::string executionName{};
    std::string handlerName{};
    std::string operationId{};
    std::string operationName{};
    std::optional<std::uint32_t> attempt{};
};

}  // namespace testing

}  // namespace durable::inline v0
