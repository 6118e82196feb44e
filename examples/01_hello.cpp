// SPDX-License-Identifier: Apache-2.0
//
// The smallest durable program: a step, a wait, and a result.
//
//   $ ./01_hello
//   Hello, Ada!
//
// Kill it during the wait and start it again: the step does not run again, and only the rest of the
// second is waited for. Started once more after the end, it gives the result that is recorded:
//
//   $ ./01_hello
//   Hello, Ada!

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <chrono>
#include <string>

using namespace durable;
using namespace std::chrono_literals;

Task<std::string> greet(DurableContext& ctx, std::string name) {
    auto greeting = co_await ctx.step("greet", [&] { return fmt::format("Hello, {}!", name); });
    co_await ctx.wait("cool-down", 1s);
    co_return greeting;
}

int main() {
    Engine engine{SqliteStore::open("01_hello.db")};
    engine.registerHandler("greet", greet);

    auto execution = engine.start("greet", "Ada", {.name = "ada"});
    fmt::print("{}\n", execution.result<std::string>());
}
