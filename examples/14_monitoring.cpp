// SPDX-License-Identifier: Apache-2.0
//
// Watches a batch (`onProgress`) and the engine (`metrics`) while they work. Watching is not
// recorded and has no effect on what is.
//
//   $ ./14_monitoring
//    3 of 12 done
//    6 of 12 done
//    9 of 12 done
//   12 of 12 done
//   at most 3 items in flight
//   at most 3 step bodies at once: yes
//   now: 0 step bodies in flight, 0 queued
//   result: 12
//
// Started again, it gives the recorded result, and there is nothing to watch:
//
//   $ ./14_monitoring
//   at most 0 items in flight
//   at most 3 step bodies at once: yes
//   now: 0 step bodies in flight, 0 queued
//   result: 12

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

using Watch = std::function<void(const BatchProgress&)>;

Task<std::size_t> resizeImages(DurableContext& ctx, int count, Watch watch) {
    std::vector<int> images(static_cast<std::size_t>(count));
    std::iota(images.begin(), images.end(), 1);

    const MapConfig config{.maxConcurrency = 3, .onProgress = std::move(watch)};
    auto results = co_await ctx.map(
        "resize", images,
        [](DurableContext& item, const int& /*image*/) -> Task<void> {
            co_await item.step("resize", [] { std::this_thread::sleep_for(20ms); });
        },
        config);
    co_return results.successCount();
}

int main() {
    Engine engine{SqliteStore::open("14_monitoring.db"), {.stepThreads = 8}};

    std::size_t done = 0;
    std::size_t inFlightMax = 0;
    std::uint64_t bodiesMax = 0;
    const Watch watch = [&](const BatchProgress& batch) {
        inFlightMax = std::max(inFlightMax, batch.inFlight);
        bodiesMax = std::max(bodiesMax, engine.metrics().bodiesInFlight);
        if (std::exchange(done, batch.succeeded) == batch.succeeded || done % 3 != 0) return;
        fmt::print("{:2} of {} done\n", done, batch.total);
    };
    engine.registerHandler("resize-images", [&](DurableContext& ctx, int count) {
        return resizeImages(ctx, count, watch);
    });

    auto execution = engine.start("resize-images", 12, {.name = "holiday"});
    const auto result = execution.result<std::size_t>();

    const auto metrics = engine.metrics();  // tells of executions and commits, too
    fmt::print("at most {} items in flight\n", inFlightMax);
    fmt::print("at most 3 step bodies at once: {}\n", bodiesMax <= 3 ? "yes" : "no");
    fmt::print("now: {} step bodies in flight, {} queued\n", metrics.bodiesInFlight,
               metrics.bodiesQueued);
    fmt::print("result: {}\n", result);
}
