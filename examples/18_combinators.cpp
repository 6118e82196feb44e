// SPDX-License-Identifier: Apache-2.0
//
// Operations side by side without a batch: all of them, the first that ends, the first that
// succeeds, how each ended. And a block of operations that is tried again as a whole.
//
//   $ ./18_combinators
//   all: 3 rooms, breakfast
//   race: fast answered
//   any: 42
//   settled: 1 ok, 1 failed by std::runtime_error
//   booked at attempt 2
//
// What was decided is recorded: started again, the program gives the same without running a step.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

const StepConfig once{.retryStrategy = retry::none()};

int refuse() { throw std::runtime_error{"not here"}; }

Task<std::string> combine(DurableContext& ctx) {
    // Different types: a tuple. Each operation has its place in the journal when it is called.
    auto [rooms, meal] =
        co_await ctx.all("stay", ctx.step("rooms", [] { return 3; }),
                         ctx.step("meal", [] { return std::string{"breakfast"}; }));

    // The loser is stopped; here a wait that would have lasted a day.
    auto first = co_await ctx.race("answer", ctx.step("fast", [] { return std::string{"fast"}; }),
                                   ctx.wait("limit", 24h));
    const auto* answer = std::get_if<std::string>(&first);

    auto found = co_await ctx.any("find", ctx.step("here", refuse, once),
                                  ctx.step("there", [] { return 42; }));

    std::vector<Task<int>> tries;
    tries.push_back(ctx.step("good", [] { return 1; }));
    tries.push_back(ctx.step("bad", refuse, once));
    auto settled = co_await ctx.allSettled("settled", std::move(tries));

    co_return fmt::format("all: {} rooms, {}\nrace: {}\nany: {}\nsettled: {} ok, {} failed by {}",
                          rooms, meal,
                          answer != nullptr ? *answer + " answered" : "nobody answered", found,
                          settled[0].succeeded() ? 1 : 0, settled[1].succeeded() ? 0 : 1,
                          settled[1].error()->cause->type.value_or(""));
}

/// Reserving and paying must be repeated together: a reservation does not outlive a failed payment.
Task<std::uint32_t> book(DurableContext& ctx) {
    co_return co_await ctx.withRetry(
        "book",
        [](DurableContext& block, std::uint32_t attempt) -> Task<std::uint32_t> {
            co_await block.step("reserve", [] {});
            co_await block.step(
                "pay",
                [=] {
                    if (attempt == 1) throw std::runtime_error{"card declined"};
                },
                once);
            co_return attempt;
        },
        {.retryStrategy = retry::fixed(3, 1s)});
}

int main() {
    Engine engine{SqliteStore::open("18_combinators.db")};
    engine.registerHandler("combine", combine);
    engine.registerHandler("book", book);

    fmt::print("{}\n", engine.start("combine", {.name = "a"}).result<std::string>());
    fmt::print("booked at attempt {}\n",
               engine.start("book", {.name = "a"}).result<std::uint32_t>());
}
