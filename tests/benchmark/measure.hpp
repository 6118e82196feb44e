// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// \file
/// What the workloads measure with.

namespace benchmark_support {

/// Seconds of the machine's steady clock, which all its processes share.
[[nodiscard]] double now();

/// Calls of `fsync` and `fdatasync` in this process so far.
[[nodiscard]] std::uint64_t syncs();

/// The most memory that this process ever had, and what it has now, in KiB.
[[nodiscard]] std::size_t peakKib();
[[nodiscard]] std::size_t residentKib();

/// The value below which the share `part` of `values` lies; sorts them.
[[nodiscard]] double percentile(std::vector<double>& values, double part);

/// Runs this program anew and gives what it printed. A child that a signal ended has printed all
/// that it had to.
[[nodiscard]] std::string runSelf(const std::vector<std::string>& arguments);

/// A step's result of about 100 bytes.
[[nodiscard]] inline std::string result(std::size_t number) {
    auto text = std::to_string(number);
    return text.append(98 - text.size(), 'x');
}

/// What a workload was asked for.
struct Request {
    std::string workload{};
    std::string store{};
    std::size_t size{};
    std::filesystem::path directory{};  ///< empty, and on the disk that is measured
    std::size_t group{1};               ///< rows to a commit, of a raw limit
};

}  // namespace benchmark_support
