// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <chrono>
#include <cstddef>

namespace durable::inline v0 {

/// How large things may be. Defaults: the largest that AWS documents.
struct Limits {
    /// Input, result or state of one operation, in bytes of text.
    std::size_t payloadBytesMax{6 * 1024 * 1024};

    /// All texts of one error together, its stack trace and its causes included, in bytes.
    std::size_t errorBytesMax{1024 * 1024};

    /// A child context or batch whose result is longer than this records a summary instead, and on
    /// replay its recorded children give the result again. In bytes.
    std::size_t inlineResultBytesMax{256 * 1024};

    /// Waits, retry delays, timeouts.
    std::chrono::seconds durationMax{std::chrono::hours{366 * 24}};
};

}  // namespace durable::inline v0
