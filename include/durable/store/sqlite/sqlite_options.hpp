// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace durable::inline v0 {

/// What a commit survives.
enum class Durability {
    full,    ///< a crash of the program, of the system, and loss of power
    normal,  ///< a crash of the program; the last commits may be lost with the system. Faster
};

struct SqliteOptions {
    Durability durability{Durability::full};

    /// How long to wait while another program writes to the file. From 0 to an hour.
    std::chrono::milliseconds busyTimeout{std::chrono::seconds{5}};

    /// Appends that would make the file larger than this fail. In bytes, at least 1 MiB; a few
    /// megabytes of write-ahead log come on top. Empty: as large as the disk lets it be.
    std::optional<std::int64_t> bytesMax{};

    /// After a crash, opening reads about this many of the last rows. Smaller makes opening faster
    /// and appending a little slower. At least 1.
    std::int64_t recoveredRowsMax{65'536};
};

}  // namespace durable::inline v0
