// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/sqlite.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// What the tests of the SQLite store share.

/// What `action` throws as a `StoreError`, or "" if it does not.
inline std::string storeErrorOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const durable::StoreError& error) {
        return error.what();
    }
    return "";
}

/// Another program at the file, who knows SQL only.
class ForeignProgram {
public:
    explicit ForeignProgram(const std::filesystem::path& file)
        : connection_{file, std::chrono::milliseconds{1000}} {}

    void execute(const std::string& sql) { connection_.execute(sql, "use"); }

    /// The rows, a line each, with '|' between columns, as the sqlite3 shell prints them.
    [[nodiscard]] std::string query(std::string_view sql, int columns = 1) {
        durable::sqlite::Statement statement{connection_, "use", sql};
        std::string text;
        for (auto rows = statement.query(); rows.next();) {
            if (!text.empty()) text += '\n';
            for (int column = 0; column < columns; ++column) {
                if (column > 0) text += '|';
                text += rows.optionalText(column).value_or("");
            }
        }
        return text;
    }

private:
    durable::sqlite::Connection connection_;
};

inline std::vector<std::string> filesIn(const std::filesystem::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{directory}) {
        names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

inline std::string contentOf(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

inline void write(const std::filesystem::path& file, std::string_view content) {
    std::ofstream{file, std::ios::binary} << content;
}

inline durable::TimePoint at(std::int64_t seconds) {
    using namespace std::chrono;
    return sys_days{2026y / November / 23} + std::chrono::seconds{seconds};
}

inline durable::Commit started(durable::ExecutionId id, std::string name = "monday") {
    return {.execution = id,
            .start = durable::ExecutionStart{
                .handlerName = "settle", .name = std::move(name), .startTime = at(id)}};
}

inline void append(durable::Store& store, const durable::Commit& commit) {
    store.append({&commit, 1});
}

/// Appends one entry to `execution`, with `payload`.
inline void appendStep(durable::Store& store, durable::ExecutionId execution, const std::string& id,
                       const std::string& payload) {
    const std::vector<durable::Entry> entries{{.kind = durable::EntryKind::succeeded,
                                               .time = at(0),
                                               .operationId = id,
                                               .type = durable::OperationType::step,
                                               .payload = payload}};
    append(store, {.execution = execution, .entries = entries});
}
