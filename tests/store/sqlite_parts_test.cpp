// SPDX-License-Identifier: Apache-2.0
#include <durable/store/sqlite/file_lock.hpp>
#include <durable/store/sqlite/iso_time.hpp>
#include <durable/store/sqlite/last_positions.hpp>
#include <durable/store/sqlite/reader.hpp>
#include <durable/store/sqlite/schema.hpp>

#include <store/child_process.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace durable;
using namespace durable::sqlite;
using namespace std::chrono_literals;

TEST_CASE("a forked child that lets go of its copy of the lock does not take it from its parent") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    auto lock = std::make_unique<FileLock>(file);

    ChildProcess child{[&](const auto& tell) {
        lock.reset();
        tell("let go");
    }};
    REQUIRE(child.line() == "let go");
    child.wait();

    CHECK(filesIn(directory.path()) == std::vector<std::string>{"orders.db-lock"});
    CHECK_THAT(storeErrorOf([&] { const FileLock second{file}; }),
               Catch::Matchers::ContainsSubstring("is in use by this process"));
    lock.reset();
    CHECK(filesIn(directory.path()).empty());
}

TEST_CASE("an older file is brought to the newest version, step by step") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    append(*SqliteStore::open(file), started(1));
    Connection connection{file, 0ms};
    auto steps = migrations();
    steps.push_back({"alter table executions add column colour text not null default 'blue'"});
    steps.push_back({"update executions set colour = colour || ' and red'"});

    migrate(connection, steps);
    migrate(connection, steps);  // nothing is left to do

    ForeignProgram reader{file};
    CHECK(reader.query("pragma user_version") == "3");
    CHECK(reader.query("select name, colour from executions", 2) == "monday|blue and red");
    CHECK(storeErrorOf([&] { migrate(connection, migrations()); }) ==
          "The journal " + file.string() +
              " has schema version 3; this program knows versions up to 1.\n"
              "It was written by a newer version of durable: build this program with that version, "
              "or give it a file of its own.");
}

TEST_CASE("a step that fails leaves the version before it") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    append(*SqliteStore::open(file), started(1));
    Connection connection{file, 0ms};
    auto steps = migrations();
    steps.push_back({"alter table executions add column colour text"});
    steps.push_back({"create table half (done); insert into nowhere values (1)"});

    CHECK(storeErrorOf([&] { migrate(connection, steps); }) ==
          "Could not upgrade the journal " + file.string() +
              ": no such table: nowhere (SQLITE_ERROR)");

    ForeignProgram reader{file};
    CHECK(reader.query("pragma user_version") == "2");
    CHECK(reader.query("select count(*) from sqlite_schema where name = 'half'") == "0");
}

TEST_CASE("a file that crashed while it was made is made again") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    {
        Connection connection{file, 0ms};
        markAsJournal(connection);
    }

    CHECK(SqliteStore::open(file)->lastExecution() == 0);
}

TEST_CASE("a file that crashed while it was marked is marked again") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    {
        Connection connection{file, 0ms};
        markAsJournal(connection);
    }
    // SQLite's rollback journal of a file that was empty: the mark is in the file, not committed.
    std::string rollback(512, '\0');
    const std::string_view header{
        "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"  // magic
        "\0\0\0\0\x01\x02\x03\x04"          // pages in it; nonce
        "\0\0\0\0\0\0\x02\0\0\0\x10\0",
        28};  // pages before; sizes
    rollback.replace(0, header.size(), header);
    for (const auto& content : {contentOf(file), std::string(4096, '\0')}) {
        write(file, content);
        write(directory / "orders.db-journal", rollback);

        append(*SqliteStore::open(file), started(1));

        CHECK(SqliteStore::open(file)->lastExecution() == 1);
        std::filesystem::remove(file);
    }
}

TEST_CASE("times are written in UTC to the millisecond, and read back") {
    CHECK(isoTime(TimePoint{}) == "1970-01-01T00:00:00.000Z");
    CHECK(isoTime(TimePoint{-1ms}) == "1969-12-31T23:59:59.999Z");
    CHECK(isoTime(at(0) + 3'723'004ms) == "2026-11-23T01:02:03.004Z");
    CHECK(isoTime(TimePoint::max()) == "9999-12-31T23:59:59.999Z");
    CHECK(isoTime(TimePoint::min()) == "0000-01-01T00:00:00.000Z");
    for (const std::int64_t milliseconds : {-62'167'219'200'000, -1L, 0L, 951'782'399'999}) {
        const TimePoint time{std::chrono::milliseconds{milliseconds}};
        CHECK(timeFromIso(isoTime(time)) == time);
    }
    for (const auto* text : {"", "2026-11-23", "2026-11-23T01:02:03.004z",
                             "2026-02-30T00:00:00.000Z", "2026-11-23T01:02:03.0041"}) {
        CHECK(timeFromIso(text) == std::nullopt);
    }
}

TEST_CASE("last positions are those of a map, in any order of executions") {
    std::mt19937 random{1};
    std::map<ExecutionId, Position> expected;
    LastPositions positions;
    for (Position position = 1; position < 20'000; ++position) {
        const ExecutionId execution = 1 + static_cast<ExecutionId>(random() % 300);
        if (random() % 3 == 0) {
            positions.erase(execution);
            expected.erase(execution);
        } else {
            positions.set(execution, position);
            expected[execution] = position;
        }
        const ExecutionId asked = 1 + static_cast<ExecutionId>(random() % 300);
        const auto found = expected.find(asked);
        REQUIRE(positions.find(asked) ==
                (found == expected.end() ? std::nullopt : std::optional{found->second}));
        REQUIRE(positions.size() == expected.size());
    }

    std::map<ExecutionId, Position> visited;
    positions.forEachAfter(19'700, [&](ExecutionId id, Position at) { visited[id] = at; });
    std::erase_if(expected, [](const auto& place) { return place.second <= 19'700; });
    CHECK(visited == expected);
}

TEST_CASE("a lock is free again when its owner was killed, and leaves no file when it was not") {
    const TemporaryDirectory directory;
    ChildProcess owner{[&](const auto& tell) {
        const FileLock lock{directory / "orders.db"};
        tell("locked");
        ::pause();
    }};
    REQUIRE(owner.line() == "locked");
    CHECK(storeErrorOf([&] { const FileLock lock{directory / "orders.db"}; }) != "");

    owner.kill();
    CHECK(filesIn(directory.path()) == std::vector<std::string>{"orders.db-lock"});
    {
        const FileLock lock{directory / "orders.db"};
    }
    CHECK(filesIn(directory.path()).empty());
}

TEST_CASE("result codes are told by name") {
    CHECK(nameOf(5) == "SQLITE_BUSY");
    CHECK(nameOf(13) == "SQLITE_FULL");
    CHECK(nameOf(778) == "SQLITE_IOERR_WRITE");
    CHECK(nameOf(10 + 256 * 99) == "SQLITE_IOERR (25354)");
    CHECK(nameOf(99) == "SQLite result (99)");
}

TEST_CASE("a list comes in its order from the table or the index, without being sorted") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file);
    for (ExecutionId id = 1; id <= 20; ++id) append(*store, started(id, std::to_string(id)));
    Connection connection{file, 0ms};
    Reader reader{connection};

    CHECK(reader.list({.after = 3, .countMax = 5}).size() == 5);
    CHECK(reader.list({.status = ExecutionStatus::running, .after = 3, .countMax = 5}).size() == 5);
    CHECK(reader.list({.onlyUnacknowledged = true}).empty());

    for (auto* statement = sqlite3_next_stmt(connection.handle(), nullptr); statement != nullptr;
         statement = sqlite3_next_stmt(connection.handle(), statement)) {
        INFO(sqlite3_sql(statement));
        CHECK(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 0) == 0);
    }
}
