// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/test_execution.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

class SweepRun;

/// Runs handlers in a test: in the test's own thread, on a clock that jumps from timer to timer, so
/// that a wait of a week and five retries take no time. Underneath is the engine itself.
///
///     durable::testing::LocalRunner runner{processOrder};
///     auto order = runner.run(Order{"A-1"});
///     CHECK(order.operation("charge").attempts() == 2);
///     CHECK(order.result<std::string>() == "shipped");
///
/// By default every suspension ends the invocation and the handler is replayed, as on AWS.
/// Failures are exceptions, so any test framework will do.
///
/// Thread-safety: none.
class LocalRunner {
public:
    /// A runner of one handler.
    template <class Function>
        requires(!std::same_as<std::remove_cvref_t<Function>, LocalRunnerOptions> &&
                 !std::same_as<std::remove_cvref_t<Function>, LocalRunner>)
    explicit LocalRunner(Function handler, LocalRunnerOptions options = {})
        : LocalRunner{std::move(options)} {
        registerHandler(core_->options().handlerName, std::move(handler));
    }

    /// A runner without a handler; see `registerHandler`.
    explicit LocalRunner(LocalRunnerOptions options = {})
        : core_{std::make_unique<RunnerCore>(std::move(options))} {}

    /// Adds a handler that can be started by name, or called by `invoke`.
    template <class Function>
    LocalRunner& registerHandler(const std::string& name, Function handler) {
        core_->registerWith([name, handler = std::move(handler)](Engine& engine) {
            engine.registerHandler(name, handler);
        });
        return *this;
    }

    /// Adds a plain function in the place of a handler that `invoke` calls: `T(In)`, or `T()`. What
    /// it throws fails the invoke. It is called once for each execution, and again on replay.
    template <class In = void, class Function>
    LocalRunner& registerFunction(const std::string& name, Function function) {
        if constexpr (std::is_void_v<In>) {
            using Out = std::invoke_result_t<Function&>;
            return registerHandler(
                name, [function](DurableContext&) mutable -> Task<Out> { co_return function(); });
        } else {
            using Out = std::invoke_result_t<Function&, In>;
            return registerHandler(name,
                                   [function](DurableContext&, In input) mutable -> Task<Out> {
                                       co_return function(std::move(input));
                                   });
        }
    }

    // --- executions ---------------------------------------------------------------------------

    /// Starts the runner's handler and runs it until it has ended or only somebody outside can
    /// help; see `TestExecution::run`.
    template <class Input>
    TestExecution run(const Input& input, StartOptions options = {}) {
        return start(input, std::move(options)).run();
    }
    TestExecution run() { return start().run(); }

    /// Starts the runner's handler. Once the start is written, the handler runs while its own
    /// results are being written: up to two of its steps may have run when this returns, the last
    /// of them unwritten.
    template <class Input>
    TestExecution start(const Input& input, StartOptions options = {}) {
        return startHandler(core_->options().handlerName, input, std::move(options));
    }
    TestExecution start() { return startHandler(core_->options().handlerName); }

    /// Starts a handler by name. Starting the same name with the same input again gives the
    /// execution that exists.
    template <class Input>
    TestExecution startHandler(const std::string& handlerName, const Input& input,
                               StartOptions options = {}) {
        return {*core_, engine().start(handlerName, input, std::move(options)).id()};
    }
    TestExecution startHandler(const std::string& handlerName, StartOptions options = {}) {
        return {*core_, engine().start(handlerName, std::move(options)).id()};
    }

    /// All executions, those that were invoked too, in the order in which they were started.
    [[nodiscard]] std::vector<TestExecution> executions() {
        std::vector<TestExecution> found;
        forEachRecord(core_->store(), {}, [&](const ExecutionRecord& record) {
            found.emplace_back(*core_, record.id);
        });
        return found;
    }

    /// The execution of that name, or empty.
    [[nodiscard]] std::optional<TestExecution> find(std::string_view handlerName,
                                                    std::string_view name) {
        const auto record = core_->store().find(handlerName, name);
        if (!record) return std::nullopt;
        return TestExecution{*core_, record->id};
    }

    // --- time ---------------------------------------------------------------------------------

    [[nodiscard]] TimePoint now() { return core_->clock().now(); }

    /// Lets time pass. What becomes due meanwhile happens at its time, timeouts too.
    void advance(std::chrono::milliseconds duration) { core_->advance(duration); }

    /// Runs what is ready, without letting time pass.
    void settle() { core_->settle(); }

    /// When something is due next, or empty.
    [[nodiscard]] std::optional<TimePoint> nextTimer() { return engine().nextTimer(); }

    // --- restarts -----------------------------------------------------------------------------

    /// Goes on as a new process would after the old one was stopped: handlers are replayed.
    void restart() { core_->restart(); }

    /// Goes on as a new process would after the old one was killed: what had not been written is
    /// lost. After `TestExecution::runUntil` it dies where that stopped.
    void crash() { core_->crash(); }

    // --- looking around -----------------------------------------------------------------------

    /// All log lines so far, of executions and of the engine.
    [[nodiscard]] const std::vector<CapturedLog>& logs() const { return core_->logs(); }

    /// The engine underneath, until the next `restart` or `crash`.
    [[nodiscard]] Engine& engine() { return core_->engine(); }

private:
    friend class SweepRun;

    std::unique_ptr<RunnerCore> core_;
};

}  // namespace testing

}  // namespace durable::inline v0
