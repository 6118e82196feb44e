// SPDX-License-Identifier: Apache-2.0
// Every call of the file system fails, at every moment of a workload.
#include <durable/sqlite.hpp>

#include <store/acknowledging_store.hpp>
#include <store/fault_vfs.hpp>
#include <store/order_workflow.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/seed.hpp>
#include <support/temporary_directory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>

using namespace durable;

namespace {

/// What a process did at a disk that fails.
struct Life {
    std::shared_ptr<AcknowledgingStore> store{};  ///< null: the journal could not be opened
    bool ended{};                                 ///< the workflow, with its result
};

Life live(const std::filesystem::path& file, OrderWorkflow& order) {
    Life life;
    try {
        life.store = std::make_shared<AcknowledgingStore>(SqliteStore::open(file));
        life.ended = order.run(life.store);
    } catch (const StoreError&) {
        return life;  // no journal, or no engine on it
    }
    return life;
}

/// "" if `store` holds what was acknowledged, and over and above that nothing but what failed.
std::string lossIn(Store& store, const AcknowledgingStore& seen) {
    for (const auto& [execution, acknowledged] : seen.acknowledged()) {
        std::vector<std::string> held;
        for (const auto& entry : store.load(execution)) held.push_back(entriesToJson({&entry, 1}));
        if (held.size() < acknowledged.size()) return "entries are lost";
        if (!std::equal(acknowledged.begin(), acknowledged.end(), held.begin())) {
            return "entries differ";
        }
        const auto failed = seen.failed().find(execution);
        for (auto i = acknowledged.size(); i < held.size(); ++i) {
            if (failed == seen.failed().end() ||
                std::ranges::find(failed->second, held[i]) == failed->second.end()) {
                return "an entry came from nowhere: " + held[i];
            }
        }
    }
    return "";
}

}  // namespace

TEST_CASE("a file system that fails at any call loses nothing that was acknowledged") {
    const auto seed = newSeed();
    const bool isLong = std::getenv("DURABLE_LONG") != nullptr;
    const std::size_t stride = isLong ? 1 : 11;
    std::map<std::string, int> faults;
    for (const auto lasting : {FaultVfs::Lasting::once, FaultVfs::Lasting::fromThenOn}) {
        for (std::size_t call = 1 + seed % stride;; call += stride) {
            const TemporaryDirectory directory;
            const auto file = directory / "orders.db";
            FaultVfs vfs;
            OrderWorkflow order;
            vfs.arm(call, lasting);
            const auto first = live(file, order);
            const auto failed = vfs.failed();
            INFO("seed " << seed << ", call " << call << " (" << failed << "), "
                         << (lasting == FaultVfs::Lasting::once ? "once" : "from then on"));
            if (failed.empty()) {
                REQUIRE(first.ended);
                break;
            }
            ++faults[failed];

            // What went well once is well: a fault that is over keeps nobody from the end.
            if (lasting == FaultVfs::Lasting::once && first.store) REQUIRE(first.ended);
            const auto calls = order.calls();
            const auto seen =
                first.store ? first.store : std::make_shared<AcknowledgingStore>(nullptr);
            seen->close();
            vfs.arm(0, lasting);
            {
                const auto store = SqliteStore::open(file);
                REQUIRE(lossIn(*store, *seen).empty());
                REQUIRE(ForeignProgram{file}.query("pragma integrity_check") == "ok");
            }
            REQUIRE(live(file, order).ended);
            for (const auto& step : seen->steps()) {
                const auto before = calls.find(step);
                if (before == calls.end()) continue;
                INFO("step " << step);
                REQUIRE(order.calls().at(step) == before->second);
            }
        }
    }
    for (const auto& [call, count] : faults) std::printf("%s: %d faults\n", call.c_str(), count);
    CHECK(faults.size() >= 4);
}

TEST_CASE("a journal that could not be given its log is not opened") {
    bool opened = false;
    for (std::size_t call = 1; !opened; ++call) {
        const TemporaryDirectory directory;
        const auto file = directory / "orders.db";
        FaultVfs vfs;
        vfs.arm(call, FaultVfs::Lasting::once);
        INFO("call " << call);
        try {
            const auto store = SqliteStore::open(file);
            opened = vfs.failed().empty();
            vfs.arm(0, FaultVfs::Lasting::once);
            CHECK(ForeignProgram{file}.query("pragma journal_mode") == "wal");
        } catch (const StoreError& error) {
            CHECK_THAT(error.what(), Catch::Matchers::ContainsSubstring("(SQLITE_"));
        }
    }
}
