// SPDX-License-Identifier: Apache-2.0
#include <durable/sqlite.hpp>
#include <durable/store/memory_store.hpp>
#include <durable/testing/forwarding_store.hpp>
#include <durable/testing/store_contract.hpp>

#include <support/catch.hpp>
#include <support/temporary_directory.hpp>

#include <memory>
#include <random>
#include <stdexcept>
#include <string>

using namespace durable;
using durable::testing::Reopen;
using durable::testing::storeContract;

namespace {

void checkContract(std::uint64_t seed, const std::function<Reopen()>& emptyStore) {
    INFO("storeContract(" << seed << ")");
    for (const auto& check : storeContract(seed)) {
        try {
            check.run(emptyStore());
            SUCCEED(check.name);
        } catch (const std::exception& error) {
            FAIL_CHECK(check.name << ": " << error.what());
        }
    }
}

/// A store on a new file in `directory`. With few recovered rows, the ends of the chains are
/// written all the time.
Reopen onNewFile(const TemporaryDirectory& directory, std::int64_t recoveredRowsMax) {
    static int files = 0;
    const auto file = directory / (std::to_string(++files) + ".db");
    return [=] { return SqliteStore::open(file, {.recoveredRowsMax = recoveredRowsMax}); };
}

}  // namespace

TEST_CASE("the memory store keeps the store contract") {
    checkContract(std::random_device{}(),
                  [] { return [store = std::make_shared<MemoryStore>()] { return store; }; });
}

TEST_CASE("the SQLite store keeps the store contract") {
    const TemporaryDirectory directory;

    checkContract(std::random_device{}(), [&] { return onNewFile(directory, 65'536); });
}

TEST_CASE("the SQLite store keeps the contract however often it writes the ends of its chains") {
    const TemporaryDirectory directory;

    for (const std::int64_t recoveredRowsMax : {1, 2, 7, 40}) {
        checkContract(std::random_device{}(),
                      [&] { return onNewFile(directory, recoveredRowsMax); });
    }
}

TEST_CASE("the contract fails a store that loses something, and tells the seed") {
    class Forgetful final : public durable::testing::ForwardingStore {
    public:
        void append(std::span<const Commit> commits) override {
            ++appends_;
            if (appends_ % 7 != 0) ForwardingStore::append(commits);
        }

    private:
        int appends_{};
    };
    const auto random = storeContract(1).back();

    CHECK_THROWS_WITH(random.run([store = std::make_shared<Forgetful>()] { return store; }),
                      Catch::Matchers::ContainsSubstring("storeContract(1), append "));
}
