// SPDX-License-Identifier: Apache-2.0
#include <durable/journal/entry_json.hpp>
#include <durable/sqlite.hpp>

#include <store/child_process.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace durable;

namespace {

constexpr ExecutionId executions = 5;

/// Appends one entry to all executions at once, for ever, and tells how many there are then.
/// Now and then one of them ends, or is suspended.
void appendForEver(const std::filesystem::path& file, const ChildProcess::Tell& tell) {
    const auto store = SqliteStore::open(file, {.recoveredRowsMax = 17});
    if (store->lastExecution() == 0) {
        std::vector<Commit> starts;
        for (ExecutionId id = 1; id <= executions; ++id) {
            starts.push_back(started(id, std::to_string(id)));
        }
        store->append(starts);
    }
    for (auto count = store->load(1).size() + 1;; ++count) {
        const std::vector<Entry> entries{{.kind = EntryKind::succeeded,
                                          .operationId = std::to_string(count),
                                          .payload = std::string(count % 600, 'x')}};
        std::vector<Commit> commits;
        for (ExecutionId id = 1; id <= executions; ++id) {
            commits.push_back({.execution = id, .entries = entries});
        }
        if (count % 3 == 0) commits[1].suspension = Suspension{.waiting = true};
        if (count == 50) commits[4].end = ExecutionEnd{};
        store->append(commits);
        tell(std::to_string(count));
    }
}

/// "" if every execution has entries 1, 2, 3... without a gap, at least `count` and the same
/// number of them.
std::string gapsIn(Store& store, std::size_t count) {
    const auto size = store.load(1).size();
    if (size < count) return "lost " + std::to_string(count - size);
    for (ExecutionId id = 1; id <= executions; ++id) {
        const auto entries = store.load(id);
        if (entries.size() != size) return "execution " + std::to_string(id) + " differs";
        for (std::size_t i = 0; i < size; ++i) {
            if (entries[i].operationId != std::to_string(i + 1))
                return "gap at " + std::to_string(i);
        }
    }
    return "";
}

}  // namespace

TEST_CASE("what append returned for survives kill -9 at any moment") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};

    std::size_t acknowledged = 0;
    for (int life = 0; life < 15; ++life) {
        ChildProcess child{[&](const auto& tell) { appendForEver(file, tell); }};
        for (auto reads = 1 + random() % 40; reads > 0; --reads) {
            acknowledged = std::max<std::size_t>(acknowledged, std::stoul(child.line()));
        }
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 1000});
        child.kill();

        REQUIRE(ForeignProgram{file}.query("pragma integrity_check") == "ok");
        const auto store = SqliteStore::open(file, {.recoveredRowsMax = 17});
        const auto gaps = gapsIn(*store, acknowledged);
        INFO(gaps);
        REQUIRE(gaps.empty());
    }
}

TEST_CASE("a process that ends without closing leaves a journal that goes on") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    for (int life = 1; life <= 3; ++life) {
        ChildProcess child{[&](const auto& tell) {
            const auto store = SqliteStore::open(file);
            if (life == 1) append(*store, started(1));
            appendStep(*store, 1, std::to_string(life), "x");
            tell("appended");
        }};
        REQUIRE(child.line() == "appended");
        child.wait();
    }

    const auto entries = SqliteStore::open(file)->load(1);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].operationId == "1");
    CHECK(entries[2].operationId == "3");
}

TEST_CASE("another program reads whole transactions while a process writes") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    ChildProcess child{[&](const auto& tell) { appendForEver(file, tell); }};
    REQUIRE(child.line() == "1");
    ForeignProgram reader{file};

    std::size_t growths = 0;
    std::size_t before = 0;
    for (int reads = 0; reads < 100; ++reads) {
        const auto rows = std::stoul(reader.query("select count(*) from journal"));
        CHECK(rows % executions == 0);
        CHECK(rows >= before);
        if (rows > before) ++growths;
        before = rows;
        (void)child.line();
    }
    CHECK(growths > 10);
}

TEST_CASE("a journal is readable with SQL after a crash, before any engine opens it") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    ChildProcess child{[&](const auto& tell) {
        const auto store = SqliteStore::open(file);
        append(*store, started(1));
        const std::vector<Entry> entries{{.time = at(0),
                                          .operationId = "1",
                                          .type = OperationType::callback,
                                          .name = "approval",
                                          .details = EntryDetails{.callbackId = "abc"}}};
        append(*store, {.execution = 1, .entries = entries});
        tell("appended");
    }};
    REQUIRE(child.line() == "appended");
    child.wait();

    CHECK(ForeignProgram{file}.query("select execution_name, name, callback_id from v_waiting",
                                     3) == "monday|approval|abc");
}
