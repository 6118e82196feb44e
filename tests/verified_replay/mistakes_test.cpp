// SPDX-License-Identifier: Apache-2.0
// Handlers that would fail when they are replayed, perhaps months later, as one meets them: each is
// found on its first run. Each runs through without verification.

#include <verified_replay/verified.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using durable::testing::LocalRunner;

namespace {

thread_local std::string tenant = "nobody";

}  // namespace

TEST_CASE("mistake: a random number is part of a name; the report names both calls") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("reserve", nothing);
            co_await ctx.step(fmt::format("charge-{}", drawn()), nothing);
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 2.\n"
                                "  recorded:  step \"charge-"));
    CHECK_THAT(text, ContainsSubstring("(type STEP, subtype Step, parent none)\n"
                                       "  requested: step \"charge-"));
    CHECK_THAT(text, ContainsSubstring("\nUsual causes: "));
}

TEST_CASE("mistake: a clock is part of a name") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
            co_await ctx.step(fmt::format("report-{}", now), nothing);
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 1.\n"
                                "  recorded:  step \"report-"));
}

TEST_CASE("mistake: a wait is of random length") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            co_await ctx.wait("jitter", std::chrono::seconds{1 + drawn() % 1'000'000});
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  wait \"jitter\" (type WAIT, subtype Wait, "
                                       "parent none), of "));
    CHECK_THAT(text, ContainsSubstring(" s\n  requested: wait \"jitter\""));
}

TEST_CASE("mistake: an address is part of a name") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            const auto order = std::make_unique<int>(7);
            co_await ctx.step(fmt::format("ship-{}", fmt::ptr(order.get())), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"ship-0x"));
}

TEST_CASE("mistake: a thread id is part of a name") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            std::ostringstream name;
            name << "on-" << std::this_thread::get_id();
            co_await ctx.step(name.str(), nothing);
            co_await ctx.step("work", nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"on-"));
    CHECK_THAT(text, ContainsSubstring("requested: step \"on-"));
}

TEST_CASE("mistake: a thread id is part of the result") {
    const auto text = accusation([] {
        return [](DurableContext&) -> Task<std::size_t> {
            co_return std::hash<std::thread::id>{}(std::this_thread::get_id());
        };
    });

    CHECK_THAT(text, ContainsSubstring("at the end of the handler.\n"));
}

TEST_CASE("mistake: a generator of the thread is drawn from, which begins with the same seed") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            thread_local std::minstd_rand generator;
            co_await ctx.step(fmt::format("sample-{}", generator()), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"sample-"));
}

TEST_CASE("mistake: a counter of the thread is the result, and there is no operation at all") {
    const auto text = accusation([] {
        return [](DurableContext&) -> Task<int> {
            thread_local int calls = 0;
            co_return ++calls;
        };
    });

    CHECK_THAT(text, ContainsSubstring("at the end of the handler.\n"));
}

TEST_CASE("mistake: a handler goes by what only its first thread was told") {
    tenant = "acme";
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("bill-" + tenant, nothing);
            co_await ctx.wait(1s);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"bill-acme\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"bill-nobody\""));
}

TEST_CASE("mistake: a member of a local variable was never given a value") {
    struct Order {
        int number;
        int priority;
    };
    // Volatile, so that no compiler knows that nothing is written to the other.
    static void (*volatile read)(Order&) = [](Order& order) { order.number = 7; };
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            Order order;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is the mistake
            read(order);
            co_await ctx.step(fmt::format("check-{}", order.number), nothing);
            co_await ctx.step(fmt::format("priority-{}", order.priority), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"priority-"));
    CHECK_THAT(text, ContainsSubstring("requested: step \"priority-"));
}

TEST_CASE("mistake: a map runs over a list that was shuffled") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            std::vector<int> orders(50);
            std::iota(orders.begin(), orders.end(), 0);
            std::shuffle(orders.begin(), orders.end(), std::mt19937_64{drawn()});
            co_await ctx.map("all", orders, [](DurableContext& item, const int& o) -> Task<void> {
                co_await item.step(fmt::format("o-{}", o), nothing);
            });
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"o-"));
    CHECK_THAT(text, ContainsSubstring("parent 1-"));
}

TEST_CASE("mistake: a counter that outlives the run is part of a name") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            co_await ctx.step(fmt::format("run-{}", ++*runs), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"run-1\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"run-2\""));
}

TEST_CASE("mistake: the handler is a lambda that changes what it holds") {
    const auto text = accusation([] {
        return [left = 3](DurableContext& ctx) mutable -> Task<void> {
            --left;
            co_await ctx.step(fmt::format("{}-left", left), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"2-left\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"1-left\""));
}

TEST_CASE("mistake: the last step of a handler is called in the first run only") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            const bool isFirst = (*runs)++ == 0;
            co_await ctx.step("work", nothing);
            if (isFirst) co_await ctx.step("announce", nothing);
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 2.\n"
                                "  recorded:  step \"announce\" (type STEP, subtype Step, parent "
                                "none)\n"
                                "  requested: nothing\n"));
}

TEST_CASE("mistake: a step is called by whoever comes first; then that is the replay") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("work", nothing);
            if ((*runs)++ == 0) co_await ctx.step("announce", nothing);
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 2.\n"
                                "  recorded:  nothing\n"
                                "  requested: step \"announce\""));
}

TEST_CASE("mistake: a step is called in later runs only, although nothing follows it") {
    const auto text = accusation([] {
        return [runs = counter()](DurableContext& ctx) -> Task<void> {
            const bool isFirst = (*runs)++ == 0;
            co_await ctx.step("work", nothing);
            if (!isFirst) co_await ctx.step("apologize", nothing);
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 2.\n"
                                "  recorded:  nothing\n"
                                "  requested: step \"apologize\""));
}

TEST_CASE("mistake: a step is left out on replay, as if that were what isReplaying is for") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            if (!ctx.isReplaying()) co_await ctx.step("greet", nothing);
            co_await ctx.step("work", nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"greet\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"work\""));
}

TEST_CASE("mistake: a body tells its result by a captured variable") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            int total = 0;
            co_await ctx.step("add", [&total] { total += 5; });
            co_await ctx.step(fmt::format("pay-{}", total), nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  step \"pay-5\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"pay-0\""));
}

TEST_CASE("mistake: the result of the handler was told by a captured variable") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<int> {
            int total = 0;
            co_await ctx.step("add", [&total] { total += 5; });
            co_return total;
        };
    });

    CHECK_THAT(text,
               StartsWith("Verified replay left the recorded path at the end of the handler.\n"
                          "  recorded:  the handler returned 5\n"
                          "  requested: the handler returned 0\n"));
}

TEST_CASE("mistake: the items of a map tell their results by a captured list") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            std::vector<int> done;
            const std::vector numbers{1, 2, 3};
            co_await ctx.map("all", numbers,
                             [&done](DurableContext& item, const int& n) -> Task<void> {
                                 co_await item.step(nothing);
                                 done.push_back(n);
                             });
            co_await ctx.step(fmt::format("sum-of-{}", done.size()), nothing);
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 2.\n"));
    CHECK_THAT(text, ContainsSubstring("recorded:  step \"sum-of-3\""));
    CHECK_THAT(text, ContainsSubstring("requested: step \"sum-of-0\""));
}

TEST_CASE("mistake: a map runs over a list that has grown meanwhile") {
    const auto text = accusation([] {
        return [list = std::make_shared<std::vector<int>>(2)](DurableContext& ctx) -> Task<void> {
            const auto& items = *list;
            co_await ctx.map("all", items,
                             [=](DurableContext& item, const int&, std::size_t) -> Task<void> {
                                 co_await item.step("grow", [=] { list->push_back(1); });
                             });
        };
    });

    CHECK_THAT(text, ContainsSubstring("map \"all\" of 2 items"));
}

TEST_CASE("mistake: an invoke sends a random key, the names are the same") {
    const auto text = accusation(
        [] {
            return [](DurableContext& ctx) -> Task<void> {
                co_await ctx.invoke<int>("charge", "charge-card", fmt::format("key-{}", drawn()));
            };
        },
        [](LocalRunner& runner) {
            runner.registerFunction<std::string>("charge-card", [](std::string) { return 1; });
        });

    CHECK_THAT(text, ContainsSubstring("recorded:  invoke \"charge\" (type CHAINED_INVOKE, subtype "
                                       "ChainedInvoke, parent none), of handler \"charge-card\" "
                                       "with \"key-"));
    CHECK_THAT(text, ContainsSubstring("requested: invoke \"charge\""));
}

TEST_CASE("mistake: what a handler throws is another thing each time") {
    const auto text = accusation(
        [] {
            return [](DurableContext& ctx) -> Task<void> {
                co_await ctx.step("work", nothing);
                throw std::runtime_error{fmt::format("incident {}", drawn())};
            };
        },
        {}, ExecutionStatus::failed);

    CHECK_THAT(text,
               ContainsSubstring("recorded:  the handler threw std::runtime_error: incident"));
    CHECK_THAT(text,
               ContainsSubstring("requested: the handler threw std::runtime_error: incident"));
}

TEST_CASE("mistake: a call differs that was made, but is awaited later") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<void> {
            auto later = ctx.step(fmt::format("later-{}", drawn()), nothing);
            co_await ctx.wait("first", 1s);
            co_await later;
        };
    });

    CHECK_THAT(text, StartsWith("Verified replay left the recorded path at operation 1.\n"
                                "  recorded:  step \"later-"));
    CHECK_THAT(text, ContainsSubstring(", not recorded yet\n  requested: step \"later-"));
}

TEST_CASE("mistake: a batch is stopped by a rule that counts how often it was asked") {
    const auto text = accusation([] {
        return [asked = counter()](DurableContext& ctx) -> Task<void> {
            const std::vector numbers{1, 2, 3};
            co_await ctx.map(
                "all", numbers,
                [](DurableContext& item, const int& n) -> Task<void> {
                    co_await item.step(nothing);
                    co_await item.wait(std::chrono::seconds{n});
                },
                {.completionConfig = {.shouldComplete = [=](const CompletionProgress&) {
                     return ++*asked > 3 ? CompletionDecision::completeAsSucceeded
                                         : CompletionDecision::goOn;
                 }}});
            co_await ctx.step("after", nothing);
        };
    });

    CHECK_THAT(text, ContainsSubstring("\n  requested: step \"after\""));
}

TEST_CASE("mistake: serializing gives another text each time") {
    const auto text = accusation([] {
        return [](DurableContext& ctx) -> Task<std::string> {
            co_await ctx.step("work", nothing);
            co_return fmt::format("receipt {} of {}", drawn(), std::string(500, 'x'));
        };
    });

    CHECK_THAT(text, ContainsSubstring("recorded:  the handler returned \"receipt "));
    CHECK(text.size() < 1200);  // long values are cut
}

TEST_CASE("mistake: found in an invoked handler, it fails that one") {
    const auto make = [] {
        return [](DurableContext& ctx) -> Task<void> {
            co_await ctx.invoke<void>("call", "callee", 1);
        };
    };
    const auto went = runOnce(make, true, [](LocalRunner& runner) {
        runner.registerHandler("callee", [](DurableContext& ctx, int) -> Task<void> {
            co_await ctx.step(fmt::format("x-{}", drawn()), nothing);
        });
    });

    CHECK(went.status == ExecutionStatus::failed);
    CHECK(went.error.type == "InvokeError");
    REQUIRE(went.error.cause);
    CHECK(went.error.cause->type == "NonDeterministicExecutionError");
}
