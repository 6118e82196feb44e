// SPDX-License-Identifier: Apache-2.0
#include "workloads.hpp"

#include <durable/sqlite.hpp>

#include <atomic>
#include <numeric>
#include <thread>

namespace benchmark_support {

using durable::DurableContext;
using durable::Engine;
using durable::EngineOptions;
using durable::Task;

namespace {

/// When a tenth and when nine tenths of the work were done.
struct Growth {
    explicit Growth(std::size_t total) : tenth{total / 10}, nineTenths{total - total / 10} {}

    void done(std::size_t count) {
        if (count == tenth) first = now();
        if (count == nineTenths) last = now();
    }

    /// The time of the last tenth beside that of the first.
    [[nodiscard]] double ratio(double begin, double end) const {
        return tenth == 0 ? 1 : (end - last) / (first - begin);
    }

    std::size_t tenth;
    std::size_t nineTenths;
    std::atomic<double> first{};
    std::atomic<double> last{};
};

template <class T>
T seriesOf(std::size_t count) {
    T series(count);
    std::iota(series.begin(), series.end(), typename T::value_type{});
    return series;
}

EngineOptions inlined() { return {.workflowThreads = 0, .stepThreads = 0}; }

nlohmann::json timed(Engine& engine, const char* unit, std::size_t size, double begin, double end,
                     const Growth& growth) {
    auto report = reportOf(engine);
    report["value"] = static_cast<double>(size) / (end - begin);
    report["unit"] = unit;
    report["growth"] = growth.ratio(begin, end);
    return report;
}

struct Order {
    std::size_t id{};
    std::string item{};
    double price{};
    bool paid{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, item, price, paid)

/// Serial steps that return what `body` makes of their number.
template <class Body>
nlohmann::json steps(const Request& request, EngineOptions options, Body body) {
    Growth growth{request.size};
    Engine engine{openStore(request), std::move(options)};
    engine.registerHandler("steps", [&](DurableContext& ctx) -> Task<int> {
        for (std::size_t i = 1; i <= request.size; ++i) {
            co_await ctx.step("step", [&body, i] { return body(i); });
            growth.done(i);
        }
        co_return 0;
    });
    const auto begin = now();
    engine.start("steps", {.name = "one"}).wait();
    return timed(engine, "steps/s", request.size, begin, now(), growth);
}

}  // namespace

std::shared_ptr<durable::Store> openStore(const Request& request) {
    if (request.store == "memory") return std::make_shared<durable::MemoryStore>();
    return durable::SqliteStore::open(request.directory / "journal.db");
}

nlohmann::json reportOf(const Engine& engine) {
    const auto metrics = engine.metrics();
    return {{"commits", metrics.commits},
            {"entries", metrics.entries},
            {"syncs", syncs()},
            {"peakKib", peakKib()}};
}

nlohmann::json serialSteps(const Request& request) { return steps(request, {}, result); }

nlohmann::json stepsInline(const Request& request) {
    return steps(request, inlined(), [](std::size_t i) { return i; });
}

nlohmann::json objectsInline(const Request& request) {
    return steps(request, inlined(), [](std::size_t i) {
        return Order{.id = i, .item = "nails", .price = 1.5, .paid = true};
    });
}

nlohmann::json mapOfSteps(const Request& request) {
    Growth growth{request.size};
    std::atomic<std::size_t> done{};
    Engine engine{openStore(request)};
    engine.registerHandler("map", [&](DurableContext& ctx) -> Task<std::size_t> {
        const auto results =
            co_await ctx.map("items", seriesOf<std::vector<std::size_t>>(request.size),
                             [&](DurableContext& item, std::size_t i) -> Task<std::string> {
                                 auto text = co_await item.step("step", [i] { return result(i); });
                                 growth.done(++done);
                                 co_return text;
                             },
                             {.maxConcurrency = 100});
        co_return results.successCount();
    });
    const auto residentBefore = residentKib();
    const auto begin = now();
    (void)engine.start("map", {.name = "one"}).result<std::size_t>();
    auto report = timed(engine, "items/s", request.size, begin, now(), growth);
    report["bytesPerItem"] =
        static_cast<double>(peakKib() - residentBefore) * 1024 / static_cast<double>(request.size);
    return report;
}

nlohmann::json manyExecutions(const Request& request) {
    constexpr std::size_t starters = 64;
    Engine engine{openStore(request)};
    engine.registerHandler("steps", [&](DurableContext& ctx) -> Task<std::size_t> {
        std::size_t length = 0;
        for (std::size_t i = 0; i < 5; ++i) {
            const auto text = co_await ctx.step("step", [i] { return result(i); });
            length += text.size();
        }
        co_return length;
    });
    const auto begin = now();
    {
        std::atomic<std::size_t> next{};
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < starters; ++t) {
            threads.emplace_back([&] {
                std::vector<durable::Execution> started;
                while (true) {
                    const auto number = next++;
                    if (number >= request.size) break;
                    started.push_back(engine.start("steps", {.name = std::to_string(number)}));
                }
                for (const auto& execution : started) execution.wait();
            });
        }
    }
    auto report = reportOf(engine);
    report["value"] = static_cast<double>(request.size) / (now() - begin);
    report["unit"] = "executions/s";
    return report;
}

nlohmann::json stepsBesideMap(const Request& request) {
    constexpr std::size_t count = 300;
    std::atomic<bool> mapRuns{};
    Engine engine{openStore(request)};
    std::vector<double> times;
    engine.registerHandler("steps", [&](DurableContext& ctx) -> Task<int> {
        for (std::size_t i = 0; i < count; ++i) {
            const auto begin = now();
            co_await ctx.step("step", [i] { return result(i); });
            times.push_back(now() - begin);
        }
        co_return 0;
    });
    engine.registerHandler("map", [&](DurableContext& ctx) -> Task<int> {
        co_await ctx.map("items", seriesOf<std::vector<std::size_t>>(request.size),
                         [&](DurableContext& item, std::size_t i) -> Task<std::string> {
                             auto text = co_await item.step("step", [i] { return result(i); });
                             mapRuns = true;
                             co_return text;
                         },
                         {.maxConcurrency = 100});
        co_return 0;
    });

    engine.start("steps", {.name = "idle"}).wait();
    auto idle = std::exchange(times, {});
    const auto map = engine.start("map", {.name = "load"});
    while (!mapRuns) std::this_thread::yield();
    engine.start("steps", {.name = "loaded"}).wait();
    const bool beside = map.status() == durable::ExecutionStatus::running;
    map.wait();

    auto report = reportOf(engine);
    report["value"] = percentile(times, 0.99) / percentile(idle, 0.99);
    report["unit"] = "times the idle p99";
    report["idleP50Ms"] = percentile(idle, 0.5) * 1e3;
    report["idleP99Ms"] = percentile(idle, 0.99) * 1e3;
    report["p50Ms"] = percentile(times, 0.5) * 1e3;
    report["p99Ms"] = percentile(times, 0.99) * 1e3;
    report["besideAllTheTime"] = beside;
    return report;
}

}  // namespace benchmark_support
