// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <cstdint>

namespace durable::inline v0 {

/// What an engine is doing. A snapshot: the numbers are read one after another.
struct EngineMetrics {
    std::uint64_t executionsRunning{};  ///< in memory and going on, or about to
    std::uint64_t executionsParked{};   ///< waiting, with their frames in memory
    std::uint64_t executionsWaiting{};  ///< waiting, in the store only
    std::uint64_t bodiesInFlight{};     ///< step bodies that run
    std::uint64_t bodiesQueued{};       ///< step bodies that wait for a thread
    std::uint64_t commits{};            ///< transactions since the engine was made
    std::uint64_t entries{};            ///< journal entries in them

    [[nodiscard]] double entriesPerCommit() const {
        return commits == 0 ? 0 : static_cast<double>(entries) / static_cast<double>(commits);
    }
};

}  // namespace durable::inline v0
