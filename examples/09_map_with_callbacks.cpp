// SPDX-License-Identifier: Apache-2.0
//
// Pays expenses; those above a limit wait for a manager, for days if need be, and no process has to
// run meanwhile. The id of each callback is what a mail to the manager would hold.
//
//   $ ./09_map_with_callbacks
//   waiting for a manager; run again with: approve ID, or: reject ID
//   $ ./09_map_with_callbacks approve $(cat laptop.id)
//   waiting for a manager; run again with: approve ID, or: reject ID
//   $ ./09_map_with_callbacks reject $(cat flight.id)
//   lunch:  paid, below the limit
//   laptop: paid, approved by Ada
//   flight: refused, take the train
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

struct Expense {
    std::string what{};
    int euros{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Expense, what, euros)

void askManager(const Expense& expense, const std::string& callbackId) {
    std::ofstream{expense.what + ".id"} << callbackId;
}

Task<std::string> pay(DurableContext& item, const Expense& expense) {
    if (expense.euros < 100) co_return "below the limit";
    auto approval = co_await item.waitForCallback<std::string>(
        "approval", [&](const std::string& callbackId) { askManager(expense, callbackId); },
        {.timeout = 72h});
    co_return approval;
}

Task<std::string> payExpenses(DurableContext& ctx, std::vector<Expense> expenses) {
    const MapConfig config{.maxConcurrency = 10,
                           .completionConfig = CompletionConfig::allCompleted()};
    auto results = co_await ctx.map("pay", expenses, pay, config);

    std::string report;
    for (const auto& item : results.all()) {
        report += fmt::format("{:7} {}\n", expenses[item.index].what + ":",
                              item.error ? fmt::format("refused, {}", item.error->what())
                                         : fmt::format("paid, {}", *item.result));
    }
    co_return report;
}

int main(int argc, char** argv) try {
    Engine engine{SqliteStore::open("09_map_with_callbacks.db")};
    engine.registerHandler("pay-expenses", payExpenses);
    const std::vector<Expense> expenses{{"lunch", 30}, {"laptop", 1800}, {"flight", 400}};
    auto execution = engine.start("pay-expenses", expenses, {.name = "2026-11"});

    const std::string_view verb = argc == 3 ? argv[1] : "";
    if (verb == "approve") engine.completeCallback(argv[2], "approved by Ada");
    if (verb == "reject") engine.failCallback(argv[2], {.message = "take the train"});

    engine.waitUntilIdle();  // it has ended, or only people can make it go on
    if (execution.status() == ExecutionStatus::running) {
        fmt::print("waiting for a manager; run again with: approve ID, or: reject ID\n");
    } else {
        fmt::print("{}", execution.result<std::string>());
    }
} catch (const std::exception& error) {  // such as ClosedCallback: it was decided before
    fmt::print(stderr, "{}\n", error.what());
    return 1;
}
