// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/require.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

namespace durable::inline v0 {

/// How to start an execution.
struct StartOptions {
    /// Unique among the executions of the handler: starting the same name with the same input
    /// again gives the execution that exists. 1 to 64 letters, digits, `-` and `_`. Empty: a new
    /// random name.
    std::string name{};

    /// From the start; at least 1 s. Empty: no limit.
    std::optional<std::chrono::seconds> timeout{};

    /// Passed on to invoked handlers.
    std::string tenantId{};
};

/// Gives an execution without a name one.
/// \throws InvalidConfig if an option is out of range.
inline void complete(StartOptions& options) {
    if (options.timeout) {
        requireAtLeast<std::int64_t>("timeout in seconds", options.timeout->count(), 1);
    }
    if (options.name.empty()) {
        std::random_device system;  // the operating system's generator
        options.name =
            fmt::format("{:08x}{:08x}{:08x}{:08x}", system(), system(), system(), system());
    }
    const auto allowed = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    };
    constexpr std::size_t lengthMax = 64;
    if (options.name.size() <= lengthMax && std::ranges::all_of(options.name, allowed)) return;
    throw InvalidConfig{fmt::format(
        "the name of an execution must be 1 to {} letters, digits, '-' and '_', got \"{}\"",
        lengthMax, options.name)};
}

}  // namespace durable::inline v0
