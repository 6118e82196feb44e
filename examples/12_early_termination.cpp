// SPDX-License-Identifier: Apache-2.0
//
// Races mirrors: the first answer wins (`minSuccessful = 1`), the other downloads get their stop
// token, and the map returns when they have returned.
//
//   $ ./12_early_termination
//   winner: tokyo, because MIN_SUCCESSFUL_REACHED
//   stopped on the way: dublin, boston
//   never asked: sydney
//   in less than 10 seconds: yes
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

struct Mirror {
    std::string city{};
    int seconds{};  ///< that a download takes
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Mirror, city, seconds)

/// Returns when the download is done or no longer wanted, whatever comes first.
void download(const Mirror& mirror, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock{mutex};
    changed.wait_for(lock, stop, 1s * mirror.seconds, [] { return false; });
    if (stop.stop_requested()) throw std::runtime_error{"stopped"};
}

Task<std::string> fetchPackage(DurableContext& ctx, std::vector<Mirror> mirrors) {
    const MapConfig config{.maxConcurrency = 3,
                           .completionConfig = CompletionConfig::firstSuccessful()};
    auto results = co_await ctx.map(
        "race", mirrors,
        [](DurableContext& item, const Mirror& mirror) -> Task<void> {
            co_await item.step("download",
                               [&](StepContext& step) { download(mirror, step.stopToken()); });
        },
        config);

    const auto city = [&](std::size_t index) { return mirrors[index].city; };
    std::vector<std::string> stopped;
    for (const auto& item : results.started()) stopped.push_back(city(item.index));
    std::vector<std::string> neverAsked;
    for (const auto index : results.notStarted()) neverAsked.push_back(city(index));

    co_return fmt::format("winner: {}, because {}\nstopped on the way: {}\nnever asked: {}\n",
                          city(results.succeeded().front().index),
                          toString(results.completionReason()), fmt::join(stopped, ", "),
                          fmt::join(neverAsked, ", "));
}

int main() {
    Engine engine{SqliteStore::open("12_early_termination.db"), {.stepThreads = 4}};
    engine.registerHandler("fetch-package", fetchPackage);

    const auto started = std::chrono::steady_clock::now();
    const std::vector<Mirror> mirrors{{"dublin", 60}, {"boston", 60}, {"tokyo", 0}, {"sydney", 60}};
    auto execution = engine.start("fetch-package", mirrors, {.name = "durable-0-1"});
    fmt::print("{}", execution.result<std::string>());
    const auto took = std::chrono::steady_clock::now() - started;
    fmt::print("in less than 10 seconds: {}\n", took < 10s ? "yes" : "no");
}
