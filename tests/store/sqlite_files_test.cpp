// SPDX-License-Identifier: Apache-2.0
// A journal is a database and its log. What happens when one of them is moved, deleted or replaced.
#include <durable/sqlite.hpp>

#include <store/child_process.hpp>
#include <store/fault_vfs.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace durable;
namespace fs = std::filesystem;

namespace {

/// How a process ends that has a journal open.
enum class End { closing, crash };

/// A journal with one execution, "monday", in the log only, and a backup with one, "tuesday".
struct Shop {
    TemporaryDirectory directory{};
    fs::path file = directory / "orders.db";
    fs::path log = directory / "orders.db-wal";
    fs::path lock = directory / "orders.db-lock";
    fs::path backup = directory / "backup.db";
    fs::path aside = directory / "aside";

    Shop() { append(*SqliteStore::open(backup), started(1, "tuesday")); }

    /// Lets a process open the journal, and then do `action` and append once more.
    /// \return what that append threw.
    std::string use(End end, const std::function<void()>& action) {
        ChildProcess child{[&](const auto& tell) {
            const auto store = SqliteStore::open(file);
            append(*store, started(1));
            action();
            tell(storeErrorOf([&] { appendStep(*store, 1, "1", ""); }));
            if (end == End::crash) ::_exit(0);
        }};
        user = std::to_string(child.id());
        auto told = child.rest();
        child.wait();
        return told;
    }

    [[nodiscard]] std::string openingFails() const {
        return storeErrorOf([&] { (void)SqliteStore::open(file); });
    }

    /// The executions in the journal, or "" if it has none.
    [[nodiscard]] std::string names() const {
        std::string names;
        for (const auto& record : SqliteStore::open(file)->list({})) names += record.start.name;
        return names;
    }

    /// What a refusal of `strange` says.
    [[nodiscard]] std::string refusal(const fs::path& strange) const {
        return strange.string() + " is not the file that process " + user + " used with " +
               (strange == log ? file : log).string() +
               ": it was replaced or deleted.\nNothing was changed. To go on where that process "
               "ended, put the old file back. To open the journal without what is in its log, "
               "delete " +
               log.string() + " and " + lock.string() +
               ". If the two files do belong together, delete only " + lock.string() + ".";
    }

    std::string user{};  ///< number of the last process that had the journal open
};

}  // namespace

TEST_CASE("nothing is recorded once the log was moved, deleted or replaced") {
    const Shop shop;
    const std::vector<std::function<void()>> accidents{
        [&] { fs::remove(shop.log); },
        [&] { fs::rename(shop.log, shop.aside); },
        [&] { fs::rename(shop.backup, shop.log); },
        [&] {
            fs::copy_file(shop.log, shop.aside, fs::copy_options::overwrite_existing);
            fs::rename(shop.aside, shop.log);
        },
    };
    std::string id;
    for (const auto& accident : accidents) {
        id += 'x';
        auto store = SqliteStore::open(shop.file);
        if (id.size() == 1) append(*store, started(1));
        appendStep(*store, 1, id, "");

        accident();

        for (int attempt = 0; attempt < 2; ++attempt) {
            CHECK(storeErrorOf([&] { appendStep(*store, 1, "late", ""); }) ==
                  "The log " + shop.log.string() +
                      " of the journal was moved, deleted or replaced while it was in use.\n"
                      "Nothing more is recorded. Restart this process.");
        }
        store.reset();
        store = SqliteStore::open(shop.file);
        const auto entries = store->load(1);
        REQUIRE(entries.size() == id.size());
        CHECK(entries.back().operationId == id);
        appendStep(*store, 1, id += 'x', "");
    }
}

TEST_CASE("what was recorded before the log was lost survives a crash after the refusal") {
    Shop shop;

    CHECK_FALSE(shop.use(End::crash, [&] { fs::remove(shop.log); }).empty());

    CHECK(shop.names() == "monday");
}

TEST_CASE("a log is not applied to another file that took the name of its database") {
    for (const auto end : {End::closing, End::crash}) {
        for (const bool back : {false, true}) {
            Shop shop;
            const auto content = contentOf(shop.backup);
            CHECK_FALSE(shop.use(end,
                                 [&] {
                                     fs::rename(shop.file, shop.aside);
                                     fs::rename(shop.backup, shop.file);
                                 })
                            .empty());
            CHECK(contentOf(shop.file) == content);
            const auto log = contentOf(shop.log);

            for (int attempt = 0; attempt < 2; ++attempt) {
                CHECK(shop.openingFails() == shop.refusal(shop.file));
            }

            CHECK(contentOf(shop.file) == content);
            CHECK(contentOf(shop.log) == log);
            if (back) {
                fs::rename(shop.aside, shop.file);
                CHECK(shop.names() == "monday");
            } else {
                fs::remove(shop.log);
                fs::remove(shop.lock);
                CHECK(shop.names() == "tuesday");
            }
            CHECK_FALSE(fs::exists(shop.lock));
        }
    }
}

TEST_CASE("a log whose database was deleted is neither lost nor applied to a new one") {
    for (const auto end : {End::closing, End::crash}) {
        Shop shop;
        shop.use(end, [&] { fs::rename(shop.file, shop.aside); });

        CHECK(shop.openingFails() == shop.refusal(shop.file));

        CHECK_FALSE(fs::exists(shop.file));
        fs::rename(shop.aside, shop.file);
        CHECK(shop.names() == "monday");
    }
}

TEST_CASE("a file that is made where the database was deleted is not taken for it") {
    Shop shop;
    shop.use(End::crash, [&] { return; });
    if (sqlite::birthOf(shop.file) == 0) {
        std::puts("SKIPPED: this file system does not tell when a file was made");
        return;
    }

    fs::remove(shop.file);
    fs::copy_file(shop.backup, shop.file);  // often gets the same inode

    CHECK(shop.openingFails() == shop.refusal(shop.file));
}

TEST_CASE("a database does not get another log that took the name of its own") {
    Shop shop;
    shop.use(End::crash, [&] { return; });
    fs::copy_file(shop.log, shop.aside);
    fs::rename(shop.aside, shop.log);

    CHECK(shop.openingFails() == shop.refusal(shop.log));

    fs::remove(shop.lock);  // the operator says that it is a copy
    CHECK(shop.names() == "monday");
}

TEST_CASE("a copy of all files of a crashed journal is a journal") {
    Shop shop;
    shop.use(End::crash, [&] { return; });
    const TemporaryDirectory copy;
    for (const auto& name : filesIn(shop.directory.path())) {
        fs::copy_file(shop.directory / name, copy / name);
    }

    CHECK(SqliteStore::open(copy / "orders.db")->lastExecution() == 1);
    CHECK(shop.names() == "monday");
}

TEST_CASE("an opening that fails after a crash keeps the evidence of what belongs together") {
    Shop shop;
    shop.use(End::crash, [&] { return; });
    {
        FaultVfs vfs;
        vfs.arm(1, FaultVfs::Lasting::fromThenOn);
        CHECK_THAT(shop.openingFails(), Catch::Matchers::ContainsSubstring("SQLITE_CANTOPEN"));
    }
    shop.user = std::to_string(::getpid());

    fs::rename(shop.backup, shop.file);

    CHECK(shop.openingFails() == shop.refusal(shop.file));
}

TEST_CASE("the log that a reader keeps after the journal was closed is still told from others") {
    Shop shop;
    auto store = SqliteStore::open(shop.file);
    std::optional<ForeignProgram> reader{shop.file};
    append(*store, started(1));
    REQUIRE(reader->query("select name from executions") == "monday");
    store.reset();
    REQUIRE(fs::exists(shop.log));

    CHECK(shop.names() == "monday");  // the same files, and not yet their last user

    reader.reset();
    CHECK(shop.names() == "monday");
    CHECK_FALSE(fs::exists(shop.lock));
}
