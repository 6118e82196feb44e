// SPDX-License-Identifier: Apache-2.0
//
// Names are for people who read a journal, and are checked on replay. Items are `map-item-0` and so
// on unless an `itemNamer` says better.
//
//   $ ./16_naming
//   1      Map           ship-orders
//   1-1    MapIteration  order-A17
//   1-1-1  Step          pack
//   1-1-2  Step          hand-over
//   1-2    MapIteration  order-B02
//   1-2-1  Step          pack
//   1-2-2  Step          hand-over
//   2      Step          tell-customers
//
// Started again, it gives the recorded result. The same, and more, as any program sees it:
//
//   sqlite3 -box 16_naming.db 'select id, sub_type, name, status, ended from v_operations'

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <string>
#include <vector>

using namespace durable;

Task<void> shipOrders(DurableContext& ctx, std::vector<std::string> orders) {
    const MapConfig config{
        .maxConcurrency = 1,  // one after another, so that the output is always the same
        .itemNamer = [&](std::size_t index) { return "order-" + orders[index]; },
    };
    auto results = co_await ctx.map(
        "ship-orders", orders,
        [](DurableContext& item, const std::string& /*order*/) -> Task<void> {
            co_await item.step("pack", [] {});
            co_await item.step("hand-over", [] {});
        },
        config);
    results.throwIfError();

    co_await ctx.step("tell-customers", [] {});
}

int main() {
    Engine engine{SqliteStore::open("16_naming.db")};
    engine.registerHandler("ship-orders", shipOrders);

    const std::vector<std::string> orders{"A17", "B02"};
    auto execution = engine.start("ship-orders", orders, {.name = "2026-11-23"});
    execution.wait();
    for (const auto& event : engine.history(execution.id())) {
        if (event.eventType != "StepStarted" && event.eventType != "ContextStarted") continue;
        fmt::print("{:6} {:13} {}\n", event.operationId, event.subType, event.name);
    }
}
