// SPDX-License-Identifier: Apache-2.0
// The program of both consumers: a workflow on a journal in the current folder, and its test.
// It prints the version, and "Hello, world!" twice.
#include <durable/durable.hpp>
#include <durable/sqlite.hpp>
#include <durable/testing.hpp>
#include <durable/version.hpp>

#include <cstdio>
#include <string>

durable::Task<std::string> greet(durable::DurableContext& ctx, std::string name) {
    auto greeting = co_await ctx.step("compose", [&] { return "Hello, " + name + "!"; });
    co_return greeting;
}

int main() {
    std::printf("durable %d.%d.%d\n", DURABLE_VERSION_MAJOR, DURABLE_VERSION_MINOR,
                DURABLE_VERSION_PATCH);

    durable::Engine engine{durable::SqliteStore::open("consumer.db")};
    engine.registerHandler("greet", greet);
    auto execution = engine.start("greet", std::string{"world"}, {.name = "first"});
    std::printf("%s\n", execution.result<std::string>().c_str());

    durable::testing::LocalRunner runner{greet};
    auto tested = runner.run(std::string{"world"});
    std::printf("%s\n", tested.result<std::string>().c_str());
}
