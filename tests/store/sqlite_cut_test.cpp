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

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace durable;

namespace {

/// The size of the log up to the last frame that belongs to its header: behind it may be frames
/// from before the log was last begun anew.
/// Source: sqlite.org/fileformat2.html, "The WAL File Format".
std::size_t usedSize(std::string_view log) {
    constexpr std::size_t header = 32;
    constexpr std::size_t frame = 24 + 4096;
    if (log.size() < header) return 0;
    const auto salts = log.substr(16, 8);
    auto size = header;
    while (size + frame <= log.size() && log.substr(size + 8, 8) == salts) size += frame;
    return size;
}

/// A journal as it was, with every state that was acknowledged and the size of the log then.
struct Written {
    std::string database;
    std::string log;
    std::string former;  ///< the log as it was when the database was written, or empty
    std::vector<std::string> states;
    std::vector<std::size_t> sizes;

    /// The last state that was complete in the first `size` bytes of the log.
    [[nodiscard]] std::size_t stateAt(std::size_t size) const {
        std::size_t last = 0;
        while (last + 1 < sizes.size() && sizes[last + 1] <= size) ++last;
        return last;
    }
};

/// \param restartsAfter  number of the append after which the log is written to the database and
///     begun anew; what was before is not in the result. 0: none.
Written writeJournal(int restartsAfter = 0) {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    const auto log = directory / "orders.db-wal";
    Written written;
    const auto sqlite = SqliteStore::open(file);
    if (restartsAfter != 0) {  // a log that is longer than the next one will be
        append(*sqlite, started(1));
        appendStep(*sqlite, 1, "1", std::string(100'000, 'x'));
    }
    int appends = 0;
    const auto remember = [&] {
        if (++appends == restartsAfter) {
            written = {};
            ForeignProgram{file}.execute("pragma wal_checkpoint(restart)");
            written.former = contentOf(log);
            written.sizes.push_back(0);
        } else {
            written.sizes.push_back(usedSize(contentOf(log)));
        }
        written.states.push_back(contentOf(*sqlite));
    };
    const auto store = std::make_shared<AcknowledgingStore>(sqlite);
    remember();
    store->afterAppend(remember);
    REQUIRE(OrderWorkflow{}.run(store));
    written.database = contentOf(file);
    written.log = contentOf(log);
    return written;
}

/// Cuts the log of `written` within its last commits, at every sector, and compares.
void cut(const Written& written) {
    const auto seed = newSeed();
    std::mt19937 random{seed};
    const auto used = written.sizes.back();
    REQUIRE(written.states.size() > 10);

    constexpr std::size_t step = 512;
    const std::size_t commits = std::getenv("DURABLE_LONG") != nullptr ? written.sizes.size() : 5;
    const auto begin = written.sizes[written.sizes.size() - commits] / step * step;
    std::set<std::size_t> resumed;
    std::size_t cuts = 0;
    for (auto size = begin; size <= used; size += step) {
        const auto rest = used - size;
        std::string garbage(rest, '\0');
        for (auto& c : garbage) c = static_cast<char>(random());
        std::vector<std::string> tails{"", std::string(rest, '\0'), garbage};
        if (size < written.former.size()) tails.push_back(written.former.substr(size));
        for (const auto& tail : tails) {
            const TemporaryDirectory directory;
            const auto file = directory / "orders.db";
            write(file, written.database);
            write(directory / "orders.db-wal", written.log.substr(0, size) + tail);

            const auto state = written.stateAt(size);
            INFO("seed " << seed << ", cut at " << size << " of " << used);
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

}  // namespace

TEST_CASE("a journal whose log was cut off anywhere holds a state that was acknowledged") {
    SECTION("a log that was never begun anew") {
        const auto written = writeJournal();
        REQUIRE(written.sizes.back() == written.log.size());
        cut(written);
    }
    SECTION("a log with older frames behind its end") {
        const auto written = writeJournal(8);
        REQUIRE(written.sizes.back() < written.former.size());
        cut(written);
    }
}

TEST_CASE("a journal without its log holds what was in the file itself") {
    const auto written = writeJournal();
    const TemporaryDirectory directory;
    write(directory / "orders.db", written.database);

    const auto store = SqliteStore::open(directory / "orders.db");

    CHECK(contentOf(*store) == written.states.front());
    CHECK(OrderWorkflow{}.run(store));
}
