// SPDX-License-Identifier: Apache-2.0
//
// A map whose items have several stages: steps grouped in child contexts, and waits between them.
// All gateways wait at the same time, so the whole takes as long as one of them.
//
//   $ ./11_child_contexts
//   gw-1: installed 2.4.0, checked
//   gw-2: installed 2.4.0, checked
//   gw-3: installed 2.4.0, checked
//   in less than 3 seconds: yes
//
// Started again, it gives the recorded result. Killed during the waits and started again, it waits
// for the rest of them only; a child context that has ended does not run again.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <chrono>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

std::string download(const std::string& version) { return "image-" + version; }
std::string flash(const std::string& image) { return image.substr(6); }
bool answers(const std::string& /*gateway*/) { return true; }

Task<std::string> upgrade(DurableContext& item, std::string gateway) {
    auto version =
        co_await item.runInChildContext("install", [](DurableContext& child) -> Task<std::string> {
            auto image = co_await child.step("download", [] { return download("2.4.0"); });
            auto installed = co_await child.step("flash", [&] { return flash(image); });
            co_return installed;
        });

    co_await item.wait("reboot", 1s);

    auto isUp = co_await item.step("check", [&] { return answers(gateway); });
    co_return fmt::format("{}: installed {}, {}", gateway, version, isUp ? "checked" : "silent");
}

Task<std::vector<std::string>> upgradeAll(DurableContext& ctx, std::vector<std::string> gateways) {
    auto results = co_await ctx.map("upgrade", gateways, upgrade);
    co_return results.getResults();
}

int main() {
    Engine engine{SqliteStore::open("11_child_contexts.db")};
    engine.registerHandler("upgrade-all", upgradeAll);

    const auto started = std::chrono::steady_clock::now();
    const std::vector<std::string> gateways{"gw-1", "gw-2", "gw-3"};
    auto execution = engine.start("upgrade-all", gateways, {.name = "2-4-0"});
    fmt::print("{}\n", fmt::join(execution.result<std::vector<std::string>>(), "\n"));
    const auto took = std::chrono::steady_clock::now() - started;
    fmt::print("in less than 3 seconds: {}\n", took < 3s ? "yes" : "no");
}
