// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "measure.hpp"

/// \file
/// What the disk and SQLite can do without durable, measured beside each workload.

namespace benchmark_support {

/// Rows per second, `size` rows, each of a step's size, `group` to a transaction.
[[nodiscard]] double sqliteRows(const Request& request);

/// Appends of a step's size per second, each with `fdatasync`.
[[nodiscard]] double syncedAppends(const Request& request, double seconds);

/// Seconds to open a file of `rows` rows and to read them all.
[[nodiscard]] double sqliteReading(const Request& request, std::size_t rows);

/// Seconds from the start of a process to its first row in a new file.
[[nodiscard]] double sqliteFirstRow(const Request& request);

/// The process of `sqliteFirstRow`.
void writeFirstRow(const std::filesystem::path& file);

}  // namespace benchmark_support
