// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/body_calls.hpp>
#include <durable/testing/crash_sweep_options.hpp>
#include <durable/testing/crashing_store.hpp>
#include <durable/testing/sweep_outcome.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// What is swept: how its runners are made, and how its execution is started.
struct SweepSubject {
    std::function<void(LocalRunner&)> registerHandler;
    std::function<void(LocalRunner&, StartOptions)> start;
    CrashSweepOptions options;
};

/// One run of a crash sweep: the life of an execution through several processes, each of which but
/// the last dies at a point given.
class SweepRun {
public:
    SweepRun(const SweepSubject& subject, std::vector<CrashPoint> points, bool parked = true)
        : subject_{subject},
          points_{std::move(points)},
          parked_{parked},
          start_{subject.options.start} {
        if (start_.name.empty()) start_.name = "sweep";
    }
    SweepRun(const SweepRun&) = delete;
    SweepRun& operator=(const SweepRun&) = delete;

    /// Runs from the start until everything has ended. Once.
    [[nodiscard]] SweepOutcome run() {
        const auto& options = subject_.options;
        if (options.newWorld) options.newWorld();
        store_ = std::make_shared<CrashingStore>(
            options.newStore ? options.newStore() : std::make_shared<MemoryStore>());
        calls_ = std::make_shared<BodyCalls>(
            [store = store_](std::int64_t execution, const std::string& id, std::uint32_t attempt) {
                return store->isRecorded(execution, id, attempt);
            });
        LocalRunner runner{LocalRunnerOptions{
            .parked = parked_,
            .store = store_,
            .startVisibleAfter = std::chrono::hours{1},  // no write by the machine's clock
            .limits = options.limits,
            .plugins = {calls_},
            .timersMax = options.timersMax}};
        runner_ = &runner;
        subject_.registerHandler(runner);
        if (options.setUp) options.setUp(runner);
        std::vector<std::unique_ptr<Engine>> dead;  // destroyed last, when nothing counts any more

        beginProcess();
        try {
            live(dead);
        } catch (const TestFailure& failure) {
            outcome_.stuck = failure.what();
        }
        outcome_.lives.push_back(store_->commits());
        calls_->close();
        outcome_.calls = calls_->calls();
        outcome_.bodyCalls = calls_->total();
        outcome_.violations = calls_->violations();
        outcome_.executions = detail::SweepReader{*store_, options.freshResults}.read();
        const auto swept = outcome_.executions.find(start_.name);
        if (swept != outcome_.executions.end()) outcome_.end = swept->second.end;
        if (outcome_.stuck.empty()) check();
        return std::move(outcome_);
    }

private:
    [[nodiscard]] RunnerCore& core() { return *runner_->core_; }

    /// Until all executions have ended, through all processes.
    void live(std::vector<std::unique_ptr<Engine>>& dead) {
        start();
        for (std::size_t moves = 0;; ++moves) {
            if (moves > subject_.options.timersMax) throw TestFailure{"it goes on for ever"};
            if (store_->crashed()) {
                outcome_.lives.push_back(store_->commits());
                ++outcome_.crashes;
                calls_->beginLife();
                if (store_->crashed()->kind == CrashKind::acknowledgementLost) {
                    goOnAfterError();
                } else {
                    goOnAfterDeath(dead);
                }
            } else if (!runUntilStalled() || answerOne() || passTime()) {
                continue;
            } else if (auto open = openExecutions(); open.empty()) {
                return;
            } else {
                throw TestFailure{"nothing goes on any more; open are:" + open};
            }
        }
    }

    void beginProcess() {
        if (subject_.options.newProcess) subject_.options.newProcess();
        beginLife();
    }

    void beginLife() {
        std::optional<CrashPoint> point;
        if (outcome_.crashes < points_.size()) point = points_[outcome_.crashes];
        store_->beginLife(point, [this] { core().breakOff(); });
    }

    void goOnAfterDeath(std::vector<std::unique_ptr<Engine>>& dead) {
        dead.push_back(core().die());
        beginProcess();
        if (!store_->find(core().options().handlerName, start_.name)) start();
    }

    /// What the engine could not write, it has dropped.
    void goOnAfterError() {
        beginLife();
        if (core().runReady()) return;
        start();
        if (store_->crashed() || core().runReady()) return;
        core().restart();
        if (subject_.options.newProcess) subject_.options.newProcess();
    }

    void start() {
        surviving([&] { subject_.start(*runner_, start_); });
    }

    /// \return false if the process died.
    bool runUntilStalled() {
        return !core().runUntil([](ExecutionId, const Entry&) { return false; });
    }

    /// What an action throws because of the crash, its caller would have to live with.
    template <class Action>
    void surviving(Action action) {
        try {
            action();
        } catch (const StoreError&) {
            if (!store_->crashed()) throw;
        } catch (const ClosedCallback&) {
            if (outcome_.crashes == 0) throw;
        }
    }

    /// Somebody outside completes the first open callback that they care for.
    bool answerOne() {
        const auto& answer = subject_.options.answerCallback;
        if (!answer) return false;
        for (auto& execution : runner_->executions()) {
            if (execution.ended()) continue;
            for (const auto& operation : execution.operations()) {
                if (operation.type() != OperationType::callback || !isAwaited(operation)) continue;
                const auto above = operation.parent();
                const bool inside = above && above->subType() == OperationSubType::waitForCallback;
                const auto before = store_->commits().size();
                surviving([&] { answer(execution, inside ? *above : operation); });
                if (store_->crashed() || store_->commits().size() != before) return true;
            }
        }
        return false;
    }

    [[nodiscard]] static bool isAwaited(const TestOperation& operation) {
        if (operation.ended()) return false;
        const auto above = operation.parent();
        return !above || isAwaited(*above);
    }

    /// Deadlines pass when there is nothing else to do.
    bool passTime() {
        const auto next = openExecutions().empty() ? std::nullopt : core().engine().nextTimer();
        if (!next) return false;
        core().clock().set(std::max(*next, core().clock().now()));
        core().engine().fireTimers();
        return true;
    }

    /// What has not ended, a line each.
    [[nodiscard]] std::string openExecutions() {
        std::string open;
        for (const auto& execution : runner_->executions()) {
            if (execution.ended()) continue;
            open += "\n    execution " + execution.name();
            for (const auto& operation : execution.operations()) {
                if (!operation.ended()) open += ", " + operation.description();
            }
        }
        return open;
    }

    void check() {
        const auto& check = subject_.options.check;
        if (!check) return;
        auto execution = runner_->find(core().options().handlerName, start_.name);
        try {
            check(*execution);
        } catch (const std::exception& error) {
            outcome_.wrong = error.what();
        }
    }

    const SweepSubject& subject_;
    std::vector<CrashPoint> points_;
    bool parked_;
    StartOptions start_;
    std::shared_ptr<CrashingStore> store_;
    std::shared_ptr<BodyCalls> calls_;
    LocalRunner* runner_{};
    SweepOutcome outcome_;
};

}  // namespace testing

}  // namespace durable::inline v0
