// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/logger.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// A `LogRecord` that keeps its texts.
struct CapturedLog {
    CapturedLog() = default;
    explicit CapturedLog(const LogRecord& record)
        : time{record.time},
          level{record.level},
          message{record.message},
          executionArn{record.executionArn},
          executionName{record.executionName},
          handlerName{record.handlerName},
          tenantId{record.tenantId},
          operationId{record.operationId},
          operationName{record.operationName},
          attempt{record.attempt},
          fields{record.fields.begin(), record.fields.end()} {}

    TimePoint time{};
    LogLevel level{LogLevel::info};
    std::string message{};
    std::string executionArn{};
    std::string executionName{};
    std::string handlerName{};
    std::string tenantId{};
    std::string operationId{};
    std::string operationName{};
    std::optional<std::uint32_t> attempt{};
    std::vector<LogField> fields{};
};

}  // namespace testing

}  // namespace durable::inline v0
