// SPDX-License-Identifier: Apache-2.0
// A journal in which somebody has changed one value with SQL: it is read, or called damaged. The
// first byte chooses the column, the second the type of the value, the rest is the value.
#include <durable/sqlite.hpp>

#include <fuzz/fuzz_target.hpp>
#include <store/sqlite_support.hpp>
#include <support/temporary_directory.hpp>

#include <array>
#include <charconv>
#include <memory>
#include <string>

using namespace durable;

namespace {

constexpr std::array columns{
    std::array{"journal", "entries"},           std::array{"journal", "previous"},
    std::array{"journal", "execution"},         std::array{"executions", "status"},
    std::array{"executions", "start_time"},     std::array{"executions", "end_time"},
    std::array{"executions", "timeout"},        std::array{"executions", "tenant"},
    std::array{"executions", "invoker"},        std::array{"executions", "invoker_operation"},
    std::array{"executions", "last_position"},  std::array{"executions", "result"},
    std::array{"executions", "error"},          std::array{"executions", "input"},
    std::array{"executions", "handler"},        std::array{"unfinished", "last_position"},
    std::array{"unfinished", "waiting"},        std::array{"unfinished", "wake_at"},
    std::array{"recovery", "covered_position"},
};

/// A journal of two executions, the second one ended.
void fill(Store& store) {
    append(store, started(1));
    appendStep(store, 1, "1", "\"one\"");
    append(store, started(2, "tuesday"));
    appendStep(store, 2, "1", "\"one\"");
    append(store, {.execution = 2, .end = ExecutionEnd{.error = ErrorObject{.message = "m"}}});
    append(store, {.execution = 1, .suspension = Suspension{.waiting = true, .wakeAt = at(9)}});
}

void readAll(Store& store) {
    const auto guarded = [](const auto& action) { (void)accepts<StoreError>(action); };
    guarded([&] { (void)store.lastExecution(); });
    guarded([&] { (void)store.list({}); });
    guarded([&] { (void)store.list({.onlyUnacknowledged = true}); });
    for (const ExecutionId id : {1, 2, 3}) {
        guarded([&] { (void)store.find(id); });
        guarded([&] { (void)store.load(id); });
    }
    guarded([&] { (void)store.find("settle", "monday"); });
    guarded([&] { appendStep(store, 1, "2", ""); });
}

struct Journal {
    Journal() {
        fill(*SqliteStore::open(file));
        content = contentOf(file);
    }

    TemporaryDirectory directory;
    std::filesystem::path file{directory / "orders.db"};
    std::string content{};
};

void tamper(const std::filesystem::path& file, std::string_view bytes) {
    const auto& [table, column] = columns[takeByte(bytes) % columns.size()];
    const auto type = takeByte(bytes) % 4;
    sqlite::Connection connection{file, std::chrono::milliseconds{0}};
    const auto set = "update " + std::string{table} + " set " + column + " = ";
    (void)accepts<StoreError>([&] {
        if (type == 0) return sqlite::Statement{connection, "use", set + "?"}.run(bytes);
        if (type == 1) return connection.execute(set + "null", "use");
        if (type == 2) {
            return sqlite::Statement{connection, "use", set + "cast(? as blob)"}.run(bytes);
        }
        std::int64_t number = 0;
        std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
        sqlite::Statement{connection, "use", set + "?"}.run(number);
    });
}

}  // namespace

void fuzz(std::string_view bytes) {
    static const Journal journal;
    write(journal.file, journal.content);
    tamper(journal.file, bytes);
    std::shared_ptr<SqliteStore> store;
    if (!accepts<StoreError>([&] { store = SqliteStore::open(journal.file); })) return;
    readAll(*store);
}
