// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>
#include <durable/testing/manual_clock.hpp>

#include <support/recording_store.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// An engine on the test's own thread and a clock that moves when the test says so.
class TestEngine {
public:
    using Register = std::function<void(durable::Engine&)>;
    using Adjust = std::function<void(durable::EngineOptions&)>;

    explicit TestEngine(Register registerHandlers,
                        std::shared_ptr<durable::Store> store = std::make_shared<RecordingStore>(),
                        std::size_t maxParked = 1000, durable::Limits limits = {},
                        Adjust adjust = {})
        : register_{std::move(registerHandlers)},
          store_{std::move(store)},
          maxParked_{maxParked},
          limits_{limits},
          adjust_{std::move(adjust)} {
        restart();
    }

    durable::Engine& operator*() { return *engine_; }
    durable::Engine* operator->() { return engine_.get(); }

    [[nodiscard]] const std::shared_ptr<durable::Store>& store() const { return store_; }
    [[nodiscard]] durable::testing::ManualClock& clock() { return *clock_; }
    [[nodiscard]] const std::vector<std::string>& log() const { return log_; }

    /// A new engine on the same store, as after a restart of the process.
    void restart() {
        engine_.reset();
        durable::EngineOptions options{
            .workflowThreads = 0,
            .stepThreads = 0,
            .maxParked = maxParked_,
            .limits = limits_,
            .log = [this](const durable::LogRecord& record) { log_.emplace_back(record.message); },
            .clock = clock_,
            .random = [] { return 0.5; },
        };
        if (adjust_) adjust_(options);
        engine_ = std::make_unique<durable::Engine>(store_, std::move(options));
        register_(*engine_);
    }

    /// Runs until everything waits for the world.
    void settle() { engine_->poll(); }

    /// Lets time pass; what becomes due meanwhile happens at its time.
    void advance(std::chrono::milliseconds duration) {
        settle();
        const auto end = clock_->now() + duration;
        for (auto next = engine_->nextTimer(); next && *next <= end; next = engine_->nextTimer()) {
            if (*next > clock_->now()) clock_->set(*next);
            engine_->fireTimers();
            settle();
        }
        clock_->set(end);
        settle();
    }

    /// Lets time pass until the execution has ended or nothing is due any more.
    durable::Execution finish(const durable::Execution& execution) {
        settle();
        while (execution.status() == durable::ExecutionStatus::running) {
            const auto next = engine_->nextTimer();
            if (!next) break;
            if (*next > clock_->now()) clock_->set(*next);
            engine_->fireTimers();
            settle();
        }
        return execution;
    }

    /// The events of an execution, a line each: type, operation, name.
    [[nodiscard]] std::vector<std::string> events(durable::ExecutionId id) {
        std::vector<std::string> lines;
        for (const auto& event : engine_->history(id)) {
            auto line = event.eventType;
            if (!event.operationId.empty()) line += " " + event.operationId;
            if (!event.name.empty() && !event.operationId.empty()) line += " " + event.name;
            lines.push_back(std::move(line));
        }
        return lines;
    }

private:
    Register register_;
    std::shared_ptr<durable::Store> store_;
    std::size_t maxParked_;
    durable::Limits limits_;
    Adjust adjust_;
    std::shared_ptr<durable::testing::ManualClock> clock_ =
        std::make_shared<durable::testing::ManualClock>();
    std::vector<std::string> log_;
    std::unique_ptr<durable::Engine> engine_;
};

/// Starts `handler` as "handler", runs it to its end and gives its result.
template <class T, class Function>
T runHandler(Function handler, std::size_t maxParked = 1000) {
    TestEngine engine{[&](durable::Engine& e) { e.registerHandler("handler", handler); },
                      std::make_shared<RecordingStore>(), maxParked};
    const auto execution = engine->start("handler");
    engine.finish(execution);
    return execution.result<T>();
}
