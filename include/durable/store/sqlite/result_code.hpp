// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

/// \file
/// SQLite's result codes told to an operator: the name to search for, and what to do.

namespace durable::inline v0::sqlite {

/// The code a number stands for, such as `SQLITE_IOERR_WRITE`. One that is not known here is told
/// by its number and by its family: `SQLITE_IOERR (6666)`.
[[nodiscard]] inline std::string nameOf(int code) {
    static constexpr std::array<std::pair<int, std::string_view>, 43> names{{
        {SQLITE_ERROR, "SQLITE_ERROR"},
        {SQLITE_INTERNAL, "SQLITE_INTERNAL"},
        {SQLITE_PERM, "SQLITE_PERM"},
        {SQLITE_ABORT, "SQLITE_ABORT"},
        {SQLITE_BUSY, "SQLITE_BUSY"},
        {SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY"},
        {SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT"},
        {SQLITE_LOCKED, "SQLITE_LOCKED"},
        {SQLITE_NOMEM, "SQLITE_NOMEM"},
        {SQLITE_READONLY, "SQLITE_READONLY"},
        {SQLITE_READONLY_CANTLOCK, "SQLITE_READONLY_CANTLOCK"},
        {SQLITE_READONLY_RECOVERY, "SQLITE_READONLY_RECOVERY"},
        {SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"},
        {SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY"},
        {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
        {SQLITE_IOERR, "SQLITE_IOERR"},
        {SQLITE_IOERR_READ, "SQLITE_IOERR_READ"},
        {SQLITE_IOERR_SHORT_READ, "SQLITE_IOERR_SHORT_READ"},
        {SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"},
        {SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"},
        {SQLITE_IOERR_DIR_FSYNC, "SQLITE_IOERR_DIR_FSYNC"},
        {SQLITE_IOERR_TRUNCATE, "SQLITE_IOERR_TRUNCATE"},
        {SQLITE_IOERR_FSTAT, "SQLITE_IOERR_FSTAT"},
        {SQLITE_IOERR_LOCK, "SQLITE_IOERR_LOCK"},
        {SQLITE_IOERR_SHMOPEN, "SQLITE_IOERR_SHMOPEN"},
        {SQLITE_IOERR_SHMSIZE, "SQLITE_IOERR_SHMSIZE"},
        {SQLITE_IOERR_SHMMAP, "SQLITE_IOERR_SHMMAP"},
        {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
        {SQLITE_CORRUPT_INDEX, "SQLITE_CORRUPT_INDEX"},
        {SQLITE_FULL, "SQLITE_FULL"},
        {SQLITE_CANTOPEN, "SQLITE_CANTOPEN"},
        {SQLITE_CANTOPEN_ISDIR, "SQLITE_CANTOPEN_ISDIR"},
        {SQLITE_PROTOCOL, "SQLITE_PROTOCOL"},
        {SQLITE_SCHEMA, "SQLITE_SCHEMA"},
        {SQLITE_TOOBIG, "SQLITE_TOOBIG"},
        {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"},
        {SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL"},
        {SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY"},
        {SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE"},
        {SQLITE_MISMATCH, "SQLITE_MISMATCH"},
        {SQLITE_MISUSE, "SQLITE_MISUSE"},
        {SQLITE_RANGE, "SQLITE_RANGE"},
        {SQLITE_NOTADB, "SQLITE_NOTADB"},
    }};
    const auto find = [](int wanted) {
        return std::ranges::find(names, wanted, &std::pair<int, std::string_view>::first);
    };
    if (const auto exact = find(code); exact != names.end()) return std::string{exact->second};
    const auto family = find(code & 0xFF);
    const std::string name{family != names.end() ? family->second : "SQLite result"};
    return name + " (" + std::to_string(code) + ")";
}

/// What an operator can do about it, or nothing.
[[nodiscard]] inline std::string_view adviceFor(int code) {
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return "\nAnother program is writing to the file; end its transaction.";
        case SQLITE_FULL:
            return "\nMake room on the disk, or raise SqliteOptions::bytesMax if it is set.";
        case SQLITE_IOERR:
            return "\nLook at the disk's health, its free space and the limits of this process.";
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
            return "\nThis process needs to write to the file and to its directory.";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "\nRestore it from a backup, or see what sqlite3 tells of it with "
                   "\"pragma integrity_check\".";
        default: return "";
    }
}

/// Whether the same call may succeed later without anybody acting.
[[nodiscard]] inline StoreError::Kind kindOf(int code) {
    const int family = code & 0xFF;
    return family == SQLITE_BUSY || family == SQLITE_LOCKED ? StoreError::Kind::retryable
                                                            : StoreError::Kind::permanent;
}

}  // namespace durable::inline v0::sqlite
