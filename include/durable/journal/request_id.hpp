// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <fmt/core.h>

#include <cstdint>
#include <string>

namespace durable::inline v0 {

/// Id of the invocation of an execution with that number, from 1; unique in a store. Shaped like a
/// UUID, as on AWS.
[[nodiscard]] inline std::string requestIdOf(std::int64_t execution, std::uint64_t invocation) {
    const auto high = static_cast<std::uint64_t>(execution);
    return fmt::format("{:08x}-{:04x}-8000-8{:03x}-{:012x}", high >> 28U & 0xffff'ffffU,
                       high >> 12U & 0xffffU, high & 0xfffU, invocation);
}

}  // namespace durable::inline v0
