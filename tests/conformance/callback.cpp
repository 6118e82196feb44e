// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

using durable::CallbackTimeoutError;
using durable::DurableContext;
using durable::Task;
using namespace std::chrono_literals;

namespace {

Task<std::string> basic(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name);
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> named(DurableContext& ctx) {
    auto callback = co_await ctx.createCallback<std::string>("approval");
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> withTimeout(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name, {.timeout = 5s});
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> withHeartbeat(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name, {.heartbeatTimeout = 5s});
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> keptAlive(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name, {.heartbeatTimeout = 10s});
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> thenStep(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name);
    co_await ctx.step([] { return 1; });
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> thenWait(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name);
    co_await ctx.wait(5s);
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> timesOutMeanwhile(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name, {.timeout = 3s});
    co_await ctx.wait(6s);
    auto result = co_await callback.result();
    co_return result;
}

Task<std::string> waitAfter(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name);
    auto result = co_await callback.result();
    co_await ctx.wait(2s);
    co_return result;
}

Task<std::string> timeoutCaught(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<std::string>(name, {.timeout = 3s});
    std::string result;
    try {
        result = co_await callback.result();
    } catch (const CallbackTimeoutError& error) {
        result = error.what();
    }
    co_await ctx.wait(2s);
    co_return result;
}

struct Notice {
    std::string id{};
    std::string message{};
    std::int64_t timestamp{};  ///< seconds since 1970
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Notice, id, message, timestamp)
};

std::int64_t secondsOf(const std::string& text) {
    std::tm time{};
    ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
    return ::timegm(&time);
}

/// Notices come with their time as text.
durable::Serdes<Notice> noticeSerdes() {
    return {.serialize = [](const Notice& notice, auto&) { return nlohmann::json(notice).dump(); },
            .deserialize =
                [](const std::string& text, auto&) {
                    const auto json = nlohmann::json::parse(text);
                    return Notice{.id = json.at("id"),
                                  .message = json.at("message"),
                                  .timestamp = secondsOf(json.at("timestamp"))};
                }};
}

Task<nlohmann::json> customSerdes(DurableContext& ctx, std::string name) {
    auto callback = co_await ctx.createCallback<Notice>(name, {.serdes = noticeSerdes()});
    const Notice notice = co_await callback.result();
    co_return nlohmann::json{{"received", notice}};
}

Task<std::vector<std::string>> oneAfterTheOther(DurableContext& ctx,
                                                std::vector<std::string> names) {
    std::vector<std::string> results;
    for (const auto& name : names) {
        auto callback = co_await ctx.createCallback<std::string>(name);
        auto result = co_await callback.result();
        results.push_back(result);
    }
    co_return results;
}

Task<std::vector<std::string>> bothAtOnce(DurableContext& ctx, std::vector<std::string> names) {
    auto first = co_await ctx.createCallback<std::string>(names.at(0));
    auto second = co_await ctx.createCallback<std::string>(names.at(1));
    std::vector<std::string> results;
    auto result = co_await first.result();
    results.push_back(result);
    result = co_await second.result();
    results.push_back(result);
    co_return results;
}

}  // namespace

void registerCallback(durable::testing::LocalRunner& runner) {
    runner.registerHandler("4-1", basic)
        .registerHandler("4-2", named)
        .registerHandler("4-3", withTimeout)
        .registerHandler("4-4", withHeartbeat)
        .registerHandler("4-5", keptAlive)
        .registerHandler("4-6", basic)
        .registerHandler("4-7", thenStep)
        .registerHandler("4-9", thenWait)
        .registerHandler("4-11", timesOutMeanwhile)
        .registerHandler("4-12", waitAfter)
        .registerHandler("4-14", timeoutCaught)
        .registerHandler("4-15", customSerdes)
        .registerHandler("4-17", oneAfterTheOther)
        .registerHandler("4-18", bothAtOnce);
}
