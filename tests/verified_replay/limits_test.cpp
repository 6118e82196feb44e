// SPDX-License-Identifier: Apache-2.0
// Mistakes that verification does not find, as the option says: what is the same twice within one
// process, and what goes into a call but is not compared. (Nor the date and the time in seconds,
// which no test could wait for.) Where one is found after all, the option's comment changes too.

#include <unistd.h>
#include <verified_replay/verified.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

template <class Make>
bool isFound(Make make) {
    return runOnce(make, true).status != ExecutionStatus::succeeded;
}

}  // namespace

TEST_CASE("not found: the order of an unordered container, which is the same within a process") {
    CHECK_FALSE(isFound([] {
        return [](DurableContext& ctx) -> Task<void> {
            std::unordered_set<std::string> orders;
            for (int i = 0; i < 20; ++i) orders.insert(fmt::format("o-{}", i));
            for (const auto& order : orders) co_await ctx.step(order, nothing);
        };
    }));
}

TEST_CASE("not found: the order of pointers to objects that outlive the run") {
    CHECK_FALSE(isFound([] {
        std::vector<std::shared_ptr<const int>> all;
        for (int i = 0; i < 20; ++i) all.push_back(std::make_shared<const int>(i));
        return [all = std::move(all)](DurableContext& ctx) -> Task<void> {
            const std::set<std::shared_ptr<const int>> orders(all.begin(), all.end());
            for (const auto& o : orders) co_await ctx.step(fmt::format("o-{}", *o), nothing);
        };
    }));
}

TEST_CASE("not found: the process and its environment, which stay") {
    CHECK_FALSE(isFound([] {
        return [](DurableContext& ctx) -> Task<void> {
            const auto* home = std::getenv("HOME");
            co_await ctx.step(fmt::format("{}-{}", ::getpid(), home ? home : ""), nothing);
        };
    }));
}

TEST_CASE("not found: what a body has left in a variable that outlives the run") {
    CHECK_FALSE(isFound([] {
        return [rate = std::make_shared<int>(0)](DurableContext& ctx) -> Task<int> {
            co_await ctx.step("load", [rate] { *rate = 5; });
            co_await ctx.step(fmt::format("pay-{}", *rate), nothing);
            co_return *rate;
        };
    }));
}

TEST_CASE("not found: what a body captures, the names being the same") {
    CHECK_FALSE(isFound([] {
        return [](DurableContext& ctx) -> Task<void> {
            const auto key = drawn();
            co_await ctx.step("charge", [key] { return key != 0; });
            co_await ctx.step("ship", nothing);
        };
    }));
}

TEST_CASE("not found: shuffled items, the names being the same") {
    CHECK_FALSE(isFound([] {
        return [](DurableContext& ctx) -> Task<void> {
            std::vector<int> orders(50);
            std::generate(orders.begin(), orders.end(), [n = 0]() mutable { return ++n; });
            std::shuffle(orders.begin(), orders.end(), std::mt19937_64{drawn()});
            co_await ctx.map("all", orders, [](DurableContext& item, const int& o) -> Task<int> {
                co_return co_await item.step("ship", [o] { return o; });
            });
        };
    }));
}

TEST_CASE("not found: the state that a condition begins with") {
    CHECK_FALSE(isFound([] {
        return [](DurableContext& ctx) -> Task<void> {
            co_await ctx.waitForCondition<std::uint64_t>(
                "ready", [](const std::uint64_t& n) { return n; },
                {.initialState = drawn(),
                 .waitStrategy = [](const std::uint64_t&, std::uint32_t, double) {
                     return WaitDecision::stop();
                 }});
            co_await ctx.step("after", nothing);
        };
    }));
}
