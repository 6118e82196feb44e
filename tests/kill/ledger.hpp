// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// A file to which all processes and threads of a test append lines. A line that `write` returned
/// from outlives the process.
class Ledger {
public:
    explicit Ledger(const std::filesystem::path& file)
        : file_{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)} {
        if (file_ < 0) throw std::runtime_error{"the ledger cannot be opened"};
    }
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;
    ~Ledger() { ::close(file_); }

    /// Thread-safe; a line is there whole or not at all.
    void write(std::string_view line) const {
        const auto text = std::string{line} + '\n';
        if (::write(file_, text.data(), text.size()) != static_cast<::ssize_t>(text.size())) {
            throw std::runtime_error{"the ledger cannot be written"};
        }
    }

    [[nodiscard]] static std::vector<std::string> read(const std::filesystem::path& file) {
        std::vector<std::string> lines;
        std::ifstream stream{file};
        for (std::string line; std::getline(stream, line);) lines.push_back(line);
        return lines;
    }

private:
    int file_;
};
