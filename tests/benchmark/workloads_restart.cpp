// SPDX-License-Identifier: Apache-2.0
#include "workloads.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>

namespace benchmark_support {

using durable::DurableContext;
using durable::Engine;
using durable::Task;

namespace {

constexpr double neverReached = 0;

/// Runs a process of this program that works on the same journal.
std::string inProcess(const std::string& what, const Request& request) {
    return runSelf({what, request.store, std::to_string(request.size), request.directory.string()});
}

/// `size` steps and one more, which calls `last`.
template <class Last>
void runSteps(const Request& request, Last last) {
    Engine engine{openStore(request)};
    engine.registerHandler("steps", [&](DurableContext& ctx) -> Task<int> {
        for (std::size_t i = 0; i < request.size; ++i) {
            co_await ctx.step("step", [i] { return result(i); });
        }
        co_await ctx.step("last", [&] { last(); });
        co_return 0;
    });
    engine.start("steps", {.name = "one"}).wait();
}

/// A map of `size` items, of which item `special` calls `at`.
template <class At>
void runMap(const Request& request, std::size_t special, At at) {
    Engine engine{openStore(request)};
    engine.registerHandler("map", [&](DurableContext& ctx) -> Task<int> {
        std::vector<std::size_t> items(request.size);
        std::iota(items.begin(), items.end(), std::size_t{});
        co_await ctx.map("items", items,
                         [&](DurableContext& item, std::size_t i) -> Task<std::string> {
                             co_return co_await item.step("step", [&, i] {
                                 if (i == special) at();
                                 return result(i);
                             });
                         },
                         {.maxConcurrency = 100});
        co_return 0;
    });
    engine.start("map", {.name = "one"}).wait();
}

void tellTime() {
    std::printf("%.9f\n", now());
    (void)std::fflush(stdout);
}

void die() { (void)std::raise(SIGKILL); }

/// How long it takes to open a copy of the journal and to read the execution's entries.
double secondsToReadCopy(const Request& request) {
    auto copy = request;
    copy.directory = request.directory / "copy";
    std::filesystem::create_directory(copy.directory);
    for (const std::string name : {"journal.db", "journal.db-wal"}) {
        const auto file = request.directory / name;
        if (std::filesystem::exists(file)) {
            std::filesystem::copy_file(file, copy.directory / name);
        }
    }
    const auto begin = now();
    openStore(copy)->read(1, [](const durable::Entry&) {});
    const auto seconds = now() - begin;
    std::filesystem::remove_all(copy.directory);
    return seconds;
}

nlohmann::json secondsSince(double begin, const std::string& output) {
    const auto end = output.empty() ? neverReached : std::stod(output);
    return {{"value", (end - begin) * 1e3}, {"unit", "ms"}};
}

}  // namespace

void killMidSteps(const Request& request) { runSteps(request, die); }
void nextStep(const Request& request) { runSteps(request, tellTime); }
void killMidMap(const Request& request) { runMap(request, request.size / 2, die); }

void finishMap(const Request& request) {
    // The first body that runs again is one of the hundred that were in flight.
    bool told = false;
    runMap(request, request.size / 2, [&] {
        if (!std::exchange(told, true)) tellTime();
    });
}

void oneStep(const Request& request) {
    Engine engine{openStore(request)};
    engine.registerHandler("step", [](DurableContext& ctx) -> Task<int> {
        co_await ctx.step("step", [] { return result(0); });
        tellTime();
        co_return 0;
    });
    engine.start("step", {.name = "one"}).wait();
}

nlohmann::json resumeAfterKill(const Request& request) {
    (void)inProcess("kill-mid-steps", request);
    const auto begin = now();
    return secondsSince(begin, inProcess("next-step", request));
}

nlohmann::json mapHalfDone(const Request& request) {
    (void)inProcess("kill-mid-map", request);
    const auto journalMs = secondsToReadCopy(request) * 1e3;
    const auto begin = now();
    auto report = secondsSince(begin, inProcess("finish-map", request));
    report["journalMs"] = journalMs;
    return report;
}

nlohmann::json firstStep(const Request& request) {
    const auto begin = now();
    return secondsSince(begin, inProcess("one-step", request));
}

}  // namespace benchmark_support
