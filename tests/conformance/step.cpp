// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"
#include "serdes.hpp"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

using durable::DurableContext;
using durable::StepContext;
using durable::StepError;
using durable::StepSemantics;
using durable::Task;
using namespace std::chrono_literals;
namespace retry = durable::retry;

namespace {

struct TransientError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

Task<std::string> greet(DurableContext& ctx, std::string name) {
    auto greeting = co_await ctx.step([&] { return "Hello, " + name + "!"; });
    co_return greeting;
}

Task<std::string> greetByName(DurableContext& ctx, std::string name) {
    auto greeting = co_await ctx.step("custom_step_name", [&] { return "Hello, " + name + "!"; });
    co_return greeting;
}

Task<std::string> twoSteps(DurableContext& ctx) {
    const auto first = co_await ctx.step([] { return std::string{"first"}; });
    auto both = co_await ctx.step([&] { return first + "_second"; });
    co_return both;
}

Task<void> nothing(DurableContext& ctx) {
    co_await ctx.step([] {});
}

Task<std::string> customSerdes(DurableContext& ctx, std::string input) {
    auto result = co_await ctx.step([&] { return input; }, {.serdes = upperCaseSerdes()});
    co_return result;
}

Task<std::string> logging(DurableContext& ctx, std::string name) {
    auto greeting = co_await ctx.step([&](StepContext& step) {
        step.logger().info("Greeting step started for: {}", name);
        auto text = "Hello, " + name + "!";
        step.logger().info("Greeting step completed with: {}", text);
        return text;
    });
    co_return greeting;
}

Task<std::string> stepAndWait(DurableContext& ctx) {
    auto computed = co_await ctx.step([] { return std::string{"computed"}; });
    co_await ctx.wait(2s);
    co_return computed;
}

Task<std::string> replayed(DurableContext& ctx) {
    auto value = co_await ctx.step([](StepContext& step) {
        step.logger().info("step executed");
        return std::string{"cached_value"};
    });
    co_await ctx.wait(1s);
    co_return value;
}

Task<std::string> retried(DurableContext& ctx) {
    auto result = co_await ctx.step(
        [](StepContext& step) {
            if (step.attempt() == 1) throw std::runtime_error{"first attempt fails"};
            return std::string{"Operation succeeded"};
        },
        {.retryStrategy = retry::fixed(3, 1s)});
    co_return result;
}

Task<void> exhausted(DurableContext& ctx) {
    co_await ctx.step([] { throw std::runtime_error{"always fails"}; },
                      {.retryStrategy = retry::fixed(4, 1s)});
}

Task<std::string> standardRetry(DurableContext& ctx) {
    auto result = co_await ctx.step([](StepContext& step) {
        if (step.attempt() < 3) throw std::runtime_error{"not yet"};
        return std::string{"done"};
    });
    co_return result;
}

Task<std::string> retriedByType(DurableContext& ctx) {
    auto result = co_await ctx.step(
        [](StepContext& step) {
            if (step.attempt() == 1) throw TransientError{"try again"};
            return std::string{"done"};
        },
        {.retryStrategy = retry::fixed(3, 1s, {{durable::errorOfType<TransientError>()}})});
    co_return result;
}

Task<void> interrupted(DurableContext& ctx, std::string input) {
    co_await ctx.step(
        "at_most_once_flaky_step",
        [&](StepContext& step) {
            step.logger().info("{}", input);
            std::_Exit(1);
        },
        {.retryStrategy = retry::none(), .semantics = StepSemantics::atMostOncePerRetry});
}

Task<void> failing(DurableContext& ctx) {
    co_await ctx.step([] { throw std::runtime_error{"fails"}; }, {.retryStrategy = retry::none()});
}

Task<std::string> caught(DurableContext& ctx) {
    std::string value;
    try {
        co_await ctx.step([] { throw std::runtime_error{"fails"}; },
                          {.retryStrategy = retry::none()});
    } catch (const StepError&) {
        value = "fallback";
    }
    auto result = co_await ctx.step([&] { return value + "_result"; });
    co_return result;
}

}  // namespace

void registerStep(durable::testing::LocalRunner& runner) {
    runner.registerHandler("1-1", greet)
        .registerHandler("1-2", greetByName)
        .registerHandler("1-3", twoSteps)
        .registerHandler("1-5", nothing)
        .registerHandler("1-6", customSerdes)
        .registerHandler("1-7", logging)
        .registerHandler("1-8", stepAndWait)
        .registerHandler("1-9", replayed)
        .registerHandler("1-11", retried)
        .registerHandler("1-12", exhausted)
        .registerHandler("1-13", standardRetry)
        .registerHandler("1-15", retriedByType)
        .registerHandler("1-17", interrupted)
        .registerHandler("1-19", failing)
        .registerHandler("1-20", caught);
}
