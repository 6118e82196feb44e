// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/engine.hpp>
#include <durable/store/memory_store.hpp>
#include <durable/testing/captured_log.hpp>
#include <durable/testing/local_runner_options.hpp>
#include <durable/testing/tapped_store.hpp>
#include <durable/testing/test_failure.hpp>
#include <durable/testing/test_operation.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// The inside of a `LocalRunner`: an engine without threads, the clock that it follows, and the
/// moves of both. `LocalRunner` and `TestExecution` are the outside.
///
/// Thread-safety: none.
class RunnerCore {
public:
    using Register = std::function<void(Engine&)>;
    using Stop = std::function<bool(ExecutionId, const Entry&)>;

    explicit RunnerCore(LocalRunnerOptions options) : options_{std::move(options)} {
        if (!options_.store) options_.store = std::make_shared<MemoryStore>();
        if (!options_.clock) options_.clock = std::make_shared<ManualClock>();
        if (!options_.random) options_.random = [] { return 0.5; };
        makeEngine();
    }
    RunnerCore(const RunnerCore&) = delete;
    RunnerCore& operator=(const RunnerCore&) = delete;
    ~RunnerCore() = default;

    [[nodiscard]] Engine& engine() noexcept { return *engine_; }
    [[nodiscard]] Store& store() noexcept { return *options_.store; }
    [[nodiscard]] ManualClock& clock() noexcept { return *options_.clock; }
    [[nodiscard]] const LocalRunnerOptions& options() const noexcept { return options_; }
    [[nodiscard]] const std::vector<CapturedLog>& logs() const noexcept { return logs_; }

    void registerWith(Register registration) {
        registration(*engine_);
        registrations_.push_back(std::move(registration));
    }

    [[nodiscard]] ExecutionRecord record(ExecutionId id) {
        const auto record = store().find(id);
        if (!record) throw TestFailure{fmt::format("there is no execution {}", id)};
        return *record;
    }

    [[nodiscard]] std::shared_ptr<const JournalView> view(ExecutionId id) {
        return std::make_shared<const JournalView>(store().load(id));
    }

    // --- moves ------------------------------------------------------------------------------

    /// Runs until everything waits for the clock or for the world.
    void settle() {
        engine_->poll();
        while (bodiesRun()) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});  // for a body's own I/O
            engine_->poll();
        }
    }

    /// Runs until an entry has been written of which `stop` says so; the handler has not gone on
    /// from there. Waits and retries pass at once.
    /// \return false if everything has ended, or waits for the world, before that.
    bool runUntil(Stop stop) {
        stop_ = std::move(stop);
        const Forgetting forgetting{stop_};  // it may refer to what its caller has
        std::size_t timers = 0;
        while (!runReady()) {
            if (!passToNextTimer()) return false;
            if (++timers > options_.timersMax) {
                throw TestFailure{
                    fmt::format("still not done after {} waits and retries", options_.timersMax)};
            }
        }
        return true;
    }

    /// Runs what is ready, one thing after another, without letting time pass.
    /// \return whether it was broken off.
    bool runReady() {
        stopped_ = false;
        while (!stopped_) {
            if (engine_->pollOne()) continue;
            if (!bodiesRun()) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});  // for a body's own I/O
        }
        return true;
    }

    /// Ends `runUntil` and `runReady`, from within, before the next thing happens.
    void breakOff() noexcept { stopped_ = true; }

    /// Lets happen what is ready or, if nothing is, what the clock brings next.
    /// \return false if nothing happened.
    bool step() {
        const auto before = written_;
        settle();
        if (written_ != before) return true;
        if (!passToNextTimer()) return false;
        settle();
        return true;
    }

    /// Lets time pass. What becomes due meanwhile happens at its time.
    void advance(std::chrono::milliseconds duration) {
        settle();
        const auto end = clock().now() + duration;
        while (fireNextBefore(end)) settle();
        clock().set(end);
    }

    // --- the life of the engine ---------------------------------------------------------------

    /// A new engine on the same store, as after the process was stopped and started.
    void restart() {
        engine_.reset();
        makeEngine();
    }

    /// The same, but the process was killed: what had not been written is lost.
    void crash() {
        tap_->unplug();
        restart();
    }

    /// The same, but nothing of the old engine runs any more, not even a destructor, until it is
    /// destroyed; it must be before this is.
    [[nodiscard]] std::unique_ptr<Engine> die() {
        tap_->unplug();
        auto dead = std::move(engine_);
        makeEngine();
        return dead;
    }

private:
    struct Forgetting {
        explicit Forgetting(Stop& function) : stop{function} {}
        Forgetting(const Forgetting&) = delete;
        Forgetting& operator=(const Forgetting&) = delete;
        ~Forgetting() { stop = nullptr; }
        Stop& stop;
    };

    void makeEngine() {
        tap_ = std::make_shared<TappedStore>(options_.store, [this](auto id, const Entry& entry) {
            ++written_;
            if (stop_ && stop_(id, entry)) stopped_ = true;
        });
        EngineOptions options{.workflowThreads = 0, .stepThreads = 0};
        if (!options_.parked) options.maxParked = 0;
        options.startVisibleAfter = options_.startVisibleAfter;
        options.verifyReplay = options_.verifyReplay;
        options.limits = options_.limits;
        options.plugins = options_.plugins;
        options.clock = options_.clock;
        options.random = options_.random;
        options.log = [this](const LogRecord& record) {
            logs_.emplace_back(record);
            if (options_.log) options_.log(record);
        };
        engine_ = std::make_unique<Engine>(tap_, std::move(options));
        for (const auto& registration : registrations_) registration(*engine_);
    }

    [[nodiscard]] bool bodiesRun() const {
        const auto metrics = engine_->metrics();
        return metrics.bodiesInFlight + metrics.bodiesQueued > 0;
    }

    bool fireNextBefore(TimePoint end) {
        const auto next = engine_->nextTimer();
        if (!next || *next > end) return false;
        if (*next > clock().now()) clock().set(*next);
        engine_->fireTimers();
        return true;
    }

    /// Moves the clock to what is due next, but only if a wait or a retry is to come: deadlines of
    /// callbacks and executions do not pass unless time does.
    bool passToNextTimer() {
        if (!somethingSleeps()) return false;
        const auto next = engine_->nextTimer();
        return next && fireNextBefore(*next);
    }

    [[nodiscard]] bool somethingSleeps() {
        bool sleeps = false;
        forEachRecord(store(), {.handlerName = {}, .status = ExecutionStatus::running},
                      [&](const ExecutionRecord& record) {
                          const auto journal = view(record.id);
                          for (const auto* operation : journal->order) {
                              if (isSleeping(*operation)) sleeps = true;
                          }
                      });
        return sleeps;
    }

    [[nodiscard]] static bool isSleeping(const Operation& operation) {
        const bool waits = operation.type == OperationType::wait && !isTerminal(operation.status);
        if (!waits && operation.status != OperationStatus::pending) return false;
        for (const auto* above = operation.parent; above != nullptr; above = above->parent) {
            if (isTerminal(above->status)) return false;  // never awaited again
        }
        return true;
    }

    LocalRunnerOptions options_;
    std::vector<Register> registrations_;
    std::vector<CapturedLog> logs_;
    std::shared_ptr<TappedStore> tap_;
    std::uint64_t written_{};
    Stop stop_;
    bool stopped_{};
    std::unique_ptr<Engine> engine_;  // last: its end writes
};

}  // namespace testing

}  // namespace durable::inline v0
