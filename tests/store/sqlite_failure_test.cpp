// SPDX-License-Identifier: Apache-2.0
#include <durable/sqlite.hpp>

#include <signal.h>
#include <sqlite3.h>
#include <store/child_process.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

/// The payloads of an execution's entries, separated by spaces.
std::string payloadsOf(Store& store, ExecutionId execution) {
    std::string payloads;
    for (const auto& entry : store.load(execution)) payloads += *entry.payload + " ";
    return payloads;
}

}  // namespace

TEST_CASE("a journal that reached bytesMax refuses what does not fit and goes on") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    auto store = SqliteStore::open(file, {.bytesMax = mebibyte});
    append(*store, started(1));
    appendStep(*store, 1, "1", "before");

    CHECK(storeErrorOf([&] { appendStep(*store, 1, "2", std::string(2 * mebibyte, 'x')); }) ==
          "Could not append to the journal " + file.string() +
              ": database or disk is full (SQLITE_FULL)\n"
              "Make room on the disk, or raise SqliteOptions::bytesMax if it is set.");

    CHECK(payloadsOf(*store, 1) == "before ");
    appendStep(*store, 1, "2", "after");
    CHECK(payloadsOf(*store, 1) == "before after ");
    store.reset();
    store = SqliteStore::open(file, {.bytesMax = 8 * mebibyte});
    appendStep(*store, 1, "3", std::string(2 * mebibyte, 'x'));
    CHECK(store->load(1).size() == 3);
}

TEST_CASE("a disk that refuses a write fails the whole append, and nothing after it") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    ChildProcess child{[&](const auto& tell) {
        ::signal(SIGXFSZ, SIG_IGN);
        const auto limitFileSize = [](::rlim_t bytes) {
            ::rlimit limit{};
            ::getrlimit(RLIMIT_FSIZE, &limit);
            limit.rlim_cur = bytes;
            ::setrlimit(RLIMIT_FSIZE, &limit);
        };
        const auto store = SqliteStore::open(file);
        append(*store, started(1));
        appendStep(*store, 1, "1", "before");

        limitFileSize(mebibyte);
        const std::string large(2 * mebibyte, 'x');
        const std::vector<Entry> entries{
            {.kind = EntryKind::succeeded, .operationId = "2", .payload = large}};
        const std::vector<Commit> commits{started(2, "tuesday"),
                                          {.execution = 1, .entries = entries},
                                          {.execution = 1, .end = ExecutionEnd{}}};
        for (int attempt = 0; attempt < 3; ++attempt) {
            tell(storeErrorOf([&] { store->append(commits); }));
        }
        tell(payloadsOf(*store, 1) + (store->find(1)->end ? "ended" : "running"));
        tell(std::to_string(store->lastExecution()));

        limitFileSize(RLIM_INFINITY);
        appendStep(*store, 1, "2", "after");
        tell(payloadsOf(*store, 1));
        store->append(commits);
        tell(std::to_string(store->lastExecution()));
    }};

    for (int attempt = 0; attempt < 3; ++attempt) {
        CHECK_THAT(child.line(), ContainsSubstring("(SQLITE_IOERR_WRITE)"));
        CHECK_THAT(child.line(), ContainsSubstring("free space"));
    }
    CHECK(child.line() == "before running");
    CHECK(child.line() == "1");
    CHECK(child.line() == "before after ");
    CHECK(child.line() == "2");
    CHECK(child.rest().empty());
    child.wait();
    CHECK(SqliteStore::open(file)->load(1).size() == 3);
}

TEST_CASE("a program that holds the write lock makes an append fail, to be tried again") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file, {.busyTimeout = 0ms});
    append(*store, started(1));
    ForeignProgram other{file};
    other.execute("begin immediate");

    try {
        appendStep(*store, 1, "1", "refused");
        FAIL("appended under somebody else's lock");
    } catch (const StoreError& error) {
        CHECK(error.retryable());
        CHECK(error.what() == "Could not append to the journal " + file.string() +
                                  ": database is locked (SQLITE_BUSY)\n"
                                  "Another program is writing to the file; end its transaction.");
    }
    CHECK(payloadsOf(*store, 1).empty());  // reading needs no lock

    other.execute("rollback");
    appendStep(*store, 1, "1", "accepted");
    CHECK(payloadsOf(*store, 1) == "accepted ");
}

TEST_CASE("a reader that stays and a backup stop no append, and see whole transactions") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto copy = directory / "copy.db";
    const auto store =
        SqliteStore::open(file, {.durability = Durability::normal, .busyTimeout = 0ms});
    append(*store, started(1));
    ForeignProgram reader{file};
    reader.execute("begin");
    REQUIRE(reader.query("select count(*) from journal") == "0");

    sqlite3* from = nullptr;
    sqlite3* to = nullptr;
    REQUIRE(sqlite3_open_v2(file.c_str(), &from, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_open(copy.c_str(), &to) == SQLITE_OK);
    auto* backup = sqlite3_backup_init(to, "main", from, "main");
    REQUIRE(backup != nullptr);
    const std::string payload(3000, 'x');
    for (int i = 1; i <= 2000; ++i) {  // the log cannot be checkpointed past the reader
        appendStep(*store, 1, std::to_string(i), payload);
        if (i % 10 == 0) REQUIRE(sqlite3_backup_step(backup, 7) == SQLITE_OK);
    }
    REQUIRE(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
    REQUIRE(sqlite3_backup_finish(backup) == SQLITE_OK);
    sqlite3_close(from);
    sqlite3_close(to);

    CHECK(reader.query("select count(*) from journal") == "0");
    reader.execute("rollback");
    appendStep(*store, 1, "2001", "after");
    CHECK(store->load(1).size() == 2001);
    CHECK(SqliteStore::open(copy)->load(1).size() == 2000);
    CHECK(ForeignProgram{copy}.query("pragma integrity_check") == "ok");
}

TEST_CASE("an append that fails in its middle keeps nothing of it") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file, {.recoveredRowsMax = 1});
    append(*store, started(1));
    appendStep(*store, 1, "1", "before");
    const std::vector<Entry> entries{
        {.kind = EntryKind::succeeded, .operationId = "2", .payload = "lost"}};

    // The last of them takes a name that is taken.
    const std::vector<Commit> commits{{.execution = 1, .entries = entries, .end = ExecutionEnd{}},
                                      started(2, "tuesday"),
                                      started(3, "monday")};
    const auto message = storeErrorOf([&] { store->append(commits); });

    CHECK_THAT(message, ContainsSubstring("(SQLITE_CONSTRAINT_UNIQUE)"));
    CHECK_THAT(message, ContainsSubstring("executions.handler, executions.name"));
    CHECK_NOTHROW(ForeignProgram{file}.execute("begin immediate; rollback"));
    CHECK(payloadsOf(*store, 1) == "before ");
    CHECK_FALSE(store->find(1)->end);
    CHECK(store->lastExecution() == 1);
    appendStep(*store, 1, "2", "after");
    CHECK(payloadsOf(*store, 1) == "before after ");
}

TEST_CASE("entries for an execution that was never started are refused") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file);

    CHECK(storeErrorOf([&] { appendStep(*store, 7, "1", ""); }) ==
          "Could not append to the journal " + file.string() + ": execution 7 is not in it");
}

TEST_CASE("nothing is recorded once the file was moved or deleted") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file);
    append(*store, started(1));

    std::filesystem::rename(file, directory / "moved.db");

    CHECK(storeErrorOf([&] { appendStep(*store, 1, "1", ""); }) ==
          "The journal " + file.string() +
              " was moved or deleted while it was in use.\n"
              "Nothing more is recorded. Put the file back and restart this process.");
}

TEST_CASE("a row that was tampered with is reported, not read") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file);
    append(*store, started(1));
    for (const auto* id : {"1", "2", "3"}) appendStep(*store, 1, id, "x");
    const auto loading = [&](const std::string& tampering) {
        ForeignProgram other{file};
        other.execute(tampering);
        return storeErrorOf([&] { (void)store->load(1); });
    };

    CHECK_THAT(
        loading("update journal set entries = '[{' where position = 2"),
        ContainsSubstring("The journal " + file.string() + " is damaged: row 2 cannot be read: "));
    CHECK_THAT(loading("update journal set execution = 9 where position = 2"),
               ContainsSubstring("is damaged: row 2 is of another execution\nRestore it from"));
    CHECK_THAT(loading("update journal set previous = 3 where position = 3"),
               ContainsSubstring("is damaged: row 3 points forward\n"));
    CHECK_THAT(loading("delete from journal where position = 3"),
               ContainsSubstring("is damaged: row 3 is missing\n"));
    for (const std::string error : {R"({"Cause":7})", "{", "7"}) {
        ForeignProgram{file}.execute("update executions set end_time = start_time, error = '" +
                                     error + "'");
        CHECK_THAT(storeErrorOf([&] { (void)store->find(1); }),
                   ContainsSubstring("is damaged: execution 1 has an error that cannot be read"));
    }
    ForeignProgram{file}.execute("update executions set error = '" + std::string(100'000, '[') +
                                 "'");
    const auto tooDeep = storeErrorOf([&] { (void)store->find(1); });
    CHECK_THAT(tooDeep, ContainsSubstring("an error that cannot be read (JSON must be nested at "
                                          "most 512 deep, this is deeper), \"[[["));
    CHECK(tooDeep.size() < 1000);
    ForeignProgram{file}.execute("update executions set start_time = 'yesterday'");
    CHECK_THAT(storeErrorOf([&] { (void)store->find(1); }),
               ContainsSubstring(
                   "is damaged: execution 1 has a time that cannot be read, \"yesterday\"\n"));
}
