// SPDX-License-Identifier: Apache-2.0
// What an append has done when it returns, and how long it waits before it gives up.
#include <durable/sqlite.hpp>

#include <store/fault_vfs.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

/// The files of an open journal, as a crash would leave them now.
fs::path crashed(const fs::path& file, const TemporaryDirectory& directory) {
    const auto copy = directory / "crashed.db";
    fs::remove(directory / "crashed.db-shm");
    fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
    fs::copy_file(file.string() + "-wal", copy.string() + "-wal",
                  fs::copy_options::overwrite_existing);
    return copy;
}

}  // namespace

TEST_CASE("with full durability every append is synced when it returns") {
    const TemporaryDirectory directory;
    FaultVfs vfs;
    const auto store = SqliteStore::open(directory / "orders.db");

    append(*store, started(1));
    CHECK(vfs.logIsSynced());
    for (int i = 1; i <= 20; ++i) {
        const auto before = vfs.logSyncs();
        appendStep(*store, 1, std::to_string(i), "x");
        CHECK(vfs.logSyncs() > before);
        CHECK(vfs.logIsSynced());
    }
}

TEST_CASE("with normal durability the log is synced only before it is written to the database") {
    const TemporaryDirectory directory;
    FaultVfs vfs;
    auto store = SqliteStore::open(directory / "orders.db", {.durability = Durability::normal});
    append(*store, started(1));
    const auto before = vfs.logSyncs();

    for (int i = 1; i <= 20; ++i) appendStep(*store, 1, std::to_string(i), "x");

    CHECK(vfs.logSyncs() == before);
    CHECK_FALSE(vfs.logIsSynced());
    store.reset();  // writes the log to the database
    CHECK(vfs.logSyncs() > before);
    CHECK(vfs.writesBeforeLogSync() == 0);
}

TEST_CASE("an append waits for another program's transaction to end") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    FaultVfs vfs;
    const auto store = SqliteStore::open(file);
    append(*store, started(1));
    ForeignProgram other{file};
    other.execute("begin immediate");

    int sleeps = 0;
    vfs.whileAsleep([&] {
        if (++sleeps == 3) other.execute("rollback");
    });
    appendStep(*store, 1, "1", "x");

    CHECK(sleeps == 3);
    CHECK(store->load(1).size() == 1);
}

TEST_CASE("an append waits for as long as busyTimeout says and no longer") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    FaultVfs vfs;
    for (const std::chrono::milliseconds timeout : {0ms, 70ms, 5000ms}) {
        const auto store = SqliteStore::open(file, {.busyTimeout = timeout});
        ForeignProgram other{file};
        other.execute("begin immediate");
        const auto before = vfs.slept();

        CHECK_THROWS_AS(append(*store, started(1)), StoreError);

        CHECK(std::chrono::microseconds{vfs.slept() - before} == timeout);
    }
}

TEST_CASE("after a crash only about recoveredRowsMax rows are read again") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto store = SqliteStore::open(file, {.recoveredRowsMax = 17});
    append(*store, started(1));
    append(*store, started(2, "tuesday"));

    std::size_t most = 0;
    for (int i = 1; i <= 60; ++i) {
        appendStep(*store, 1 + i % 2, std::to_string(i), "x");
        const auto copy = crashed(file, directory);
        const auto tail = ForeignProgram{copy}.query(
            "select count(*) from journal, recovery where position > covered_position");
        most = std::max(most, static_cast<std::size_t>(std::stoul(tail)));
        if (i % 20 != 0) continue;
        const auto recovered = SqliteStore::open(copy);
        CHECK(recovered->load(1).size() + recovered->load(2).size() == static_cast<std::size_t>(i));
    }
    CHECK(most == 17);
}

TEST_CASE("an append whose sync failed does not come back after a crash") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    FaultVfs vfs;
    const auto store = SqliteStore::open(file);
    append(*store, started(1));
    for (const std::size_t bytes : {1U, 50'000U}) {
        const auto before = store->load(1).size();
        const auto count = std::to_string(before);

        vfs.armLogSyncs(1);
        CHECK_THAT(storeErrorOf([&] { appendStep(*store, 1, "no", std::string(bytes, 'x')); }),
                   ContainsSubstring("(SQLITE_IOERR_FSYNC)"));

        CHECK(vfs.logIsSynced());
        CHECK(store->load(1).size() == before);
        const auto copy = crashed(file, directory);
        CHECK(ForeignProgram{copy}.query("select count(*) from journal") == count);
        appendStep(*store, 1, "yes", "x");
        CHECK(store->load(1).size() == before + 1);
    }
}

TEST_CASE("an append whose sync failed may come back while no later write goes well") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    FaultVfs vfs;
    const auto store = SqliteStore::open(file);
    append(*store, started(1));

    vfs.armLogSyncs(2);  // also of the attempt to overwrite it
    CHECK_THROWS_AS(appendStep(*store, 1, "1", std::string(50'000, 'x')), StoreError);
    CHECK(store->load(1).empty());
    const auto rows = [&] {
        return ForeignProgram{crashed(file, directory)}.query("select count(*) from journal");
    };
    CHECK((rows() == "0" || rows() == "1"));

    appendStep(*store, 1, "2", "x");
    CHECK(rows() == "1");
    CHECK(store->load(1).front().operationId == "2");
}
