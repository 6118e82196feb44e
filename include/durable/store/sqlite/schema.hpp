// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/sqlite/connection.hpp>
#include <durable/store/sqlite/file_header.hpp>
#include <durable/store/sqlite/statement.hpp>
#include <durable/store/sqlite/views.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// \file
/// The tables of a journal file, and how a file of an older version becomes one of this version.

namespace durable::inline v0::sqlite {

/// One step from a version of the schema to the next; the first makes version 1.
struct Migration {
    std::string sql{};
};

/// The comments end up in the file: `sqlite3 orders.db .schema` shows them.
///
/// What changes while an execution runs is in small tables of its own, apart from its input, which
/// may be megabytes and would be written again with each change.
inline constexpr const char* tablesSql = R"sql(
create table executions (         -- one row per execution, written when it starts and when it ends
    id                integer primary key,
    handler           text not null,
    name              text not null,
    status            text not null,        -- RUNNING, SUCCEEDED, FAILED, TIMED_OUT, STOPPED
    start_time        text not null,        -- all times in UTC
    end_time          text,
    timeout           integer,              -- in seconds
    tenant            text,
    invoker           integer,              -- the execution that invoked this one
    invoker_operation text,                 -- and the operation
    end_acknowledged  integer not null,     -- 1 once the invoker has recorded the end
    last_position     integer not null,     -- of an ended one: its last row in journal, or 0
    input             text,
    result            text,
    error             text,                 -- JSON: ErrorType, ErrorMessage, ErrorData, StackTrace
    unique (handler, name)
);
-- Almost always empty; asked at each start of an engine.
create index unacknowledged on executions (id)
    where invoker is not null and end_time is not null and end_acknowledged = 0;

create table unfinished (         -- where the executions that have not ended stand
    execution         integer primary key,
    last_position     integer not null,     -- a row in journal; may lag behind, see recovery
    waiting           integer not null,     -- 1: waits for the world only
    wake_at           text                  -- its next timer
);
create table journal (            -- what happened; only appended to
    position          integer primary key,  -- from 1, without gaps
    execution         integer not null,
    previous          integer,              -- position of the execution's row before this one
    entries           text not null         -- JSON: an array of entries; see the views
);
create table recovery (           -- one row
    covered_position  integer not null      -- up to it, each row is found from a last_position
);
insert into recovery values (0);
)sql";

/// All steps, oldest first. Append only: a step that was released is never changed.
[[nodiscard]] inline std::vector<Migration> migrations() {
    return {{std::string{tablesSql} + viewsSql()}};
}

[[nodiscard]] inline std::int64_t readPragma(Connection& connection, const std::string& name) {
    Statement statement{connection, "open", "pragma " + name};
    auto rows = statement.query();
    return rows.next() ? rows.integer(0) : 0;
}

/// The schema version of the file.
/// \throws StoreError if it is newer than `newest`.
inline std::int64_t requireKnownVersion(Connection& connection, std::size_t newest) {
    const auto version = readPragma(connection, "user_version");
    if (version <= static_cast<std::int64_t>(newest)) return version;
    throw StoreError{"The journal " + connection.file() + " has schema version " +
                     std::to_string(version) + "; this program knows versions up to " +
                     std::to_string(newest) +
                     ".\nIt was written by a newer version of durable: build this program with "
                     "that version, or give it a file of its own."};
}

/// Brings the file to the version that `steps` end at. Each step is one transaction, so that a
/// crash leaves a version that exists.
inline void migrate(Connection& connection, std::span<const Migration> steps) {
    const auto version = requireKnownVersion(connection, steps.size());
    for (auto done = static_cast<std::size_t>(version); done < steps.size(); ++done) {
        Transaction transaction{connection, "upgrade"};
        connection.execute(steps[done].sql, "upgrade");
        connection.execute("pragma user_version = " + std::to_string(done + 1), "upgrade");
        transaction.commit();
    }
}

/// Writes the mark of a journal, one page, whether it is there or not.
inline void writeMark(Connection& connection) {
    connection.execute("pragma application_id = " + std::to_string(applicationId), "make");
}

/// Marks the file as a journal, if it has no mark, before anything else is in it. Not in WAL mode
/// yet, so that the mark is in the file itself, where `requireNotForeign` looks for it, even after
/// a crash. SQLite is asked, since it may just have rolled back the mark that the file had.
inline void markAsJournal(Connection& connection) {
    if (readPragma(connection, "application_id") == applicationId) return;
    writeMark(connection);
}

}  // namespace durable::inline v0::sqlite
