// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "file_name.hpp"
#include "sha256.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// The sum of one file.
struct Checksum {
    std::string sha256{};
    std::uint64_t bytes{};  ///< size of the file
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Checksum, sha256, bytes)

/// What became of one file: its sum, or why there is none.
struct FileResult {
    FileName file{};
    Checksum sum{};
    std::string error{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FileResult, file, sum, error)

/// What became of all files, for people and for `sha256sum --check`.
class Report {
public:
    explicit Report(std::vector<FileResult> results) : results_{std::move(results)} {
        for (const auto& result : results_) {
            if (result.error.empty()) {
                lines_ += line(result);
                bytes_ += result.sum.bytes;
            } else {
                ++failed_;
            }
        }
    }

    [[nodiscard]] std::size_t failed() const { return failed_; }

    /// Writes the sums as `sha256sum` does; `-` is standard output.
    void writeList(const std::filesystem::path& file) const {
        if (file == "-") {
            fmt::print("{}", lines_);
            return;
        }
        std::ofstream out{file, std::ios::binary};
        out << lines_ << std::flush;
        if (!out) throw std::runtime_error{"cannot write " + file.string()};
    }

    /// \param read files that were read in this run; the others were recorded before.
    void printSummary(std::size_t read) const {
        for (const auto& result : results_) {
            if (!result.error.empty()) {
                fmt::print(stderr, "{}: {}\n", result.file.bytes, result.error);
            }
        }
        fmt::print(stderr, "files     {}, {} of them failed\n", results_.size(), failed_);
        fmt::print(stderr, "bytes     {}\n", bytes_);
        fmt::print(stderr, "recorded  {} before this run\n", results_.size() - read);
        fmt::print(stderr, "read      {} in this run\n", read);
        fmt::print(stderr, "digest    {} of all sums\n", Sha256::of(lines_));
    }

private:
    /// A name with special characters is escaped, and its line begins with a backslash.
    [[nodiscard]] static std::string line(const FileResult& result) {
        std::string name;
        for (const char c : result.file.bytes) {
            switch (c) {
                case '\\': name += "\\\\"; break;
                case '\n': name += "\\n"; break;
                case '\r': name += "\\r"; break;
                default: name += c;
            }
        }
        const char* mark = name == result.file.bytes ? "" : "\\";
        return fmt::format("{}{}  {}\n", mark, result.sum.sha256, name);
    }

    std::vector<FileResult> results_;
    std::string lines_;
    std::uint64_t bytes_{};
    std::size_t failed_{};
};
