// SPDX-License-Identifier: Apache-2.0
//
// A map whose items are maps: two regions at once, in each up to three shops at once. Every level
// has a limit and a completion policy of its own.
//
//   $ ./10_nested_maps
//   north: 3 of 3 shops, 600 cents
//   south: 1 of 2 shops, 450 cents
//   all:   1050 cents
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;

struct Shop {
    std::string name{};
    int cents{};  ///< below 0: closed
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Shop, name, cents)

struct Region {
    std::string name{};
    std::vector<Shop> shops{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Region, name, shops)

int readTill(const Shop& shop) {
    if (shop.cents < 0) throw std::runtime_error{shop.name + " is closed"};
    return shop.cents;
}

struct RegionTotal {
    std::size_t shops{};
    int cents{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RegionTotal, shops, cents)

Task<RegionTotal> closeRegion(DurableContext& region, std::vector<Shop> shops) {
    const StepConfig once{.retryStrategy = retry::none()};
    const MapConfig config{.maxConcurrency = 3,
                           .completionConfig = CompletionConfig::allCompleted()};
    auto tills = co_await region.map(
        "shops", shops,
        [&](DurableContext& item, const Shop& shop) -> Task<int> {
            auto cents = co_await item.step("read-till", [&] { return readTill(shop); }, once);
            co_return cents;
        },
        config);

    RegionTotal total;
    for (const auto& till : tills.succeeded()) {
        ++total.shops;
        total.cents += *till.result;
    }
    co_return total;
}

Task<std::string> closeDay(DurableContext& ctx, std::vector<Region> regions) {
    const MapConfig config{.maxConcurrency = 2};
    auto totals = co_await ctx.map(
        "regions", regions,
        [](DurableContext& item, const Region& region) { return closeRegion(item, region.shops); },
        config);
    totals.throwIfError();

    std::string report;
    int sum = 0;
    for (const auto& item : totals.all()) {
        const auto& [name, shops] = regions[item.index];
        report += fmt::format("{}: {} of {} shops, {} cents\n", name, item.result->shops,
                              shops.size(), item.result->cents);
        sum += item.result->cents;
    }
    co_return report + fmt::format("all:   {} cents\n", sum);
}

int main() {
    Engine engine{SqliteStore::open("10_nested_maps.db")};
    engine.registerHandler("close-day", closeDay);

    const std::vector<Region> regions{
        {"north", {{"Aalborg", 100}, {"Bergen", 200}, {"Turku", 300}}},
        {"south", {{"Bari", 450}, {"Faro", -1}}}};
    auto execution = engine.start("close-day", regions, {.name = "2026-11-23"});
    fmt::print("{}", execution.result<std::string>());
}
