// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sha256.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

/// The command line.
struct Options {
    std::filesystem::path directory{};  ///< absolute, without symbolic links
    std::filesystem::path journal{};    ///< absolute, without symbolic links
    std::size_t concurrency{32};  ///< files at once; records of that many share a write to disk
    std::optional<std::filesystem::path> list{};  ///< where sums go; `-`: standard output
    bool again{};                                 ///< start anew if the last run has ended

    static constexpr const char* usage =
        "usage: checksum_tree DIR [--journal FILE] [--concurrency N] [--list FILE|-] [--again]";

    /// \throws std::invalid_argument with the usage; std::filesystem::filesystem_error.
    [[nodiscard]] static Options parse(int argc, char** argv) {
        Options options;
        for (int i = 1; i < argc; ++i) {
            const std::string_view argument = argv[i];
            const auto value = [&]() -> std::string {
                if (i + 1 == argc) throw std::invalid_argument{usage};
                return argv[++i];
            };
            if (argument == "--journal") {
                const auto path = std::filesystem::absolute(value());
                options.journal = std::filesystem::weakly_canonical(path);
            } else if (argument == "--concurrency") {
                options.concurrency = positive(value());
            } else if (argument == "--list") {
                options.list = value();
            } else if (argument == "--again") {
                options.again = true;
            } else if (options.directory.empty() && !argument.starts_with("--")) {
                options.directory = std::filesystem::canonical(argument);
            } else {
                throw std::invalid_argument{usage};
            }
        }
        if (!std::filesystem::is_directory(options.directory)) throw std::invalid_argument{usage};
        if (options.journal.empty()) options.journal = defaultJournal(options.directory);
        return options;
    }

private:
    [[nodiscard]] static std::size_t positive(const std::string& text) {
        std::size_t number = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
        if (read.ptr != text.data() + text.size() || number == 0) {
            throw std::invalid_argument{fmt::format("{}: not a positive number\n{}", text, usage)};
        }
        return number;
    }

    /// One for each directory, where programs keep their state.
    [[nodiscard]] static std::filesystem::path defaultJournal(
        const std::filesystem::path& directory) {
        namespace fs = std::filesystem;
        const char* state = std::getenv("XDG_STATE_HOME");
        const char* home = std::getenv("HOME");
        const auto folder = state  ? fs::path{state} / "checksum_tree"
                            : home ? fs::path{home} / ".local/state/checksum_tree"
                                   : fs::current_path();
        fs::create_directories(folder);
        return fs::canonical(folder) / fmt::format("{}-{}.db", directory.filename().string(),
                                                   Sha256::of(directory.native()).substr(0, 8));
    }
};
