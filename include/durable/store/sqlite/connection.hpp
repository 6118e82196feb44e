// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/sqlite/file_pair.hpp>
#include <durable/store/sqlite/result_code.hpp>

#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace durable::inline v0::sqlite {

/// An open SQLite file.
///
/// Thread-safety: none; whoever owns it locks.
class Connection {
public:
    /// Opens `file`, and makes it if it does not exist. `file` is absolute, so that SQLite takes it
    /// for neither a URI nor ":memory:".
    Connection(const std::filesystem::path& file, std::chrono::milliseconds busyTimeout)
        : file_{file.string()} {
        sqlite3* opened = nullptr;
        const int code = sqlite3_open_v2(
            file_.c_str(), &opened,
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
        handle_.reset(opened);  // SQLite gives a handle with the error in it, except out of memory
        if (opened == nullptr) throw std::bad_alloc{};
        if (code != SQLITE_OK) fail("open");
        sqlite3_extended_result_codes(opened, 1);
        sqlite3_busy_timeout(opened, static_cast<int>(busyTimeout.count()));
    }

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
    [[nodiscard]] const std::string& file() const noexcept { return file_; }

    /// Runs statements that give no rows, or whose rows do not matter.
    void execute(const std::string& sql, std::string_view purpose) {
        const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
        if (code != SQLITE_OK) fail(purpose);
    }

    /// The last error of SQLite as an exception. `purpose` completes "Could not ... the journal".
    [[noreturn]] void fail(std::string_view purpose) const {
        const int code = sqlite3_extended_errcode(handle());
        std::string message = "Could not ";
        message += purpose;
        message +=
            " the journal " + file_ + ": " + sqlite3_errmsg(handle()) + " (" + nameOf(code) + ")";
        message += adviceFor(code);
        throw StoreError{message, kindOf(code)};
    }

    /// \param what completes "the journal is damaged: ...".
    [[noreturn]] void failAsDamaged(const std::string& what) const {
        throw StoreError{"The journal " + file_ + " is damaged: " + what +
                         std::string{adviceFor(SQLITE_CORRUPT)}};
    }

    /// Remembers which file the log is. To be called once there is one.
    void rememberLog() { log_ = FileIdentity::of(logOf(file_)); }

    /// Throws if another file, or none, now stands where the database or its log was opened: what
    /// is committed from then on would be lost with the last file descriptor.
    void requireInPlace() const {
        int moved = 0;
        sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
        if (moved != 0) {
            throw StoreError{"The journal " + file_ +
                             " was moved or deleted while it was in use.\nNothing more is "
                             "recorded. Put the file back and restart this process."};
        }
        const auto log = logOf(file_);
        if (log_ && FileIdentity::of(log) == log_) return;
        // What is in the log that was opened need not be lost, even if this process crashes now.
        sqlite3_wal_checkpoint_v2(handle(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        throw StoreError{"The log " + log +
                         " of the journal was moved, deleted or replaced while it was in "
                         "use.\nNothing more is recorded. Restart this process."};
    }

private:
    struct Close {
        void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
    };

    std::string file_;
    std::optional<FileIdentity> log_{};
    std::unique_ptr<sqlite3, Close> handle_{};
};

/// Reads of one state of the file, with one lock for all instead of one for each.
class ReadTransaction {
public:
    explicit ReadTransaction(Connection& connection) : connection_{connection} {
        connection_.execute("begin", "read");
    }
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;
    ~ReadTransaction() {
        sqlite3_exec(connection_.handle(), "rollback", nullptr, nullptr, nullptr);
    }

private:
    Connection& connection_;
};

/// One transaction that writes. Rolled back at the end of the scope unless it was committed.
class Transaction {
public:
    /// Takes the write lock at once: a transaction that reads first and then cannot get it would
    /// have to be done again as a whole.
    Transaction(Connection& connection, std::string_view purpose)
        : connection_{connection}, purpose_{purpose} {
        rollBack();  // of an earlier rollback that failed
        connection_.execute("begin immediate", purpose_);
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() { rollBack(); }

    /// Durable when it returns.
    void commit() { connection_.execute("commit", purpose_); }

private:
    /// SQLite has rolled back by itself after some errors, such as a full disk.
    void rollBack() noexcept {
        if (sqlite3_get_autocommit(connection_.handle()) != 0) return;
        sqlite3_exec(connection_.handle(), "rollback", nullptr, nullptr, nullptr);
    }

    Connection& connection_;
    std::string_view purpose_;
};

}  // namespace durable::inline v0::sqlite
