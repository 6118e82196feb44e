// SPDX-License-Identifier: Apache-2.0
#include <durable/durable.hpp>
#include <durable/journal/entry_json.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// \file
/// What single operations cost, without a disk.

namespace {

using namespace durable;

/// An engine that does everything in the calling thread.
EngineOptions inlined() { return {.workflowThreads = 0, .stepThreads = 0}; }

void runOnce(const std::shared_ptr<Store>& store, std::int64_t steps,
             EngineOptions options = inlined()) {
    Engine engine{store, std::move(options)};
    engine.registerHandler("steps", [steps](DurableContext& ctx) -> Task<std::int64_t> {
        std::int64_t sum = 0;
        for (std::int64_t i = 0; i < steps; ++i) {
            sum += co_await ctx.step("step", [i] { return i; });
        }
        auto callback = co_await ctx.createCallback<int>("never");
        co_await callback.result();
        co_return sum;
    });
    engine.start("steps", {.name = "one"});
    engine.waitUntilIdle();
}

void stepInMemory(benchmark::State& state) {
    for ([[maybe_unused]] auto round : state)
        runOnce(std::make_shared<MemoryStore>(), state.range(0));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void replayedOperation(benchmark::State& state) {
    const auto store = std::make_shared<MemoryStore>();
    runOnce(store, state.range(0));
    for ([[maybe_unused]] auto round : state) runOnce(store, state.range(0));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

/// \param state how many steps, and whether they are verified
void verifiedSteps(benchmark::State& state) {
    for ([[maybe_unused]] auto round : state) {
        auto options = inlined();
        options.verifyReplay = state.range(1) != 0;
        runOnce(std::make_shared<MemoryStore>(), state.range(0), std::move(options));
    }
}

std::vector<Entry> someEntries(std::int64_t count) {
    const auto store = std::make_shared<MemoryStore>();
    runOnce(store, count);
    return store->load(1);
}

void decodingAJournal(benchmark::State& state) {
    const auto entries = someEntries(state.range(0));
    const auto text = entriesToJson(entries);
    for ([[maybe_unused]] auto round : state) {
        std::vector<Entry> decoded;
        entriesFromJson(text, decoded);
        benchmark::DoNotOptimize(decoded);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void applyingAJournal(benchmark::State& state) {
    const auto entries = someEntries(state.range(0));
    for ([[maybe_unused]] auto round : state) {
        ExecutionState execution;
        for (const auto& entry : entries) execution.fold(entry);
        benchmark::DoNotOptimize(execution);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void completionDecision(benchmark::State& state) {
    const CompletionPolicy policy{{.minSuccessful = 900, .toleratedFailurePercentage = 10}, 1000};
    std::size_t succeeded = 0;
    for ([[maybe_unused]] auto round : state) {
        succeeded = (succeeded + 1) % 900;
        benchmark::DoNotOptimize(policy.decide(succeeded, 50));
    }
}

void operationId(benchmark::State& state) {
    Operation root;
    Operation parent{&root, 1'234};
    const Operation place{&parent, 2};
    for ([[maybe_unused]] auto round : state) benchmark::DoNotOptimize(operationIdOf(place));
}

BENCHMARK(stepInMemory)->Arg(100)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(replayedOperation)->Arg(100)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(verifiedSteps)
    ->ArgNames({"steps", "verified"})
    ->ArgsProduct({{20, 200}, {0, 1}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(decodingAJournal)->Arg(10'000);
BENCHMARK(applyingAJournal)->Arg(10'000);
BENCHMARK(completionDecision);
BENCHMARK(operationId);

}  // namespace
