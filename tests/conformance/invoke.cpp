// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"
#include "serdes.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

using durable::DurableContext;
using durable::InvokeError;
using durable::Task;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

// --- what is invoked
// ------------------------------------------------------------------------------

Task<json> echo(DurableContext&, json input) { co_return input; }

Task<void> broken(DurableContext&, json) {
    throw std::runtime_error{"the target fails"};
    co_return;
}

Task<std::size_t> length(DurableContext&, std::string text) { co_return text.size(); }

// --- who invokes
// ----------------------------------------------------------------------------------

Task<json> basic(DurableContext& ctx, json input) {
    auto result = co_await ctx.invoke<json>("echo", input);
    co_return result;
}

Task<json> named(DurableContext& ctx, json input) {
    const auto name = input.at("name").get<std::string>();
    auto result = co_await ctx.invoke<json>(name, "echo", input.at("payload"));
    co_return result;
}

Task<void> failing(DurableContext& ctx) { co_await ctx.invoke<void>("broken", json{}); }

Task<std::string> caught(DurableContext& ctx) {
    std::string result{"none"};
    try {
        co_await ctx.invoke<void>("broken", json{});
    } catch (const InvokeError&) {
        result = "fallback";
    }
    co_return result;
}

Task<std::size_t> largePayload(DurableContext& ctx) {
    constexpr std::size_t nearTheLimit = 5 * 1024 * 1024;
    const auto size = co_await ctx.invoke<std::size_t>("length", std::string(nearTheLimit, 'x'));
    co_return size;
}

Task<json> forTenant(DurableContext& ctx, json input) {
    auto result = co_await ctx.invoke<json>("echo", input.at("payload"),
                                            {.tenantId = input.at("tenantId").get<std::string>()});
    co_return result;
}

Task<json> replayed(DurableContext& ctx) {
    auto result = co_await ctx.invoke<json>("echo", json("cached"));
    co_await ctx.wait(1s);
    co_return result;
}

Task<json> afterStep(DurableContext& ctx) {
    const auto value = co_await ctx.step([] { return std::string{"from the step"}; });
    auto result = co_await ctx.invoke<json>("echo", value);
    co_return result;
}

Task<std::string> beforeStep(DurableContext& ctx) {
    const auto value = co_await ctx.invoke<std::string>("echo", json("invoked"));
    auto result = co_await ctx.step([&] { return value + " and used"; });
    co_return result;
}

Task<json> payloadSerdes(DurableContext& ctx, json input) {
    const durable::Serdes<std::string> capitals{
        .serialize = [](const std::string& value, auto&) { return json(upperCase(value)).dump(); },
        .deserialize = [](const std::string& text,
                          auto&) { return json::parse(text).get<std::string>(); }};
    auto result = co_await ctx.invoke<json>("echo", input.at("data").get<std::string>(),
                                            {.payloadSerdes = capitals});
    co_return result;
}

Task<std::string> resultSerdes(DurableContext& ctx, std::string input) {
    const durable::Serdes<std::string> capitals{
        .serialize = [](const std::string& value, auto&) { return value; },
        .deserialize = [](const std::string& text, auto&) { return upperCase(text); }};
    auto result = co_await ctx.invoke<std::string>("echo", input, {.resultSerdes = capitals});
    co_return result;
}

}  // namespace

void registerInvoke(durable::testing::LocalRunner& runner) {
    runner.registerHandler("echo", echo)
        .registerHandler("broken", broken)
        .registerHandler("length", length)
        .registerHandler("5-1", basic)
        .registerHandler("5-2", named)
        .registerHandler("5-3", basic)
        .registerHandler("5-5", failing)
        .registerHandler("5-6", caught)
        .registerHandler("5-7", largePayload)
        .registerHandler("5-8", forTenant)
        .registerHandler("5-9", replayed)
        .registerHandler("5-11", afterStep)
        .registerHandler("5-12", beforeStep)
        .registerHandler("5-15", payloadSerdes)
        .registerHandler("5-16", resultSerdes);
}
