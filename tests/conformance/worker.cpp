// SPDX-License-Identifier: Apache-2.0
#include "worker.hpp"

#include "handlers.hpp"
#include "plugins.hpp"

#include <durable/sqlite.hpp>
#include <durable/testing.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

using durable::ErrorObject;
using durable::TimePoint;
using durable::testing::LocalRunner;
using durable::testing::ManualClock;
using durable::testing::TestExecution;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

ErrorObject errorOf(const json& error) {
    ErrorObject object;
    const auto text = [&](const char* key, std::optional<std::string>& member) {
        if (error.contains(key)) member = error.at(key).get<std::string>();
    };
    text("ErrorType", object.type);
    text("ErrorMessage", object.message);
    text("ErrorData", object.data);
    if (error.contains("StackTrace")) error.at("StackTrace").get_to(object.stackTrace);
    return object;
}

class Worker {
public:
    explicit Worker(const WorkerOptions& options)
        : log_{options.log, std::ios::app},
          runner_{durable::testing::LocalRunnerOptions{
              .parked = options.parked,
              .store = durable::SqliteStore::open(options.journal),
              .clock = clock_,
              .startVisibleAfter = 0ms,
              .log = durable::logAsJsonLines(log_),
              .plugins = pluginsUnderTest(log_)}} {
        registerStep(runner_);
        registerWait(runner_);
        registerChild(runner_);
        registerCallback(runner_);
        registerInvoke(runner_);
        registerWaitForCondition(runner_);
        registerWaitForCallback(runner_);
        registerParallel(runner_);
        registerMap(runner_);
        registerPlugin(runner_);
    }

    json answer(const json& request) {
        clock_->set(TimePoint{std::chrono::milliseconds{request.at("now").get<std::int64_t>()}});
        runner_.settle();  // what a process before this one has left
        const auto op = request.at("op").get<std::string>();
        if (op == "start") return start(request);
        if (op == "next") return next(request);
        if (op == "callback") return callback(request);
        auto execution = executionOf(request);
        if (op == "history") return {{"Events", durable::historyToJson(execution.history())}};
        json reply{{"Status", durable::wireName(execution.status())}};
        if (const auto result = execution.resultText()) reply["Result"] = *result;
        return reply;
    }

private:
    json start(const json& request) {
        auto execution =
            runner_.startHandler(request.at("handler").get<std::string>(), request.at("input"),
                                 {.name = request.at("name").get<std::string>()});
        runner_.settle();
        return {{"executionArn", execution.arn()}};
    }

    json next(const json& request) {
        const TimePoint until{std::chrono::milliseconds{request.at("until").get<std::int64_t>()}};
        const auto due = runner_.nextTimer();
        const bool fires = due && *due <= until;
        if (fires) runner_.advance(std::max(*due - runner_.now(), 0ms));
        return {{"fired", fires}, {"now", runner_.now().time_since_epoch().count()}};
    }

    json callback(const json& request) {
        const auto id = request.at("callbackId").get<std::string>();
        const auto kind = request.at("kind").get<std::string>();
        auto& engine = runner_.engine();
        if (kind == "heartbeat") {
            engine.heartbeatCallback(id);
        } else if (kind == "failure") {
            engine.failCallback(id, errorOf(request.value("error", json::object())));
        } else if (request.contains("result")) {
            engine.completeCallback(id, request.at("result").get<std::string>());
        } else {
            engine.completeCallback(id);
        }
        runner_.settle();
        return json::object();
    }

    TestExecution executionOf(const json& request) {
        return runner_
            .find(request.at("handler").get<std::string>(), request.at("name").get<std::string>())
            .value();
    }

    std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
    std::ofstream log_;
    LocalRunner runner_;
};

}  // namespace

int runWorker(const WorkerOptions& options) {
    Worker worker{options};
    for (std::string line; std::getline(std::cin, line);) {
        json reply;
        try {
            reply = worker.answer(json::parse(line));
        } catch (const std::exception& error) {
            reply = {{"error", error.what()}};
        }
        std::cout << reply.dump()
                  << std::endl;  // NOLINT(performance-avoid-endl): a line is a reply
    }
    return 0;
}
