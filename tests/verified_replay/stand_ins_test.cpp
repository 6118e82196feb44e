// SPDX-License-Identifier: Apache-2.0
// Mistakes that the test helps to happen within one run: what changes from day to day or from
// machine to machine is changed by a step, a seed, a counter or a thread of the test. They show
// that a difference of that kind is seen and how it is told, not that the mistake is found as one
// meets it: for that see mistakes_test.cpp and limits_test.cpp.

#include <verified_replay/verified.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using durable::testing::LocalRunner;

namespace {

/// Twenty orders as an unordered container gives them, whose hash is seeded each time.
std::vector<int> someOrder() {
    struct Seeded {
        std::uint64_t seed = drawn();
        std::size_t operator()(int value) const {
            return (seed ^ static_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15U >> 32U;
        }
    };
    std::unordered_set<int, Seeded> orders(0, Seeded{});
    for (int order = 0; order < 20; ++order) orders.insert(order);
    return {orders.begin(), orders.end()};
}

}  // namespace

TEST_CASE("stand-in: a clock decides which way to go; it is the test's, and the wait moves it") {
    const auto clock = std::make_shared<durable::testing::ManualClock>();
    const auto deadline = clock->now() + 1h;
    const auto handler = [=](DurableContext& ctx) -> Task<void> {
        if (clock->now() < deadline) {
            co_await ctx.step("offer", nothing);
        } else {
            co_await ctx.step("refuse", nothing);
        }
        co_await ctx.wait("think it over", 2h);
    };
    LocalRunner runner{handler, {.parked = true, .verifyReplay = true, .clock = clock}};

    auto execution = runner.run();

    CHECK(execution.status() == ExecutionStatus::failed);
    CHECK(execution.error()->type == "NonDeterministicExecutionError");
    CHECK_THAT(*execution.error()->message,
               StartsWith("Verified replay left the recorded path at operation 1.\n"
                          "  recorded:  step \"offer\" (type STEP, subtype Step, parent none)\n"
                          "  requested: step \"refuse\" (type STEP, subtype Step, parent none)\n"));
}

TEST_CASE("stand-in: an unordered container orders the steps, with a hash seeded each time") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            for (const auto order : someOrder())
                co_await ctx.step(fmt::format("o-{}", order), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"o-"));
    CHECK_THAT(text, ContainsSubstring("requested: step \"o-"));
}

TEST_CASE("stand-in: a map runs over an unordered container, with a hash seeded each time") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            const auto items = someOrder();
            co_await ctx.map("all", items, [](DurableContext& item, const int& o) -> Task<void> {
                co_await item.step(fmt::format("o-{}", o), nothing);
            });
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"o-"));
    CHECK_THAT(text, ContainsSubstring("parent 1-"));
}

TEST_CASE("stand-in: a thread id is part of a name, and the test goes on with another thread") {
    const auto handler = [](DurableContext& ctx) -> Task<void> {
        std::ostringstream name;
        name << "on-" << std::this_thread::get_id();
        co_await ctx.step(name.str(), nothing);
        co_await ctx.wait(1s);
    };
    LocalRunner runner{handler, {.parked = true, .verifyReplay = true}};
    auto execution = runner.start();

    std::thread{[&] { execution.run(); }}.join();

    CHECK(execution.status() == ExecutionStatus::failed);
    CHECK_THAT(*execution.error()->message, ContainsSubstring("recorded:  step \"on-"));
}

TEST_CASE("stand-in: the environment decides, and a step has changed it") {
    ::unsetenv("DURABLE_TEST_REGION");
    const auto text = accusation([] {
        ::setenv("DURABLE_TEST_REGION", "north", 1);
        return [](DurableContext& ctx) -> Task<void> {
            const auto region = std::string{std::getenv("DURABLE_TEST_REGION")};
            co_await ctx.step("book-" + region, nothing);
            co_await ctx.step("move", [] { ::setenv("DURABLE_TEST_REGION", "south", 1); });
        };
    });
    ::unsetenv("DURABLE_TEST_REGION");

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"book-north\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"book-south\""));
}

TEST_CASE("stand-in: a counter stands for memory that others use too") {
    // What such a variable holds: whatever was in that memory before.
    struct Memory {
        std::array<unsigned char, 8> bytes{};
        std::uint64_t take() {
            std::uint64_t found = 0;
            std::memcpy(&found, bytes.data(), sizeof found);
            const auto used = found + 1;
            std::memcpy(bytes.data(), &used, sizeof used);
            return found;
        }
    };
    const auto text = accusation([] {
        return [memory = std::make_shared<Memory>()](DurableContext& ctx) -> Task<void> {
            const auto priority = memory->take();
            co_await ctx.step(fmt::format("priority-{}", priority), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"priority-0\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"priority-1\""));
}

TEST_CASE("stand-in: an invoke calls now this handler, now that") {
    const auto text = accusation(
        [] {
            return [runs = counter()](DurableContext& ctx) -> Task<void> {
                const std::string bank = (*runs)++ % 2 == 0 ? "bank-a" : "bank-b";
                co_await ctx.invoke<int>("pay", bank, 5);
            };
        },
        [](LocalRunner& runner) {
            runner.registerFunction<int>("bank-a", [](int) { return 1; });
            runner.registerFunction<int>("bank-b", [](int) { return 2; });
        });

    CHECK_THAT(text, ContainsSubstring(", of handler \"bank-a\" with 5\n"));
    CHECK_THAT(text, ContainsSubstring(", of handler \"bank-b\" with 5\n"));
}

TEST_CASE("stand-in: a counter is the time of day, and a timeout is what is left of it") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            co_await ctx.createCallback<std::string>(
                "approval", {.timeout = 24h - std::chrono::hours{(*runs)++}});
            co_await ctx.wait(1s);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  createCallback \"approval\" (type CALLBACK, "
                                       "subtype Callback, parent none), timeout 86400 s\n"));
    CHECK_THAT(text, ContainsSubstring(", timeout 82800 s\n"));
}

TEST_CASE("stand-in: a call of another kind has the same name") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            if ((*runs)++ == 0) {
                co_await ctx.step("ready", nothing);
            } else {
                co_await ctx.waitForCondition<int>(
                    "ready", [](const int& n) { return n; },
                    {.initialState = 0, .waitStrategy = [](const int&, std::uint32_t, double) {
                         return WaitDecision::stop();
                     }});
            }
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"ready\" (type STEP, subtype Step, parent "
                                       "none)\n"
                                       "  requested: waitForCondition \"ready\" (type STEP, "
                                       "subtype WaitForCondition, parent none)"));
}

TEST_CASE("stand-in: a child context is recorded in one run and not in the next") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            const ChildContextConfig config{.virtualContext = (*runs)++ > 0};
            auto body = [](DurableContext& child) -> Task<void> {
                co_await child.step("inner", nothing);
            };
            co_await ctx.runInChildContext("group", body, config);
        };
    });

    CHECK_THAT(text, ContainsSubstring("(type CONTEXT, subtype RunInChildContext, parent none)\n"));
    CHECK_THAT(text, ContainsSubstring("parent none, without a record of its own)\n"));
}

TEST_CASE("stand-in: two calls are awaited now in this order, now in that") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            auto slow = ctx.wait("slow", 5s);
            auto quick = ctx.wait("quick", 1s);
            if ((*runs)++ == 0) {
                co_await slow;
                co_await quick;
            } else {
                co_await quick;
                co_await slow;
            }
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 2.\n"
                                "  recorded:  wait \"quick\" (type WAIT, subtype Wait, parent "
                                "none), not awaited\n"));
}

TEST_CASE("stand-in: a handler waits in the first run only") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            if ((*runs)++ == 0) co_await ctx.wait("settle down", 1h);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  wait \"settle down\""));
    CHECK_THAT(text, ContainsSubstring("requested: nothing"));
}
