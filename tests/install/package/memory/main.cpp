// SPDX-License-Identifier: Apache-2.0
// A workflow on a journal in memory. It prints "Hello, memory!".
#include <durable/durable.hpp>

#include <cstdio>
#include <memory>
#include <string>

durable::Task<std::string> greet(durable::DurableContext& ctx, std::string name) {
    auto greeting = co_await ctx.step("compose", [&] { return "Hello, " + name + "!"; });
    co_return greeting;
}

int main() {
    durable::Engine engine{std::make_shared<durable::MemoryStore>()};
    engine.registerHandler("greet", greet);

    auto execution = engine.start("greet", std::string{"memory"}, {.name = "first"});
    std::printf("%s\n", execution.result<std::string>().c_str());
}
