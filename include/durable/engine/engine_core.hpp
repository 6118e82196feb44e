// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/engine/callback_id.hpp>
#include <durable/engine/completion.hpp>
#include <durable/engine/engine_options.hpp>
#include <durable/engine/engine_threads.hpp>
#include <durable/engine/execution_driver.hpp>
#include <durable/engine/invokes.hpp>
#include <durable/engine/journal_writer.hpp>
#include <durable/engine/metrics.hpp>
#include <durable/engine/residents.hpp>
#include <durable/engine/timer_queue.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace durable::inline v0 {

/// The inside of an engine: threads, the drivers of the executions that are in memory, and what
/// they need of each other. `Engine` is the outside.
///
/// Thread-safety: all members, unless said otherwise.
class EngineCore final : private DriverHost {
public:
    EngineCore(std::shared_ptr<Store> store, EngineOptions options)
        : options_{withDefaults(std::move(options))},
          store_{std::move(store)},
          threads_{options_.workflowThreads},
          steps_{options_.stepThreads, threads_.io().get_executor()},
          plugins_{pluginsOf(options_)},
          services_{.clock = *options_.clock,
                    .steps = steps_,
                    .log = plugins_ ? Plugins::enriched(plugins_) : options_.log,
                    .limits = options_.limits,
                    .random = options_.random,
                    .newCallbackId = newCallbackId,
                    .stop = stop_.get_token(),
                    .writesStartsFirst = options_.startVisibleAfter == std::chrono::milliseconds{0},
                    .plugins = plugins_.get(),
                    .verifyReplay = options_.verifyReplay},
          writer_{store_, threads_.io().get_executor()},
          timers_{*options_.clock, threads_.io().get_executor(),
                  [this](ExecutionId id) {
                      dispatch(id, [](ExecutionDriver& driver) { driver.fireTimers(); });
                  }},
          invokes_{*store_, handlers_, *options_.clock, *this},
          residents_{options_.maxParked},
          lastId_{store_->lastExecution()} {
        threads_.start();
    }
    EngineCore(const EngineCore&) = delete;
    EngineCore& operator=(const EngineCore&) = delete;
    ~EngineCore() { stop(); }

    [[nodiscard]] Store& store() noexcept { return *store_; }
    [[nodiscard]] HandlerRegistry& handlers() noexcept { return handlers_; }
    [[nodiscard]] const EngineOptions& options() const noexcept { return options_; }
    [[nodiscard]] boost::asio::io_context& io() noexcept { return threads_.io(); }
    [[nodiscard]] TimerQueue& timers() noexcept { return timers_; }

    // --- executions -------------------------------------------------------------------------

    /// Gives a command to the execution's driver; loads the execution if it is not in memory.
    void dispatch(ExecutionId id, ExecutionDriver::Command command) override {
        const std::scoped_lock lock{mutex_};
        if (const auto resident = residents_.find(id)) {
            residents_.unpark(id);  // it has something to do, and parks again if that was nothing
            resident->post(std::move(command));
            return;
        }
        if (stop_.stop_requested()) return;
        auto driver = make(id);
        residents_.add(id, driver);
        driver->post([this, command = std::move(command)](ExecutionDriver& fresh) {
            load(fresh);
            command(fresh);
        });
    }

    /// Lets an execution go on that is not in memory.
    void wake(ExecutionId id) {
        dispatch(id, [](ExecutionDriver&) {});
    }

    void create(ExecutionStart start, ExecutionDriver::Done done) override {
        ExecutionRecord record{.start = std::move(start)};
        const std::scoped_lock lock{mutex_};
        if (stop_.stop_requested()) return;
        record.id = ++lastId_;
        auto driver = make(record.id);
        residents_.add(record.id, driver);
        driver->post([this, record, done = std::move(done)](ExecutionDriver& fresh) {
            fresh.create(record, handlers_.find(record.start.handlerName), done);
        });
    }

    /// The end of an execution, which may be now.
    [[nodiscard]] std::shared_ptr<const Completion> completionOf(ExecutionId id) {
        return completions_.of(id, [&]() -> std::optional<ExecutionEnd> {
            const auto record = store_->find(id);
            return record ? record->end : std::nullopt;
        });
    }

    /// Lets go on what the store holds unfinished: what ran runs again, what waits keeps waiting.
    void resumeAll() {
        const auto now = options_.clock->now();
        forEachRecord(*store_, {.handlerName = {}, .status = ExecutionStatus::running},
                      [&](const ExecutionRecord& record) { resume(record, now); });
        forEachRecord(*store_, {.handlerName = {}, .status = {}, .onlyUnacknowledged = true},
                      [&](const ExecutionRecord& record) { invokes_.tellInvoker(record); });
    }

    /// Lets go on the unfinished executions of one handler, which has just been registered.
    void resumeHandler(const std::string& handlerName) {
        const auto now = options_.clock->now();
        forEachRecord(*store_, {.handlerName = handlerName, .status = ExecutionStatus::running},
                      [&](const ExecutionRecord& record) { resume(record, now); });
    }

    [[nodiscard]] EngineMetrics metrics() const {
        const std::scoped_lock lock{mutex_};
        return {.executionsRunning = residents_.running(),
                .executionsParked = residents_.parked(),
                .executionsWaiting = residents_.waiting(),
                .bodiesInFlight = steps_.running(),
                .bodiesQueued = steps_.queued(),
                .commits = writer_.commits(),
                .entries = writer_.entries()};
    }

    /// Blocks until `promised` is ready, or `longest` is over; without threads the engine runs
    /// meanwhile.
    /// \return whether it is ready.
    template <class T>
    bool await(const Promised<T>& promised,
               std::chrono::milliseconds longest = EngineThreads::forever) {
        return threads_.await(promised, longest);
    }

    /// Blocks until no execution runs, or the engine has stopped.
    void awaitIdle() {
        std::unique_lock lock{mutex_};
        const auto idle = residents_.idle();
        lock.unlock();
        threads_.await(*idle);
    }

    /// Blocks until the engine has stopped; without threads the engine runs meanwhile.
    void awaitStop() { threads_.await(allRetired_); }

    /// As those of `EngineThreads`.
    void poll() { threads_.poll(); }
    bool pollOne() { return threads_.pollOne(); }
    /// Lets those who wait look again at what they wait for, if it changed outside the engine.
    void wakeWaiting() { threads_.wake(); }

    /// Starts stopping: bodies get their stop token, what is recorded is written. Does not wait.
    void requestStop() {
        timers_.stop();
        stop_.request_stop();
        const std::scoped_lock lock{mutex_};
        residents_.forEach([](ExecutionDriver& driver) { driver.post([](ExecutionDriver&) {}); });
        failIfStopped();
        threads_.wake();
    }

    /// Stops and waits until nothing of the engine runs any more.
    void stop() {
        requestStop();
        awaitStop();
        steps_.join();
        threads_.join();
    }

private:
    [[nodiscard]] std::shared_ptr<ExecutionDriver> make(ExecutionId id) {
        completions_.goesOn(id);
        return ExecutionDriver::make(*this, services_, threads_.io(), id,
                                     options_.startVisibleAfter);
    }

    void load(ExecutionDriver& driver) {
        const auto id = driver.identity().id;
        std::optional<ExecutionRecord> record;
        try {
            record = store_->find(id);
            if (!record) throw StoreError{fmt::format("execution {} is not in the journal", id)};
            driver.load(*record, handlers_.find(record->start.handlerName), *store_);
        } catch (const std::exception&) {
            driver.abandon(record.value_or(ExecutionRecord{}), std::current_exception());
        }
    }

    void resume(const ExecutionRecord& record, TimePoint now) {
        const auto& [waiting, wakeAt] = record.suspension;
        if (handlers_.find(record.start.handlerName) == nullptr) {
            log(LogLevel::warn,
                fmt::format("execution \"{}\" waits: no handler \"{}\" is registered",
                            record.start.name, record.start.handlerName));
            return;
        }
        if (!waiting || (wakeAt && *wakeAt <= now)) {
            dispatch(record.id, [](ExecutionDriver& driver) { driver.fireTimers(); });
            return;
        }
        const std::scoped_lock lock{mutex_};
        if (residents_.addWaiting(record.id) && wakeAt) timers_.armIfNone(record.id, *wakeAt);
    }

    void log(LogLevel level, const std::string& message) const {
        if (!options_.log) return;
        options_.log({.time = options_.clock->now(), .level = level, .message = message});
    }

    /// Under the lock.
    void failIfStopped() {
        if (!stop_.stop_requested() || residents_.size() > 0) return;
        completions_.failAll(std::make_exception_ptr(
            EngineStopped{"the engine was stopped; the execution goes on with the next one"}));
        allRetired_.set(true);
    }

    // --- DriverHost, on a driver's strand -----------------------------------------------------

    void submit(JournalWriter::Submission&& submission) override {
        writer_.submit(std::move(submission));
    }

    void arm(ExecutionId id, std::optional<TimePoint> time) override { timers_.arm(id, time); }

    [[nodiscard]] bool mayPark() const override { return residents_.mayPark(); }

    void parked(ExecutionDriver& driver) override {
        std::optional<ExecutionId> evicted;
        {
            const std::scoped_lock lock{mutex_};
            if (driver.hasCommands()) return;  // it has something to do, and comes back
            evicted = residents_.park(driver.identity().id);
            residents_.tellIfIdle();
        }
        if (evicted) dispatch(*evicted, [](ExecutionDriver& oldest) { oldest.evict(); });
    }

    void resumed(ExecutionDriver& driver) override {
        const std::scoped_lock lock{mutex_};
        residents_.unpark(driver.identity().id);
    }

    void retired(ExecutionDriver& driver, bool wakeAgain) override {
        const auto id = driver.identity().id;
        forget(driver, true);
        const bool canRunNow =
            driver.lacksHandler() && handlers_.find(driver.record().start.handlerName) != nullptr;
        if (wakeAgain || canRunNow) wake(id);
        const std::scoped_lock lock{mutex_};
        residents_.tellIfIdle();
    }

    void ended(ExecutionDriver& driver, const ExecutionEnd& end) override {
        const auto& record = driver.record();
        timers_.arm(record.id, std::nullopt);
        const auto completion = completions_.take(record.id);
        if (record.start.invokerExecution != 0) invokes_.tellInvoker(record);
        forget(driver, false);
        if (completion) completion->set(end);  // late: who is told finds everything else done
        const std::scoped_lock lock{mutex_};
        residents_.tellIfIdle();
    }

    void lost(ExecutionDriver& driver, std::exception_ptr error) override {
        const auto id = driver.identity().id;  // its timers stay: the world may wake it yet
        std::shared_ptr<Completion> completion;
        if (driver.isInJournal()) {
            log(LogLevel::error,
                fmt::format("execution {} was given up until it is woken, started or resumed: {}",
                            id, errorObjectOf(error).message.value_or("")));
            completion = completions_.giveUp(id, error);
        }
        forget(driver, false);
        loseInvoker(driver.record(), error);
        if (completion) completion->fail(error);
        const std::scoped_lock lock{mutex_};
        residents_.tellIfIdle();
    }

    /// Gives up who waits for an execution that was given up, so that whoever waits for that one is
    /// told. What is not in memory stays as it is: loading it would only ask for the lost one
    /// again.
    void loseInvoker(const ExecutionRecord& lost, const std::exception_ptr& error) {
        const auto id = lost.start.invokerExecution;
        if (id == 0) return;
        {
            const std::scoped_lock lock{mutex_};
            if (const auto resident = residents_.find(id)) {
                residents_.unpark(id);
                return resident->loseWith(error);
            }
        }
        if (const auto completion = completions_.giveUp(id, error)) completion->fail(error);
        try {
            if (const auto invoker = store_->find(id)) loseInvoker(*invoker, error);
        } catch (const StoreError& unread) {
            log(LogLevel::error,
                fmt::format("execution {} could not be read: {}", id, unread.what()));
        }
    }

    void invoke(ExecutionDriver& driver, const Operation& operation) override {
        invokes_.ensure(driver, operation);
    }

    void forget(ExecutionDriver& driver, bool waits) {
        const std::scoped_lock lock{mutex_};
        residents_.remove(driver);
        if (waits) residents_.addWaiting(driver.identity().id);
        failIfStopped();
    }

    EngineOptions options_;
    std::shared_ptr<Store> store_;
    EngineThreads threads_;
    StepPool steps_;
    std::shared_ptr<const Plugins> plugins_;
    std::stop_source stop_;
    Services services_;
    HandlerRegistry handlers_;
    JournalWriter writer_;
    TimerQueue timers_;
    Invokes invokes_;

    Completions completions_;

    mutable std::mutex mutex_;
    Promised<bool> allRetired_;
    Residents residents_;
    ExecutionId lastId_;
};

}  // namespace durable::inline v0
