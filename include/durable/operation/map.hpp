// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/batch.hpp>
#include <durable/operation/run_in_child_context.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace detail {

template <class Body, class Item>
using MapResult = typename std::remove_cvref_t<decltype(callMapBody(
    std::declval<Body&>(), std::declval<DurableContext&>(),
    std::declval<const std::vector<Item>&>(), std::size_t{}))>::value_type;

template <class T, class Item, class Body>
Task<BatchResult<T>> runMap(OperationCall call, BatchPlan plan, Codec<T> codec,
                            std::vector<Item> items, Body body) {
    const ItemCode code = [&](DurableContext& context, std::size_t index) {
        return encoded<T>(call, codec, callMapBody(body, context, items, index));
    };
    auto record = co_await runBatch(call, plan, code);
    BatchResult<T> result;
    const bool readBack = call.orHalt("could not be read back", [&] {
        const auto id = call.id();
        result = BatchResult<T>{std::move(record), [&](const BatchRecord::Item& item) {
                                    return codec.decode(item.payload, call.serdesContext(id));
                                }};
    });
    if (!readBack) co_await Never{};
    co_return result;
}

/// The names of a map's items.
/// \throws InvalidConfig, and what the namer throws.
[[nodiscard]] inline std::vector<std::string> itemNames(
    std::size_t count, std::string_view prefix,
    const std::function<std::string(std::size_t)>& namer) {
    if (count > operationNumberMax) {
        throw InvalidConfig{
            fmt::format("{} items are too many: at most {}", count, operationNumberMax)};
    }
    std::vector<std::string> names(count);
    const RunLoop::Enter outside{nullptr};
    for (std::size_t i = 0; i < count; ++i) {
        if (namer) names[i] = namer(i);
        requireName("the name of an item", names[i]);
        if (names[i].empty()) names[i] = fmt::format("{}-{}", prefix, i);
    }
    return names;
}

}  // namespace detail

template <std::ranges::sized_range Items, class Body>
auto DurableContext::map(std::string_view name, Items&& items, Body body, MapConfig config) {
    using Item = std::ranges::range_value_t<Items>;
    using Result = detail::MapResult<Body, Item>;
    const auto count = static_cast<std::size_t>(std::ranges::size(items));
    auto plan = detail::refusing(OperationSubType::map, name, [&] {
        return detail::BatchPlan{.itemSubType = OperationSubType::mapIteration,
                                 .summaryType = "MapResult",
                                 .names = detail::itemNames(count, "map-item", config.itemNamer),
                                 .policy = CompletionPolicy{config.completionConfig, count},
                                 .executor = detail::executorConfig(config),
                                 .nesting = config.nesting,
                                 .serdes = config.serdes,
                                 .summaryGenerator = config.summaryGenerator};
    });
    (void)config.serdes.get<BatchRecord>();  // refuses a serdes of another type at the call
    const Codec<Result> codec{config.itemSerdes};
    plan.writesJson = [isJson = codec.writesJson()](std::size_t) { return isJson; };

    std::vector<Item> kept;
    if constexpr (std::is_same_v<std::remove_cvref_t<Items>, std::vector<Item>>) {
        kept = std::forward<Items>(items);
    } else {
        kept.reserve(count);
        for (auto&& item : items) kept.push_back(item);
    }
    return detail::runMap<Result, Item>(
        nextCall(OperationType::context, OperationSubType::map, name), std::move(plan), codec,
        std::move(kept), std::move(body));
}

template <std::ranges::sized_range Items, class Body>
    requires(!std::convertible_to<Items, std::string_view>)
auto DurableContext::map(Items&& items, Body body, MapConfig config) {
    return map(std::string_view{}, std::forward<Items>(items), std::move(body), std::move(config));
}

}  // namespace durable::inline v0
