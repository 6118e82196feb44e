// SPDX-License-Identifier: Apache-2.0
#include "workloads.hpp"

#include <malloc.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace benchmark_support {

using durable::DurableContext;
using durable::Engine;
using durable::EngineOptions;
using durable::Task;

namespace {

/// Executions of `handler`, so many, started by many threads.
void startMany(Engine& engine, const std::string& handler, std::size_t count) {
    std::atomic<std::size_t> next{};
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 64; ++t) {
        threads.emplace_back([&] {
            while (true) {
                const auto number = next++;
                if (number >= count) break;
                (void)engine.start(handler, {.name = std::to_string(number)});
            }
        });
    }
}

std::size_t heapBytes() {
    ::malloc_trim(0);
    return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
}

nlohmann::json suspended(const Request& request, EngineOptions options) {
    const auto handler = [](DurableContext& ctx) -> Task<std::string> {
        const auto callback = co_await ctx.createCallback<std::string>("approval");
        co_return co_await callback.result();
    };
    const auto store = openStore(request);
    nlohmann::json report;
    {
        Engine engine{store, options};
        engine.registerHandler("waits", handler);
        startMany(engine, "waits", 100);  // what threads and buffers cost is not to be counted
        engine.waitUntilIdle();
        const auto heapBefore = heapBytes();
        const auto residentBefore = residentKib();
        engine.registerHandler("waits too", handler);
        startMany(engine, "waits too", request.size);
        engine.waitUntilIdle();
        const auto bytes = static_cast<double>(heapBytes()) - static_cast<double>(heapBefore);
        const auto resident =
            static_cast<double>(residentKib()) - static_cast<double>(residentBefore);
        report = reportOf(engine);
        report["value"] = bytes / static_cast<double>(request.size);
        report["unit"] = "bytes per execution";
        report["residentBytes"] = resident * 1024 / static_cast<double>(request.size);
    }
    const auto begin = now();
    Engine engine{store, options};
    engine.registerHandler("waits", handler);
    engine.registerHandler("waits too", handler);
    engine.waitUntilIdle();
    report["startUpSeconds"] = now() - begin;
    return report;
}

}  // namespace

nlohmann::json callbackWakeUp(const Request& request) {
    std::mutex mutex;
    std::vector<std::string> ids;
    std::atomic<double> awake{};
    Engine engine{openStore(request)};
    engine.registerHandler("waits", [&](DurableContext& ctx) -> Task<std::string> {
        const auto callback = co_await ctx.createCallback<std::string>("approval");
        {
            const std::scoped_lock lock{mutex};
            ids.push_back(callback.id());
        }
        auto answer = co_await callback.result();
        awake = now();
        co_return answer;
    });
    startMany(engine, "waits", request.size);
    engine.waitUntilIdle();

    std::vector<double> times;
    for (const auto& id : ids) {
        awake = 0;
        const auto begin = now();
        engine.completeCallback(id, "yes");
        while (awake == 0) std::this_thread::yield();
        times.push_back(awake - begin);
        engine.waitUntilIdle();
    }
    auto report = reportOf(engine);
    report["value"] = percentile(times, 0.5) * 1e3;
    report["unit"] = "ms (p50)";
    report["p99Ms"] = percentile(times, 0.99) * 1e3;
    return report;
}

nlohmann::json suspendedParked(const Request& request) { return suspended(request, {}); }
nlohmann::json suspendedEvicted(const Request& request) {
    return suspended(request, {.maxParked = 0});
}

}  // namespace benchmark_support
