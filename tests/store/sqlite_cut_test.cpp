// SPDX-License-Identifier: Apache-2.0
// What a power cut may leave of a journal: the write-ahead log without its end, or with something
// else there.
#include <durable/sqlite.hpp>

#include <store/acknowledging_store.hpp>
#include <store/order_workflow.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/seed.hpp>
#include <support/temporary_directory.hpp>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace durable;

namespace {

/// A journal as it was, with every state that was acknowledged and the size of the log then.
struct Written {
    std::string database;
    std::string log;
    std::vector<std::string> states;
    std::vector<std::size_t> sizes;

    /// The last state that was complete in the first `size` bytes of the log.
    [[nodiscard]] std::size_t stateAt(std::size_t size) const {
        std::size_t last = 0;
        while (last + 1 < sizes.size() && sizes[last + 1] <= size) ++last;
        return last;
    }
};

Written writeJournal() {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto log = directory / "orders.db-wal";
    Written written;
    const auto sqlite = SqliteStore::open(file);
    const auto remember = [&] {
        written.states.push_back(contentOf(*sqlite));
        written.sizes.push_back(std::filesystem::exists(log) ? std::filesystem::file_size(log)
                                                             : std::size_t{});
    };
    const auto store = std::make_shared<AcknowledgingStore>(sqlite);
    remember();
    store->afterAppend(remember);
    REQUIRE(OrderWorkflow{}.run(store));
    written.database = contentOf(file);
    written.log = contentOf(log);
    return written;
}

}  // namespace

TEST_CASE("a journal whose log was cut off anywhere holds a state that was acknowledged") {
    const auto seed = newSeed();
    std::mt19937 random{seed};
    const auto written = writeJournal();
    REQUIRE(written.sizes.back() == written.log.size());
    REQUIRE(written.states.size() > 10);

    constexpr std::size_t step = 512;
    const std::size_t commits = std::getenv("DURABLE_LONG") != nullptr ? written.sizes.size() : 5;
    const auto begin = written.sizes[written.sizes.size() - commits] / step * step;
    std::set<std::size_t> resumed;
    std::size_t cuts = 0;
    for (auto size = begin; size <= written.log.size(); size += step) {
        const auto rest = written.log.size() - size;
        std::string garbage(rest, '\0');
        for (auto& c : garbage) c = static_cast<char>(random());
        for (const auto& tail : {std::string{}, std::string(rest, '\0'), garbage}) {
            const TemporaryDirectory directory;
            const auto file = directory / "orders.db";
            write(file, written.database);
            write(directory / "orders.db-wal", written.log.substr(0, size) + tail);

            const auto state = written.stateAt(size);
            INFO("seed " << seed << ", cut at " << size << " of " << written.log.size());
            const auto store = SqliteStore::open(file);
            ++cuts;
            REQUIRE(contentOf(*store) == written.states[state]);
            if (!resumed.insert(state).second) continue;
            REQUIRE(OrderWorkflow{}.run(store));
            REQUIRE(ForeignProgram{file}.query("pragma integrity_check") == "ok");
        }
    }
    std::printf("%zu cuts, %zu states\n", cuts, resumed.size());
    CHECK(resumed.size() >= std::min<std::size_t>(commits, 5));
}

TEST_CASE("a journal without its log holds what was in the file itself") {
    const auto written = writeJournal();
    const TemporaryDirectory directory;
    write(directory / "orders.db", written.database);

    const auto store = SqliteStore::open(directory / "orders.db");

    CHECK(contentOf(*store) == written.states.front());
    CHECK(OrderWorkflow{}.run(store));
}
