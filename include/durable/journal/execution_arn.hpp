// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace durable::inline v0 {

/// The name that an execution has in logs, plugins and traces: of the form that AWS gives to
/// executions of durable functions, so that tools read both; the partition `durable` says that it
/// is not one of AWS.
[[nodiscard]] inline std::string executionArn(std::string_view handlerName, std::string_view name,
                                              std::int64_t id) {
    return fmt::format("arn:durable:lambda:::function:{}:$LATEST/durable-execution/{}/{}",
                       handlerName, name, id);
}

}  // namespace durable::inline v0
