// SPDX-License-Identifier: Apache-2.0
//
// `toleratedFailurePercentage`: a share of all items, so that one setting fits batches of any size.
// Exactly that share is still tolerated.
//
//   $ ./06_tolerated_percentage
//    20 rows,  2 of them bad: stopped after  20, ALL_COMPLETED
//    20 rows,  3 of them bad: stopped after   3, FAILURE_TOLERANCE_EXCEEDED
//   200 rows, 20 of them bad: stopped after 200, ALL_COMPLETED
//
// Started again, it gives the recorded results.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;

struct Table {
    int rows{};
    int bad{};  ///< the first rows are
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Table, rows, bad)

Task<std::string> importTable(DurableContext& ctx, Table table) {
    std::vector<int> rows(static_cast<std::size_t>(table.rows));
    std::iota(rows.begin(), rows.end(), 1);

    const StepConfig once{.retryStrategy = retry::none()};
    const MapConfig config{
        .maxConcurrency = 1,  // one after another, so that the output is always the same
        .completionConfig = {.toleratedFailurePercentage = 10},
    };
    auto results = co_await ctx.map(
        "import-rows", rows,
        [&](DurableContext& item, const int& row) -> Task<void> {
            const auto import = [&] {
                if (row <= table.bad) throw std::runtime_error{fmt::format("row {} is bad", row)};
            };
            co_await item.step("import", import, once);
        },
        config);

    co_return fmt::format("{:3} rows, {:2} of them bad: stopped after {:3}, {}", table.rows,
                          table.bad, results.totalCount(), toString(results.completionReason()));
}

int main() {
    Engine engine{SqliteStore::open("06_tolerated_percentage.db")};
    engine.registerHandler("import-table", importTable);

    for (const Table table : {Table{20, 2}, Table{20, 3}, Table{200, 20}}) {
        const auto name = fmt::format("{}-{}", table.rows, table.bad);
        auto execution = engine.start("import-table", table, {.name = name});
        fmt::print("{}\n", execution.result<std::string>());
    }
}
