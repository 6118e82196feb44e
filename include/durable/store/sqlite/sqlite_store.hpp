// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/base/require.hpp>
#include <durable/store/sqlite/appender.hpp>
#include <durable/store/sqlite/connection.hpp>
#include <durable/store/sqlite/file_header.hpp>
#include <durable/store/sqlite/file_lock.hpp>
#include <durable/store/sqlite/file_pair.hpp>
#include <durable/store/sqlite/last_positions.hpp>
#include <durable/store/sqlite/reader.hpp>
#include <durable/store/sqlite/schema.hpp>
#include <durable/store/sqlite/sqlite_options.hpp>
#include <durable/store/store.hpp>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace durable::inline v0 {

/// Keeps journals in one SQLite file.
///
/// One process owns a file at a time; any number of others may read it with SQL meanwhile, and find
/// the views that `views.hpp` describes. Beside `orders.db` stand `orders.db-wal`, `-shm` and
/// `-lock` while it is open; they are gone once it is closed, and belong to it after a crash: who
/// moves or replaces one of them does so with all. Where only the database or only its log was
/// replaced, the next opening is refused.
class SqliteStore final : public Store {
public:
    /// Opens a journal, and makes it if `file` does not exist.
    ///
    /// \throws StoreError if `file` is something else, in use, of a newer version, not writable or
    /// damaged; nothing was changed then. InvalidConfig if an option is out of range.
    [[nodiscard]] static std::shared_ptr<SqliteStore> open(const std::filesystem::path& file,
                                                           const SqliteOptions& options = {}) {
        using Milliseconds = std::chrono::milliseconds;
        constexpr std::int64_t bytesMaxLeast = 1024 * 1024;
        requireRange("busyTimeout", options.busyTimeout.count(), Milliseconds::rep{0},
                     Milliseconds{std::chrono::hours{1}}.count());
        if (options.bytesMax) requireAtLeast("bytesMax", *options.bytesMax, bytesMaxLeast);
        requireAtLeast("recoveredRowsMax", options.recoveredRowsMax, std::int64_t{1});
        return std::shared_ptr<SqliteStore>{new SqliteStore{resolve(file), options}};
    }

    ~SqliteStore() override {
        try {
            writeConnection_.requireInPlace();
            appender_.cover(positions_);
        } catch (...) {
            // Only makes the next opening faster.
        }
    }

    void append(std::span<const Commit> commits) override {
        if (commits.empty()) return;
        const std::scoped_lock writing{writing_};
        writeConnection_.requireInPlace();
        {
            // Before the commit, so that nothing can fail after it. Every commit may be a start.
            const std::scoped_lock lock{positionsMutex_};
            positions_.reserve(commits.size());
        }
        const auto& changed = appender_.append(commits, positions_);
        const std::scoped_lock lock{positionsMutex_};
        for (const auto& [execution, change] : changed) {
            if (change.ended) {
                positions_.erase(execution);
            } else {
                positions_.set(execution, change.last);
            }
        }
    }

    void read(ExecutionId execution, const EntryVisitor& visit) override {
        const auto unfinished = lastPosition(execution);
        std::unique_lock lock{reading_};
        const auto last = unfinished ? *unfinished : reader_.endedPosition(execution);
        auto chain = reader_.chain(execution, last);
        lock.unlock();
        reader_.visit(std::move(chain), visit);
    }

    [[nodiscard]] std::optional<ExecutionRecord> find(ExecutionId execution) override {
        const std::scoped_lock lock{reading_};
        return reader_.find(execution);
    }

    [[nodiscard]] std::optional<ExecutionRecord> find(std::string_view handlerName,
                                                      std::string_view name) override {
        const std::scoped_lock lock{reading_};
        return reader_.find(handlerName, name);
    }

    [[nodiscard]] std::vector<ExecutionRecord> list(const ExecutionFilter& filter) override {
        const std::scoped_lock lock{reading_};
        return reader_.list(filter);
    }

    [[nodiscard]] ExecutionId lastExecution() override {
        const std::scoped_lock lock{reading_};
        return reader_.lastExecution();
    }

private:
    SqliteStore(const std::filesystem::path& file, const SqliteOptions& options)
        : lock_{file},
          writeConnection_{sqlite::requireNotForeign(file), options.busyTimeout},
          readConnection_{prepared(writeConnection_, options).file(), options.busyTimeout},
          appender_{writeConnection_, options.recoveredRowsMax},
          reader_{readConnection_},
          positions_{appender_.recover()} {
        writeConnection_.rememberLog();
        writeConnection_.requireInPlace();
        if (const auto pair = sqlite::FilePair::of(writeConnection_.file())) lock_.remember(*pair);
    }

    /// The file that `file` names, or why there can be none. Links are followed, so that two names
    /// of one file meet at one lock.
    [[nodiscard]] static std::filesystem::path resolve(const std::filesystem::path& file) {
        if (file.empty() || file == ":memory:") {
            throw StoreError{"SqliteStore needs the path of a file, got \"" + file.string() +
                             "\".\nFor journals in memory use MemoryStore."};
        }
        std::error_code ignored;
        const auto absolute = std::filesystem::absolute(file, ignored);
        const auto resolved = std::filesystem::weakly_canonical(absolute, ignored);
        const auto& path = resolved.empty() ? absolute : resolved;
        if (std::filesystem::is_directory(path, ignored)) {
            throw StoreError{path.string() + " is a directory; a journal is a file."};
        }
        const auto directory = path.parent_path();
        if (!std::filesystem::is_directory(directory, ignored)) {
            throw StoreError{"Could not open the journal " + path.string() + ": the directory " +
                             directory.string() + " does not exist.\nMake it first."};
        }
        const bool exists = std::filesystem::exists(path, ignored);
        if (exists && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
            failAsReadOnly(path.string());
        }
        return path;
    }

    [[noreturn]] static void failAsReadOnly(const std::string& file) {
        throw StoreError{"The journal " + file + " is read-only for this process (user " +
                         std::to_string(::geteuid()) +
                         ").\nAn engine needs to write to the file and to its directory. To look "
                         "into the journal, read it with SQL."};
    }

    /// `connection`, once the file is a journal of this version and is written as `options` say.
    static sqlite::Connection& prepared(sqlite::Connection& connection,
                                        const SqliteOptions& options) {
        if (sqlite3_threadsafe() == 0) {
            throw StoreError{"This SQLite is built without threads (SQLITE_THREADSAFE=0)."};
        }
        if (sqlite3_db_readonly(connection.handle(), "main") == 1) {
            failAsReadOnly(connection.file());
        }
        const auto steps = sqlite::migrations();
        sqlite::requireKnownVersion(connection, steps.size());
        const bool full = options.durability == Durability::full;
        connection.execute(full ? "pragma synchronous = full" : "pragma synchronous = normal",
                           "open");
        sqlite::markAsJournal(connection);
        switchToWal(connection);
        sqlite::migrate(connection, steps);
        if (options.bytesMax) {
            const auto pages = *options.bytesMax / sqlite::readPragma(connection, "page_size");
            connection.execute("pragma max_page_count = " + std::to_string(pages), "open");
        }
        return connection;
    }

    static void switchToWal(sqlite::Connection& connection) {
        sqlite::Statement statement{connection, "open", "pragma journal_mode = wal"};
        auto rows = statement.query();
        if (rows.next() && rows.text(0) == "wal") {
            // Written after the row was told, and only now known to be.
            while (rows.next()) continue;
            return;
        }
        throw StoreError{"The journal " + connection.file() +
                         " cannot have a write-ahead log where it is.\nKeep it on a local file "
                         "system: network file systems do not share memory between processes."};
    }

    [[nodiscard]] std::optional<sqlite::Position> lastPosition(ExecutionId execution) {
        const std::scoped_lock lock{positionsMutex_};
        return positions_.find(execution);
    }

    sqlite::FileLock lock_;  // first, so that it goes last
    sqlite::Connection writeConnection_;
    sqlite::Connection readConnection_;

    std::mutex writing_;
    sqlite::Appender appender_;

    std::mutex reading_;
    sqlite::Reader reader_;

    // Changed only by the thread in `append`, which may therefore read it without the lock.
    std::mutex positionsMutex_;
    sqlite::LastPositions positions_;
};

}  // namespace durable::inline v0
