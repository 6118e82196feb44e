// SPDX-License-Identifier: Apache-2.0
#include "batches.hpp"
#include "handlers.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using durable::Branch;
using durable::branch;
using durable::DurableContext;
using durable::Nesting;
using durable::ParallelConfig;
using durable::Task;
using nlohmann::json;

namespace {

using Body = std::function<Task<std::string>(DurableContext&)>;
using Branches = std::vector<Branch<Body>>;
using Results = std::vector<std::string>;

/// A branch that gives `value` at once.
Body giving(std::string value) {
    return [value](DurableContext&) -> Task<std::string> { co_return value; };
}

/// A branch that gives `value` from a step.
Body step(std::string value) {
    return [value](DurableContext& ctx) -> Task<std::string> {
        auto result = co_await ctx.step([value] { return value; });
        co_return result;
    };
}

Body failing() {
    return [](DurableContext&) -> Task<std::string> {
        throw std::runtime_error{"the branch fails"};
        co_return "";
    };
}

template <class... Bodies>
Branches branchesOf(Bodies... bodies) {  // GCC 14 fails on braced lists in what is awaited
    Branches branches;
    (branches.push_back(branch("", std::move(bodies))), ...);
    return branches;
}

Task<Results> basic(DurableContext& ctx) {
    auto batch = co_await ctx.parallel("parallel", branchesOf(step("task-1"), step("task-2")),
                                       {.maxConcurrency = 1});
    co_return batch.getResults();
}

Task<Results> withoutName(DurableContext& ctx) {
    auto batch =
        co_await ctx.parallel(branchesOf(giving("alpha"), giving("beta")), {.maxConcurrency = 1});
    co_return batch.getResults();
}

Task<json> namedBranches(DurableContext& ctx) {
    const ParallelConfig config{.maxConcurrency = 1};
    auto batch = co_await ctx.parallel("parallel", branch("first", giving("one")),
                                       branch("second", giving("two")), config);
    co_return json(batch.getResults());
}

Task<json> differentTypes(DurableContext& ctx) {
    const ParallelConfig config{.maxConcurrency = 1};
    auto batch = co_await ctx.parallel(
        "parallel", giving("hello"), [](DurableContext&) -> Task<int> { co_return 42; },
        [](DurableContext&) -> Task<json> { co_return json{{"k", "v"}}; }, config);
    co_return json(batch.getResults());
}

Task<Results> empty(DurableContext& ctx) {
    auto batch = co_await ctx.parallel("parallel", Branches{});
    co_return batch.getResults();
}

Task<json> failFast(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(giving("ok"), failing(), giving("never")),
        {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 0}});
    co_return projection(
        batch, {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}

Task<json> minSuccessful(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(giving("a"), giving("b"), giving("c"), giving("d")),
        {.maxConcurrency = 1, .completionConfig = {.minSuccessful = 2}});
    co_return projection(batch, {"completionReason", "successCount", "totalCount"});
}

Task<json> tolerated(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(giving("a"), failing(), giving("c")),
        {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 1}});
    co_return projection(
        batch, {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}

Task<json> toleranceExceeded(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(failing(), failing(), giving("c")),
        {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 1}});
    co_return projection(batch, {"completionReason", "successCount", "failureCount", "totalCount"});
}

Task<Results> concurrent(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(giving("r0"), giving("r1"), giving("r2")), {.maxConcurrency = 2});
    co_return batch.getResults();
}

Task<Results> flat(DurableContext& ctx) {
    auto batch = co_await ctx.parallel("parallel", branchesOf(step("fa"), step("fb")),
                                       {.maxConcurrency = 1, .nesting = Nesting::flat});
    co_return batch.getResults();
}

Task<json> percentageExceeded(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(failing(), failing(), giving("c"), giving("d")),
        {.maxConcurrency = 1, .completionConfig = {.toleratedFailurePercentage = 25}});
    co_return projection(batch, {"completionReason", "successCount", "failureCount", "totalCount"});
}

Task<Results> itemSerdes(DurableContext& ctx) {
    const durable::Serdes<std::string> wrapped{
        .serialize = [](const std::string& value,
                        auto&) { return json{{"wrapped", value}}.dump(); },
        .deserialize = [](const std::string& text,
                          auto&) { return json::parse(text).at("wrapped").get<std::string>(); }};
    auto batch = co_await ctx.parallel("parallel", branchesOf(giving("x"), giving("y")),
                                       {.maxConcurrency = 1, .itemSerdes = wrapped});
    co_return batch.getResults();
}

Task<json> allFail(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(failing(), failing(), failing()),
        {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 3}});
    co_return projection(
        batch, {"completionReason", "status", "successCount", "failureCount", "totalCount"});
}

Task<Results> noConcurrency(DurableContext& ctx) {
    auto batch = co_await ctx.parallel("parallel", branchesOf(giving("a"), giving("b")),
                                       {.maxConcurrency = 0});
    co_return batch.getResults();
}

Task<json> accessors(DurableContext& ctx) {
    auto batch = co_await ctx.parallel(
        "parallel", branchesOf(giving("a"), failing(), giving("c")),
        {.maxConcurrency = 1, .completionConfig = {.toleratedFailureCount = 1}});
    int errors = 0;
    for (const auto& item : batch.failed()) errors += item.error ? 1 : 0;
    co_return json{{"hasFailure", batch.hasFailure()},
                   {"successCount", batch.succeeded().size()},
                   {"failureCount", batch.failed().size()},
                   {"errorCount", errors}};
}

}  // namespace

void registerParallel(durable::testing::LocalRunner& runner) {
    runner.registerHandler("8-1", basic)
        .registerHandler("8-2", withoutName)
        .registerHandler("8-3", namedBranches)
        .registerHandler("8-4", differentTypes)
        .registerHandler("8-5", empty)
        .registerHandler("8-6", failFast)
        .registerHandler("8-8", minSuccessful)
        .registerHandler("8-9", tolerated)
        .registerHandler("8-10", toleranceExceeded)
        .registerHandler("8-11", concurrent)
        .registerHandler("8-12", flat)
        .registerHandler("8-13", percentageExceeded)
        .registerHandler("8-15", itemSerdes)
        .registerHandler("8-16", allFail)
        .registerHandler("8-19", noConcurrency)
        .registerHandler("8-20", accessors);
}
