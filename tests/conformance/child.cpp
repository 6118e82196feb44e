// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"
#include "serdes.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

using durable::DurableContext;
using durable::StepContext;
using durable::Task;
using namespace std::chrono_literals;
namespace retry = durable::retry;

namespace {

Task<std::string> basic(DurableContext& ctx, std::string input) {
    auto result =
        co_await ctx.runInChildContext("child", [&](DurableContext& child) -> Task<std::string> {
            auto value = co_await child.step([&] { return input; });
            co_return value;
        });
    co_return result;
}

Task<std::string> named(DurableContext& ctx, nlohmann::json input) {
    const auto name = input.at("name").get<std::string>();
    auto result =
        co_await ctx.runInChildContext(name, [&](DurableContext& child) -> Task<std::string> {
            auto value = co_await child.step([&] { return input.at("value").get<std::string>(); });
            co_return value;
        });
    co_return result;
}

Task<std::string> severalSteps(DurableContext& ctx, std::string input) {
    auto result =
        co_await ctx.runInChildContext("child", [&](DurableContext& child) -> Task<std::string> {
            auto first = co_await child.step([&] { return input; });
            auto second = co_await child.step([&] { return first; });
            co_return second;
        });
    co_return result;
}

Task<void> failing(DurableContext& ctx) {
    co_await ctx.runInChildContext("child", [](DurableContext& child) -> Task<void> {
        co_await child.step([] { throw std::runtime_error{"fails"}; },
                            {.retryStrategy = retry::none()});
    });
}

Task<std::string> nested(DurableContext& ctx, std::string input) {
    auto result =
        co_await ctx.runInChildContext("outer", [&](DurableContext& outer) -> Task<std::string> {
            co_await outer.step([&] { return input; });
            auto value = co_await outer.runInChildContext(
                "inner", [&](DurableContext& inner) -> Task<std::string> {
                    auto text = co_await inner.step([&] { return input; });
                    co_return text;
                });
            co_return value;
        });
    co_return result;
}

Task<std::string> retried(DurableContext& ctx, std::string input) {
    auto result =
        co_await ctx.runInChildContext("child", [&](DurableContext& child) -> Task<std::string> {
            auto value = co_await child.step(
                [&](StepContext& step) {
                    if (step.attempt() == 1) throw std::runtime_error{"first attempt fails"};
                    return input;
                },
                {.retryStrategy = retry::fixed(3, 1s)});
            co_return value;
        });
    co_return result;
}

Task<std::string> replayed(DurableContext& ctx, std::string input) {
    auto result = co_await basic(ctx, input);
    co_await ctx.wait(1s);
    co_return result;
}

Task<std::string> stepAndWait(DurableContext& ctx, std::string input) {
    auto result =
        co_await ctx.runInChildContext("child", [&](DurableContext& child) -> Task<std::string> {
            auto value = co_await child.step([&] { return input; });
            co_await child.wait(1s);
            co_return value;
        });
    co_return result;
}

Task<std::size_t> largeResult(DurableContext& ctx, std::string input) {
    const auto result =
        co_await ctx.runInChildContext("child", [&](DurableContext& child) -> Task<std::string> {
            child.logger().alsoOnReplay().info("{}", input);
            const auto small = co_await child.step([&] { return input; });
            std::string large;
            while (large.size() <= 300 * 1024) large += small;
            co_return large;
        });
    co_await ctx.wait(1s);
    co_return result.size();
}

/// The first process that comes here dies; the second one finds its mark.
Task<std::string> interrupted(DurableContext& ctx, std::string input) {
    auto result =
        co_await ctx.runInChildContext("child", [&](DurableContext& child) -> Task<std::string> {
            auto value = co_await child.step([&] {
                const auto mark = std::filesystem::temp_directory_path() / ("crashed-" + input);
                if (!std::filesystem::exists(mark)) {
                    std::ofstream{mark}.flush();
                    std::_Exit(1);
                }
                return input;
            });
            co_return value;
        });
    co_return result;
}

Task<std::string> waitInside(DurableContext& ctx, std::string input) {
    auto value =
        co_await ctx.runInChildContext("child", [&](DurableContext& child) -> Task<std::string> {
            co_await child.wait(1s);
            co_return input;
        });
    auto result = co_await ctx.step([&] { return value; });
    co_return result;
}

Task<std::string> customSerdes(DurableContext& ctx, std::string input) {
    auto result = co_await ctx.runInChildContext("child",
                                                 [&](DurableContext& child) -> Task<std::string> {
                                                     auto value =
                                                         co_await child.step([&] { return input; });
                                                     co_return value;
                                                 },
                                                 {.serdes = upperCaseSerdes()});
    co_return result;
}

Task<void> nothing(DurableContext& ctx) {
    co_await ctx.runInChildContext("child", [](DurableContext&) -> Task<void> { co_return; });
}

}  // namespace

void registerChild(durable::testing::LocalRunner& runner) {
    runner.registerHandler("3-1", basic)
        .registerHandler("3-2", named)
        .registerHandler("3-3", severalSteps)
        .registerHandler("3-4", failing)
        .registerHandler("3-6", nested)
        .registerHandler("3-7", retried)
        .registerHandler("3-9", replayed)
        .registerHandler("3-10", stepAndWait)
        .registerHandler("3-11", largeResult)
        .registerHandler("3-12", interrupted)
        .registerHandler("3-13", waitInside)
        .registerHandler("3-14", customSerdes)
        .registerHandler("3-16", nothing);
}
