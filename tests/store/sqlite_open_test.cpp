// SPDX-License-Identifier: Apache-2.0
#include <durable/sqlite.hpp>

#include <store/child_process.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string openingFails(const std::filesystem::path& file) {
    return storeErrorOf([&] { (void)SqliteStore::open(file); });
}

/// What a child process without root's rights gets when it opens `file`.
std::string openingFailsForUser(const std::filesystem::path& file) {
    ChildProcess child{[&](const auto& tell) {
        if (::geteuid() == 0 && ::setuid(65'534) != 0) return;
        tell(openingFails(file));
    }};
    return child.rest();
}

}  // namespace

TEST_CASE("a closed journal is one file") {
    const TemporaryDirectory directory;

    auto store = SqliteStore::open(directory / "orders.db");
    append(*store, started(1));
    store.reset();

    CHECK(filesIn(directory.path()) == std::vector<std::string>{"orders.db"});
}

TEST_CASE("while a journal is in use its log, index and lock stand beside it") {
    const TemporaryDirectory directory;
    const auto store = SqliteStore::open(directory / "orders.db");
    append(*store, started(1));

    CHECK(filesIn(directory.path()) == std::vector<std::string>{"orders.db", "orders.db-lock",
                                                                "orders.db-shm", "orders.db-wal"});
}

TEST_CASE("an empty file becomes a journal") {
    const TemporaryDirectory directory;
    write(directory / "orders.db", "");

    CHECK(SqliteStore::open(directory / "orders.db")->lastExecution() == 0);
}

TEST_CASE("a file that is not SQLite is refused and left alone") {
    const TemporaryDirectory directory;
    const auto file = directory / "notes.txt";
    for (const std::string content : {"x", "SQLite format 3", "Dear diary, today I learnt\n"}) {
        write(file, content);

        CHECK(openingFails(file) ==
              file.string() +
                  " is not a journal: it is not an SQLite file.\n"
                  "Nothing was changed. Give the engine the path of a journal, or of a new file.");
        CHECK(contentOf(file) == content);
        CHECK(filesIn(directory.path()) == std::vector<std::string>{"notes.txt"});
    }
}

TEST_CASE("a file of zeros is refused and left alone") {
    const TemporaryDirectory directory;
    const auto file = directory / "zeros";
    const std::string content(8192, '\0');
    write(file, content);

    CHECK_THAT(openingFails(file), ContainsSubstring("file is not a database"));
    CHECK(contentOf(file) == content);
}

TEST_CASE("an SQLite file of another program is refused and left alone") {
    const TemporaryDirectory directory;
    const auto file = directory / "photos.db";
    ForeignProgram{file}.execute("create table photos (name); pragma application_id = 42");
    const auto content = contentOf(file);

    CHECK(openingFails(file) ==
          file.string() +
              " is not a journal: it is an SQLite file of another program (application_id 42).\n"
              "Nothing was changed. Give the engine the path of a journal, or of a new file.");
    CHECK(contentOf(file) == content);
    CHECK(filesIn(directory.path()) == std::vector<std::string>{"photos.db"});
}

TEST_CASE("a journal of a newer version is refused, naming both versions") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    (void)SqliteStore::open(file);
    ForeignProgram{file}.execute("pragma user_version = 9");

    CHECK(openingFails(file) ==
          "The journal " + file.string() +
              " has schema version 9; this program knows versions up to 1.\n"
              "It was written by a newer version of durable: build this program with that version, "
              "or give it a file of its own.");
}

TEST_CASE("a read-only journal is refused") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    append(*SqliteStore::open(file), started(1));
    ::chmod(directory.path().c_str(), 0777);
    ::chmod(file.c_str(), 0444);

    CHECK_THAT(openingFailsForUser(file),
               ContainsSubstring("The journal " + file.string() +
                                 " is read-only for this process (user "));
    CHECK(filesIn(directory.path()) == std::vector<std::string>{"orders.db"});
}

TEST_CASE("a journal in a read-only directory is refused") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    append(*SqliteStore::open(file), started(1));
    ::chmod(file.c_str(), 0666);
    ::chmod(directory.path().c_str(), 0555);

    for (const auto& refused : {file, directory / "new.db"}) {
        CHECK(openingFailsForUser(refused) ==
              "Could not make " + refused.string() +
                  "-lock: Permission denied\n"
                  "This process needs to write to the directory of its journal: files that belong "
                  "to the journal are kept beside it.\n");
    }
}

TEST_CASE("a journal needs a directory that exists") {
    const TemporaryDirectory directory;
    const auto missing = directory / "missing";

    CHECK(openingFails(missing / "orders.db") ==
          "Could not open the journal " + (missing / "orders.db").string() + ": the directory " +
              missing.string() + " does not exist.\nMake it first.");
}

TEST_CASE("a path that names no file is refused") {
    const TemporaryDirectory directory;

    CHECK(openingFails(directory.path()) ==
          directory.path().string() + " is a directory; a journal is a file.");
    CHECK(openingFails(":memory:") ==
          "SqliteStore needs the path of a file, got \":memory:\".\n"
          "For journals in memory use MemoryStore.");
    CHECK_THAT(openingFails(""), ContainsSubstring("got \"\""));
}

TEST_CASE("a journal is opened once in a process, under whatever name") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    std::filesystem::create_symlink(file, directory / "link.db");
    auto store = SqliteStore::open(file);

    for (const auto& name : {file, directory / "link.db", directory / "." / "orders.db"}) {
        CHECK(openingFails(name) ==
              "The journal " + file.string() + " is in use by this process, number " +
                  std::to_string(::getpid()) +
                  ".\nOne engine owns a journal at a time: stop the other one, or give this one a "
                  "file of its own. Any number of programs may read it.");
    }
    append(*store, started(1));
    store.reset();

    CHECK(SqliteStore::open(directory / "link.db")->lastExecution() == 1);
}

TEST_CASE("a second process is told who has the journal, until that one ends") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    ChildProcess owner{[&](const auto& tell) {
        const auto store = SqliteStore::open(file);
        append(*store, started(1));
        tell("open");
        ::pause();
    }};
    REQUIRE(owner.line() == "open");

    CHECK_THAT(openingFails(file),
               ContainsSubstring("is in use by process " + std::to_string(owner.id()) + ".\n"));
    CHECK(ForeignProgram{file}.query("select name from executions") == "monday");

    owner.kill();
    CHECK(SqliteStore::open(file)->lastExecution() == 1);
}

TEST_CASE("a damaged journal is reported with what SQLite says of it") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    (void)SqliteStore::open(file);
    auto content = contentOf(file);
    std::fill(content.begin() + 100, content.end(), '\xAA');
    write(file, content);

    const auto message = openingFails(file);
    CHECK_THAT(message, ContainsSubstring("the journal " + file.string() + ": "));
    CHECK_THAT(message, ContainsSubstring("SQLITE_CORRUPT"));
    CHECK_THAT(message, ContainsSubstring("pragma integrity_check"));
}

TEST_CASE("an option out of range is refused before the file is made") {
    const TemporaryDirectory directory;
    const auto open = [&](const SqliteOptions& options) {
        (void)SqliteStore::open(directory / "orders.db", options);
    };

    CHECK_THROWS_WITH(open({.busyTimeout = -1ms}), "busyTimeout must be from 0 to 3600000, got -1");
    CHECK_THROWS_WITH(open({.bytesMax = 1000}), "bytesMax must be at least 1048576, got 1000");
    CHECK_THROWS_WITH(open({.recoveredRowsMax = 0}), "recoveredRowsMax must be at least 1, got 0");
    CHECK(filesIn(directory.path()).empty());
}

TEST_CASE("a journal says what it was opened with") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file, {.durability = Durability::normal});
    append(*store, started(1));

    ForeignProgram reader{file};
    CHECK(reader.query("pragma journal_mode") == "wal");
    CHECK(reader.query("pragma application_id") == "1685418594");
    CHECK(reader.query("pragma user_version") == "1");
}
