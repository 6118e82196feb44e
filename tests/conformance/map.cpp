// SPDX-License-Identifier: Apache-2.0
#include "batches.hpp"
#include "handlers.hpp"
#include "serdes.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using durable::BatchItemStatus;
using durable::BatchRecord;
using durable::DurableContext;
using durable::Task;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;
using Numbers = std::vector<int>;

// GCC 14 fails on braced lists in what is awaited.
template <class... Items>
Texts textsOf(const Items&... items) {
    return {items...};
}
template <class... Items>
Numbers numbersOf(Items... items) {
    return {items...};
}

/// Gives the item back, or fails if that is "fail".
Task<std::string> giveOrFail(DurableContext&, const std::string& item) {
    if (item == "fail") throw std::runtime_error{"the item fails"};
    co_return item;
}

Task<std::string> capitals(DurableContext&, const std::string& item) { co_return upperCase(item); }

Task<Texts> basic(DurableContext& ctx, Texts names) {
    auto batch = co_await ctx.map(
        "map", names,
        [](DurableContext& item, const std::string& name) -> Task<std::string> {
            auto greeting = co_await item.step([&] { return "Hello, " + name + "!"; });
            co_return greeting;
        },
        {.maxConcurrency = 1});
    co_return batch.getResults();
}

Task<Numbers> withoutName(DurableContext& ctx, Numbers numbers) {
    auto batch = co_await ctx.map(
        numbers, [](DurableContext&, const int& n) -> Task<int> { co_return 2 * n; },
        {.maxConcurrency = 1});
    co_return batch.getResults();
}

Task<Numbers> withIndex(DurableContext& ctx, Numbers numbers) {
    auto batch =
        co_await ctx.map("map", numbers,
                         [](DurableContext&, const int& n, std::size_t index) -> Task<int> {
                             co_return n + static_cast<int>(index);
                         },
                         {.maxConcurrency = 1});
    co_return batch.getResults();
}

Task<Texts> empty(DurableContext& ctx, Texts items) {
    auto batch = co_await ctx.map("map", items, capitals);
    co_return batch.getResults();
}

Task<json> failFast(DurableContext& ctx) {
    auto batch =
        co_await ctx.map("map", textsOf("ok", "fail", "never"), giveOrFail,
                         {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 0}});
    co_return projection(
        batch, {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}

Task<Texts> rethrown(DurableContext& ctx) {
    auto batch =
        co_await ctx.map("map", textsOf("fail", "never"), giveOrFail,
                         {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 0}});
    batch.throwIfError();
    co_return batch.getResults();
}

Task<json> minSuccessful(DurableContext& ctx) {
    auto batch = co_await ctx.map("map", textsOf("a", "b", "c", "d"), giveOrFail,
                                  {.maxConcurrency = 1, .completionConfig = {.minSuccessful = 2}});
    co_return projection(batch, {"completionReason", "successCount", "totalCount"});
}

Task<json> toleranceExceeded(DurableContext& ctx) {
    auto batch =
        co_await ctx.map("map", textsOf("fail", "fail", "never"), giveOrFail,
                         {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 1}});
    co_return projection(batch, {"completionReason", "successCount", "failureCount", "totalCount"});
}

Task<json> percentageExceeded(DurableContext& ctx) {
    auto batch = co_await ctx.map(
        "map", textsOf("fail", "fail", "never", "never"), giveOrFail,
        {.maxConcurrency = 1, .completionConfig = {.toleratedFailurePercentage = 25}});
    co_return projection(batch, {"completionReason", "successCount", "failureCount", "totalCount"});
}

Task<Numbers> namedItems(DurableContext& ctx, Numbers numbers) {
    auto batch = co_await ctx.map(
        "named-items", numbers,
        [](DurableContext&, const int& n) -> Task<int> { co_return 10 * n; },
        {.maxConcurrency = 1,
         .itemNamer = [&](std::size_t index) { return "item-" + std::to_string(numbers[index]); }});
    co_return batch.getResults();
}

Task<Texts> itemSerdes(DurableContext& ctx) {
    const std::string prefix{"wrapped:"};
    const durable::Serdes<std::string> wrapped{
        .serialize = [prefix](const std::string& value, auto&) { return prefix + value; },
        .deserialize = [prefix](const std::string& text,
                                auto&) { return text.substr(prefix.size()); }};
    auto batch = co_await ctx.map("map", textsOf("x", "y"), capitals,
                                  {.maxConcurrency = 1, .itemSerdes = wrapped});
    co_return batch.getResults();
}

Task<Texts> waitInside(DurableContext& ctx) {
    auto batch = co_await ctx.map(
        "map", numbersOf(0, 1),
        [](DurableContext& item, const int& n) -> Task<std::string> {
            if (n == 1) co_await item.wait(1s);
            auto result = co_await item.step([&] { return "r" + std::to_string(n); });
            co_return result;
        },
        {.maxConcurrency = 1});
    co_return batch.getResults();
}

Task<json> largeResult(DurableContext& ctx) {
    auto batch = co_await ctx.map("map", numbersOf(0, 1, 2, 3),
                                  [](DurableContext&, const int&) -> Task<std::string> {
                                      co_return std::string(70 * 1024, 'x');
                                  },
                                  {.maxConcurrency = 1});
    co_return projection(batch, {"successCount", "totalCount"});
}

Task<Texts> waitAfter(DurableContext& ctx) {
    auto batch = co_await ctx.map("map", textsOf("a", "b"), capitals, {.maxConcurrency = 1});
    co_await ctx.wait(1s);
    co_return batch.getResults();
}

/// The results of a batch in which everything succeeds: "OPSERDE:X,Y".
durable::Serdes<BatchRecord> commaSeparated() {
    const std::string prefix{"OPSERDE:"};
    return {.serialize =
                [prefix](const BatchRecord& batch, auto&) {
                    std::string text = prefix;
                    for (const auto& item : batch.items) {
                        if (item.index > 0) text += ',';
                        text += json::parse(item.payload.value()).get<std::string>();
                    }
                    return text;
                },
            .deserialize =
                [prefix](const std::string& text, auto&) {
                    BatchRecord batch;
                    std::size_t begin = prefix.size();
                    while (begin <= text.size()) {
                        const auto end = std::min(text.find(',', begin), text.size());
                        batch.items.push_back(
                            {.index = batch.items.size(),
                             .status = BatchItemStatus::succeeded,
                             .payload = json(text.substr(begin, end - begin)).dump()});
                        begin = end + 1;
                    }
                    batch.inputCount = batch.items.size();
                    return batch;
                }};
}

Task<Texts> wholeSerdes(DurableContext& ctx) {
    auto batch = co_await ctx.map("map", textsOf("x", "y"), capitals,
                                  {.maxConcurrency = 1, .serdes = commaSeparated()});
    co_return batch.getResults();
}

}  // namespace

void registerMap(durable::testing::LocalRunner& runner) {
    runner.registerHandler("9-1", basic)
        .registerHandler("9-2", withoutName)
        .registerHandler("9-3", withIndex)
        .registerHandler("9-4", empty)
        .registerHandler("9-5", failFast)
        .registerHandler("9-6", rethrown)
        .registerHandler("9-7", minSuccessful)
        .registerHandler("9-9", toleranceExceeded)
        .registerHandler("9-10", percentageExceeded)
        .registerHandler("9-13", namedItems)
        .registerHandler("9-14", itemSerdes)
        .registerHandler("9-15", waitInside)
        .registerHandler("9-16", largeResult)
        .registerHandler("9-17", waitAfter)
        .registerHandler("9-19", wholeSerdes);
}
