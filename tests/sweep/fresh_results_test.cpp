// SPDX-License-Identifier: Apache-2.0
// Results that are meant to be others in each run.
#include <durable/testing.hpp>

#include <support/catch.hpp>
#include <sweep/require_right.hpp>

#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace durable;
using Catch::Matchers::ContainsSubstring;
using durable::testing::crashSweep;
using durable::testing::CrashSweepOptions;
using durable::testing::LocalRunner;
using durable::testing::TestExecution;
using durable::testing::TestOperation;

namespace {

std::string drawId() {
    static std::mt19937_64 random{std::random_device{}()};
    return fmt::format("{:016x}", random());
}

}  // namespace

TEST_CASE("a step that draws an id is right if freshResults names it, wherever the id goes") {
    const auto handler = [](DurableContext& ctx) -> Task<std::string> {
        const auto id = co_await ctx.step("new id", [] { return drawId(); });
        co_await ctx.step("ship " + id, [] {});
        const auto reply = co_await ctx.invoke<std::string>("reply", "reply", id);
        const std::vector<std::string> items{id, id + "-2"};
        const auto batch = co_await ctx.map(
            "items", items, [](DurableContext& item, const std::string& it) -> Task<std::string> {
                co_return co_await item.step("label", [it] { return "label \"" + it + '"'; });
            });
        std::string caught;
        try {
            co_await ctx.step("fail", [id] { throw std::runtime_error{"no " + id}; },
                              {.retryStrategy = retry::none()});
        } catch (const StepError& error) {
            caught = error.what();
        }
        co_return reply + caught + batch.getResults().back();
    };
    CrashSweepOptions options{.setUp = [](LocalRunner& runner) {
        runner.registerFunction<std::string>("reply", [](std::string id) { return "to " + id; });
    }};

    const auto unnamed = crashSweep(handler, options);
    REQUIRE(unnamed.findings.size() == 1);
    CHECK(unnamed.findings.front().when == "in the second run, without a crash");
    CHECK_THAT(unnamed.findings.front().text(),
               ContainsSubstring("name it in freshResults") && ContainsSubstring("answerCallback"));
    CHECK(unnamed.notSwept == "the second run already went otherwise than the first one.");
    CHECK_THAT(unnamed.text(), ContainsSubstring("No crash was tried: the second run"));

    options.freshResults = {"new id"};
    options.pairsMax = 20;
    requireRight(crashSweep(handler, options));
}

TEST_CASE("the parts of a fresh result are hidden too, and numbers are") {
    const auto handler = [](DurableContext& ctx) -> Task<std::int64_t> {
        const auto [id, now] = co_await ctx.step("draw", [] {
            static std::int64_t moment = 1'700'000'000'000;
            return std::pair{drawId(), ++moment};
        });
        co_await ctx.step("ship " + id, [] {});
        co_return now;
    };

    CHECK_FALSE(crashSweep(handler).findings.empty());
    requireRight(crashSweep(handler, {.freshResults = {"draw"}}));
}

TEST_CASE("what is not named in freshResults is compared though another result is fresh") {
    int sequence = 0;
    const auto report = crashSweep(
        [&](DurableContext& ctx) -> Task<int> {
            co_await ctx.step("new id", [] { return drawId(); });
            co_return co_await ctx.step("invoice", [&] { return ++sequence; });
        },
        CrashSweepOptions{.newWorld = [&] { sequence = 0; }, .freshResults = {"new id"}});

    REQUIRE_FALSE(report.findings.empty());
    CHECK(report.findings.front().crashes.size() == 1);
    CHECK_THAT(report.text(), ContainsSubstring("now:             SUCCEEDED with 2"));
}

TEST_CASE("the id of a callback may be part of results, names and the end") {
    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<std::string> {
            auto callback = co_await ctx.createCallback<std::string>("approval");
            const auto& id = callback.id();
            const auto link = co_await ctx.step("send " + id, [id] { return "https://x/" + id; });
            const auto answer = co_await callback.result();
            co_return answer + link;
        },
        {.answerCallback = [](TestExecution& execution, const TestOperation& asked) {
            execution.completeCallback(asked.callbackId(), "yes");
        }}));
}
