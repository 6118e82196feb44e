// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/engine_core.hpp>
#include <durable/engine/execution.hpp>
#include <durable/engine/name_claims.hpp>
#include <durable/engine/start_options.hpp>
#include <durable/journal/history.hpp>
#include <durable/serdes/utf8.hpp>

#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// Runs executions of registered handlers on this machine, over one store.
///
/// Register every handler first; `start` or `resume` then lets go on what the store holds
/// unfinished. Everything that returns has been written: what `start` returned survives a crash.
///
/// Thread-safety: all members. Those that wait must not be called from a handler or step body.
class Engine {
public:
    /// \throws InvalidConfig if an option is out of range; StoreError.
    explicit Engine(std::shared_ptr<Store> store, EngineOptions options = {})
        : core_{std::make_unique<EngineCore>(std::move(store), std::move(options))} {}
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine() { stop(); }

    /// Registers `handler`, `Task<Out>(DurableContext&, In)` or `Task<Out>(DurableContext&)`, under
    /// a name that its executions keep for good. Executions of it that the store holds go on if
    /// the engine has been started before.
    /// \throws InvalidConfig if the name is empty or taken.
    template <class Function>
    void registerHandler(const std::string& name, Function handler) {
        core_->handlers().add(
            name, [handler = std::move(handler)](DurableContext& context, Payload input) mutable {
                return detail::runHandler(handler, context, std::move(input));
            });
        if (resumed()) core_->resumeHandler(name);
    }

    /// Lets go on what the store holds unfinished. Called by `start`; needed by a program that
    /// starts nothing itself. Calls after the first do nothing.
    void resume() {
        const std::scoped_lock lock{resumeMutex_};
        if (resumed_) return;
        core_->resumeAll();
        resumed_ = true;
    }

    /// Starts an execution; returns when that is durable. Starting the same name with the same
    /// input again gives the execution that exists, ended or not.
    /// \throws ExecutionConflict if the name exists with another input; InvalidConfig;
    ///     SerdesError if the input cannot be written; StoreError; EngineStopped.
    template <class Input>
    Execution start(const std::string& handlerName, const Input& input, StartOptions options = {}) {
        return startWith(handlerName, toJsonText(input), std::move(options));
    }
    Execution start(const std::string& handlerName, StartOptions options = {}) {
        return startWith(handlerName, std::nullopt, std::move(options));
    }

    // --- looking around ---------------------------------------------------------------------

    /// The execution of that name, or empty.
    [[nodiscard]] std::optional<Execution> find(std::string_view handlerName,
                                                std::string_view name) {
        const auto record = core_->store().find(handlerName, name);
        if (!record) return std::nullopt;
        return handleOf(*record);
    }

    /// Executions in the order of their ids.
    [[nodiscard]] std::vector<ExecutionRecord> list(const ExecutionFilter& filter = {}) {
        return core_->store().list(filter);
    }

    /// What happened to an execution, in order; empty if there is no such execution.
    [[nodiscard]] std::vector<HistoryEvent> history(ExecutionId execution) {
        const auto entries = core_->store().load(execution);
        return historyOf(entries);
    }

    /// Blocks until nothing can go on by itself: every execution has ended, or waits for a timer,
    /// a callback or an execution that does. For programs that do what there is to do and end.
    void waitUntilIdle() {
        resume();
        core_->awaitIdle();
    }

    [[nodiscard]] EngineMetrics metrics() const { return core_->metrics(); }

    // --- callbacks --------------------------------------------------------------------------

    /// Completes a callback with `result`: text as it is, anything else as JSON. Returns when that
    /// is durable.
    /// \throws UnknownCallback, ClosedCallback, SerdesError, InvalidConfig if it is too large,
    ///     StoreError, EngineStopped.
    template <class T>
    void completeCallback(std::string_view callbackId, const T& result) {
        if constexpr (detail::TextLike<T>) {
            changeCallback(callbackId, OperationAction::succeed,
                           std::string{std::string_view{result}}, {});
        } else {
            changeCallback(callbackId, OperationAction::succeed, toJsonText(result), {});
        }
    }
    /// For a callback whose result is `void`.
    void completeCallback(std::string_view callbackId) {
        changeCallback(callbackId, OperationAction::succeed, {}, {});
    }

    /// Fails a callback: whoever waits for it gets `CallbackExternalError`. Otherwise as
    /// `completeCallback`.
    void failCallback(std::string_view callbackId, ErrorObject error) {
        changeCallback(callbackId, OperationAction::fail, {}, std::move(error));
    }

    /// Starts the heartbeat timeout of a callback anew. Otherwise as `completeCallback`.
    void heartbeatCallback(std::string_view callbackId) {
        changeCallback(callbackId, OperationAction::heartbeat, {}, {});
    }

    // --- stopping ---------------------------------------------------------------------------

    /// Ends an execution as `stopped`. Its step bodies get their stop token; executions that it
    /// invoked go on. Returns when that is durable; an execution that has ended stays as it is.
    /// \throws InvalidConfig if `error` is too large; StoreError, EngineStopped.
    void stopExecution(ExecutionId execution,
                       ErrorObject error = {.message = "Execution stopped by user request"}) {
        resume();
        change(execution, {.action = OperationAction::stop,
                           .type = OperationType::execution,
                           .error = std::move(error)});
    }

    /// Stops the engine: running bodies get their stop token and are waited for, what is recorded
    /// is written. Everything unfinished goes on with the next engine. Called by the destructor.
    void stop() {
        core_->stop();
        const std::scoped_lock lock{signalsMutex_};
        signals_.reset();
    }

    /// Stops the engine when the process gets one of these signals: whoever waits for an execution
    /// gets `EngineStopped`, and `main` can return. A second signal acts as without this.
    void stopOn(std::initializer_list<int> signals) {
        const std::scoped_lock lock{signalsMutex_};
        signals_.emplace(core_->io());
        for (const int signal : signals) signals_->add(signal);
        signals_->async_wait([this](const boost::system::error_code& failed, int) {
            if (failed) return;
            {
                const std::scoped_lock relock{signalsMutex_};
                signals_->clear();
            }
            core_->requestStop();
        });
    }

    /// Runs handlers on the calling thread until the engine is stopped, by a signal or by another
    /// thread: for an engine without threads of its own. With threads it only waits.
    void run() {
        resume();
        core_->awaitStop();
    }

    // --- without threads --------------------------------------------------------------------

    /// Runs what can go on, on the calling thread, and returns when everything waits for the world,
    /// for a step thread or for a timer. For an engine without workflow threads, in a program with
    /// a loop of its own.
    void poll() {
        resume();
        core_->poll();
    }

    /// As `poll`, but returns after the first thing that could go on.
    /// \return false if there was nothing.
    bool pollOne() {
        resume();
        return core_->pollOne();
    }

    /// When the next timer of any execution is due, or empty.
    [[nodiscard]] std::optional<TimePoint> nextTimer() const { return core_->timers().next(); }

    /// Completes what is due by the engine's clock. An engine does so by itself while its threads,
    /// or `run`, follow the machine's clock; a clock that is set by hand is followed by this.
    void fireTimers() { core_->timers().fire(); }

private:
    /// A change on its way: whether it is durable, and who is to tell.
    struct Pending {
        std::shared_ptr<Promised<bool>> outcome = std::make_shared<Promised<bool>>();
        std::shared_ptr<Promise<bool>> promise = std::make_shared<Promise<bool>>(
            outcome, std::make_exception_ptr(EngineStopped{"the engine was stopped"}));

        /// Passes the outcome of a change on; a refused one as `Refused`, or as done if that is
        /// void; one that was too large as `InvalidConfig`.
        template <class Refused>
        [[nodiscard]] ExecutionDriver::Done settling() const {
            return [promise = promise](const Refusal* refusal, const std::exception_ptr& error) {
                if (error) (**promise).fail(error);
                if (refusal != nullptr && refusal->isTooLarge) {
                    (**promise).fail(std::make_exception_ptr(InvalidConfig{refusal->message}));
                }
                if constexpr (!std::is_void_v<Refused>) {
                    if (refusal != nullptr) {
                        (**promise).fail(std::make_exception_ptr(Refused{refusal->message}));
                    }
                }
                (**promise).set(true);  // unless it has failed
            };
        }
    };

    [[nodiscard]] bool resumed() const {
        const std::scoped_lock lock{resumeMutex_};
        return resumed_;
    }

    Execution startWith(const std::string& handlerName, Payload input, StartOptions options) {
        if (core_->handlers().find(handlerName) == nullptr) {
            throw InvalidConfig{fmt::format("no handler \"{}\" is registered", handlerName)};
        }
        complete(options);
        resume();
        const NameClaims::Key key{handlerName, options.name};
        const auto claim =
            claims_.claim(key, [this](const Promised<bool>& other) { core_->await(other); });
        return startClaimed(key, std::move(input), options);
    }

    Execution startClaimed(const NameClaims::Key& key, Payload input, const StartOptions& options) {
        if (const auto existing = core_->store().find(key.first, key.second)) {
            requireSameInput(*existing, input);
            if (!existing->end) core_->wake(existing->id);
            return handleOf(*existing);
        }
        Pending pending;
        core_->create({.handlerName = key.first,
                       .name = key.second,
                       .input = std::move(input),
                       .startTime = core_->options().clock->now(),
                       .timeout = options.timeout,
                       .tenantId = options.tenantId},
                      pending.settling<InvalidConfig>());
        await(std::move(pending));
        return handleOf(*core_->store().find(key.first, key.second));
    }

    void await(Pending pending) {
        const auto outcome = pending.outcome;
        pending.promise.reset();
        core_->await(*outcome);
        (void)outcome->get();
    }

    static void requireSameInput(const ExecutionRecord& existing, const Payload& input) {
        if (existing.start.input == input) return;
        throw ExecutionConflict{
            fmt::format("execution \"{}\" of handler \"{}\" exists with another input",
                        existing.start.name, existing.start.handlerName)};
    }

    [[nodiscard]] Execution handleOf(const ExecutionRecord& record) {
        return {record.id, record.start, core_->completionOf(record.id),
                [core = core_.get()](const Completion& completion,
                                     std::optional<std::chrono::milliseconds> longest) {
                    return core->await(completion, longest.value_or(EngineThreads::forever));
                }};
    }

    void change(ExecutionId execution, OperationUpdate update) {
        const auto record = core_->store().find(execution);
        if (!record || record->end) return;
        Pending pending;
        core_->dispatch(execution, [update = std::move(update), done = pending.settling<void>()](
                                       ExecutionDriver& driver) { driver.change(update, done); });
        await(std::move(pending));
    }

    void changeCallback(std::string_view callbackId, OperationAction action, Payload payload,
                        std::optional<ErrorObject> error) {
        if (payload && !isUtf8(*payload)) {
            throw SerdesError{"the result of a callback must be UTF-8 text"};
        }
        resume();
        const auto place = callbackPlaceOf(callbackId);
        const auto record = place ? core_->store().find(place->execution) : std::nullopt;
        if (!record) throw UnknownCallback{"there is no callback of this id"};
        OperationUpdate update{.action = action,
                               .operationId = place->operationId,
                               .type = OperationType::callback,
                               .payload = std::move(payload),
                               .error = std::move(error)};
        Pending pending;
        core_->dispatch(place->execution, [update = std::move(update), promise = pending.promise,
                                           done = pending.settling<ClosedCallback>(),
                                           id = std::string{callbackId}](ExecutionDriver& driver) {
            if (driver.lostTo()) return (**promise).fail(driver.lostTo());
            const auto* operation = driver.state().find(update.operationId);
            if (operation == nullptr || !operation->details ||
                !equalSecrets(operation->details->callbackId, id)) {
                (**promise).fail(
                    std::make_exception_ptr(UnknownCallback{"there is no callback of this id"}));
                return;
            }
            driver.change(update, done);
        });
        await(std::move(pending));
    }

    std::unique_ptr<EngineCore> core_;
    mutable std::mutex resumeMutex_;
    bool resumed_{};
    NameClaims claims_{[this] { core_->wakeWaiting(); }};
    std::mutex signalsMutex_;
    std::optional<boost::asio::signal_set> signals_;
};

}  // namespace durable::inline v0
