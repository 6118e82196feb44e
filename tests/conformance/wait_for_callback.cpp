// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

using durable::CallbackTimeoutError;
using durable::DurableContext;
using durable::Task;
using nlohmann::json;
using namespace std::chrono_literals;
namespace retry = durable::retry;

namespace {

/// A real one would send the id to somebody.
void submit(const std::string& /*callbackId*/) {}

Task<std::string> basic(DurableContext& ctx, std::string name) {
    auto result = co_await ctx.waitForCallback<std::string>(name, submit);
    co_return result;
}

Task<std::string> named(DurableContext& ctx) {
    auto result = co_await ctx.waitForCallback<std::string>("approval", submit);
    co_return result;
}

Task<std::string> withoutName(DurableContext& ctx) {
    auto result = co_await ctx.waitForCallback<std::string>(submit);
    co_return result;
}

Task<std::string> withTimeout(DurableContext& ctx, std::string name) {
    auto result = co_await ctx.waitForCallback<std::string>(name, submit, {.timeout = 3s});
    co_return result;
}

Task<std::string> submitterFails(DurableContext& ctx, std::string name) {
    auto result = co_await ctx.waitForCallback<std::string>(
        name, [](const std::string&) { throw std::runtime_error{"cannot submit"}; },
        {.retryStrategy = retry::fixed(2, 1s)});
    co_return result;
}

Task<std::string> twoInARow(DurableContext& ctx) {
    co_await ctx.waitForCallback<std::string>("first", submit);
    auto second = co_await ctx.waitForCallback<std::string>("second", submit);
    co_return second;
}

Task<std::string> readAsJson(DurableContext& ctx, std::string name) {
    const auto answer = co_await ctx.waitForCallback<json>(name, submit);
    co_return answer.at("status").get<std::string>();
}

Task<std::string> withHeartbeat(DurableContext& ctx, std::string name) {
    auto result = co_await ctx.waitForCallback<std::string>(name, submit, {.heartbeatTimeout = 5s});
    co_return result;
}

Task<std::string> timeoutCaught(DurableContext& ctx, std::string name) {
    std::string result;
    try {
        result = co_await ctx.waitForCallback<std::string>(name, submit, {.timeout = 3s});
    } catch (const CallbackTimeoutError&) {
        result = "timed-out-handled";
    }
    co_return result;
}

}  // namespace

void registerWaitForCallback(durable::testing::LocalRunner& runner) {
    runner.registerHandler("7-1", basic)
        .registerHandler("7-2", named)
        .registerHandler("7-3", withoutName)
        .registerHandler("7-4", basic)
        .registerHandler("7-5", withTimeout)
        .registerHandler("7-7", submitterFails)
        .registerHandler("7-9", twoInARow)
        .registerHandler("7-11", readAsJson)
        .registerHandler("7-12", withHeartbeat)
        .registerHandler("7-14", timeoutCaught)
        .registerHandler("7-15", basic);
}
