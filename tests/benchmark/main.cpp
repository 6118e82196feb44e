// SPDX-License-Identifier: Apache-2.0
#include "raw_limits.hpp"
#include "workloads.hpp"

#include <cstdio>
#include <exception>
#include <functional>
#include <map>

/// \file
/// `durable_benchmark WORKLOAD STORE SIZE DIRECTORY [GROUP]`: runs one workload once and prints
/// what it measured as a line of JSON. `run` calls it.

namespace {

using benchmark_support::Request;
using nlohmann::json;

std::map<std::string, std::function<json(const Request&)>> workloads() {
    using namespace benchmark_support;
    const auto value = [](double number, const char* unit) {
        return json{{"value", number}, {"unit", unit}};
    };
    constexpr double seconds = 0.2;
    return {
        {"W1", serialSteps},
        {"W1-inline", stepsInline},
        {"W1-objects", objectsInline},
        {"W2", mapOfSteps},
        {"W2-resume", mapHalfDone},
        {"W3", manyExecutions},
        {"W4", callbackWakeUp},
        {"W5", resumeAfterKill},
        {"W6-parked", suspendedParked},
        {"W6-evicted", suspendedEvicted},
        {"W7", firstStep},
        {"beside", stepsBesideMap},
        {"raw-rows", [=](const Request& r) { return value(sqliteRows(r), "rows/s"); }},
        {"raw-appends", [=](const Request& r) { return value(syncedAppends(r, seconds), "1/s"); }},
        {"raw-reading",
         [=](const Request& r) { return value(sqliteReading(r, r.size) * 1e3, "ms"); }},
        {"raw-first-row", [=](const Request& r) { return value(sqliteFirstRow(r) * 1e3, "ms"); }},
    };
}

std::map<std::string, std::function<void(const Request&)>> processes() {
    using namespace benchmark_support;
    return {{"kill-mid-steps", killMidSteps},
            {"next-step", nextStep},
            {"kill-mid-map", killMidMap},
            {"finish-map", finishMap},
            {"one-step", oneStep},
            {"first-row", [](const Request& r) { writeFirstRow(r.directory); }}};
}

}  // namespace

int main(int count, char** words) {
    if (count != 5 && count != 6) {
        (void)std::fputs("durable_benchmark WORKLOAD STORE SIZE DIRECTORY [GROUP]\n", stderr);
        return 2;
    }
    const Request request{words[1], words[2], std::stoul(words[3]), words[4],
                          count == 6 ? std::stoul(words[5]) : 1};
    try {
        if (const auto process = processes(); process.contains(request.workload)) {
            process.at(request.workload)(request);
            return 0;
        }
        auto report = workloads().at(request.workload)(request);
        report["workload"] = request.workload;
        report["store"] = request.store;
        report["size"] = request.size;
        std::puts(report.dump().c_str());
        return 0;
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
