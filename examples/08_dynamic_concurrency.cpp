// SPDX-License-Identifier: Apache-2.0
//
// Limits chosen from the data: heavy videos one at a time, light ones many at a time, both kinds
// side by side.
//
//   $ ./08_dynamic_concurrency
//   heavy, 1 at a time: keynote.mov, workshop.mov
//   light, 4 at a time: intro.mp4, outro.mp4, trailer.mp4, teaser.mp4
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

struct Video {
    std::string name{};
    int megabytes{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Video, name, megabytes)

std::string transcode(const Video& video) {
    std::this_thread::sleep_for(1ms * video.megabytes / 10);
    return video.name;
}

Task<std::string> transcodeAll(DurableContext& ctx, std::vector<Video> videos, int atOnce) {
    const MapConfig config{.maxConcurrency = atOnce};
    auto results = co_await ctx.map(
        "transcode-all", videos,
        [](DurableContext& item, const Video& video) -> Task<std::string> {
            auto done = co_await item.step("transcode", [&] { return transcode(video); });
            co_return done;
        },
        config);
    co_return fmt::format("{} at a time: {}", atOnce, fmt::join(results.getResults(), ", "));
}

Task<std::string> publish(DurableContext& ctx, std::vector<Video> videos) {
    std::vector<Video> heavy;
    std::vector<Video> light;
    for (const auto& video : videos) (video.megabytes >= 1000 ? heavy : light).push_back(video);
    const int lightAtOnce = light.size() > 10 ? 8 : 4;

    auto results = co_await ctx.parallel(
        "by-weight",
        branch("heavy", [&](DurableContext& child) { return transcodeAll(child, heavy, 1); }),
        branch("light",
               [&](DurableContext& child) { return transcodeAll(child, light, lightAtOnce); }));

    const auto [heavyDone, lightDone] = results.getResults();
    co_return fmt::format("heavy, {}\nlight, {}\n", heavyDone, lightDone);
}

int main() {
    Engine engine{SqliteStore::open("08_dynamic_concurrency.db")};
    engine.registerHandler("publish", publish);

    const std::vector<Video> videos{{"intro.mp4", 40},      {"keynote.mov", 2400},
                                    {"outro.mp4", 30},      {"trailer.mp4", 120},
                                    {"workshop.mov", 1800}, {"teaser.mp4", 60}};
    auto execution = engine.start("publish", videos, {.name = "conference"});
    fmt::print("{}", execution.result<std::string>());
}
