// SPDX-License-Identifier: Apache-2.0
//
// Charges five orders, at most three at a time. Four successes are enough; one failure is
// tolerated.
//
//   $ ./02_map
//   COMPLETED: MIN_SUCCESSFUL_REACHED
//   charged 4 of 5 orders
//
// Started again, it gives the recorded result; no card is charged twice.
//
//   $ ./02_map
//   COMPLETED: MIN_SUCCESSFUL_REACHED
//   charged 4 of 5 orders

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace durable;

struct Order {
    std::string id{};
    int cents{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, cents)

struct Receipt {
    std::string orderId{};
    int cents{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Receipt, orderId, cents)

Receipt charge(const Order& order) { return {.orderId = order.id, .cents = order.cents}; }

Task<std::string> chargeOrders(DurableContext& ctx, std::vector<Order> orders) {
    const MapConfig config{
        .maxConcurrency = 3,
        .completionConfig = {.minSuccessful = 4, .toleratedFailureCount = 1},
    };
    auto results = co_await ctx.map(
        "charge-orders", orders,
        [](DurableContext& item, const Order& order, std::size_t index) -> Task<Receipt> {
            auto receipt =
                co_await item.step(fmt::format("charge-{}", index), [&] { return charge(order); });
            co_return receipt;
        },
        config);

    co_return fmt::format("{}: {}\ncharged {} of {} orders\n", toString(results.status()),
                          toString(results.completionReason()), results.successCount(),
                          orders.size());
}

int main() {
    Engine engine{SqliteStore::open("02_map.db")};
    engine.registerHandler("charge-orders", chargeOrders);

    const std::vector<Order> orders{
        {"A-1", 1200}, {"A-2", 550}, {"A-3", 9900}, {"A-4", 1800}, {"A-5", 300}};
    auto execution = engine.start("charge-orders", orders, {.name = "2026-11-23"});
    fmt::print("{}", execution.result<std::string>());
}
