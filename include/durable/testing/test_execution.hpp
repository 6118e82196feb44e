// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/execution_arn.hpp>
#include <durable/testing/golden_history.hpp>
#include <durable/testing/history_table.hpp>
#include <durable/testing/runner_core.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// One pass of a handler, as the history tells it.
struct TestInvocation {
    std::optional<TimePoint> startTime{};
    TimePoint endTime{};
    std::string requestId{};
    std::optional<ErrorObject> error{};  ///< what ended it, if it was not the handler
};

/// An execution in a test: moves it, and tells what became of it. Each question is answered by the
/// journal as it is then.
///
/// Lifetime: must not be used after its runner is gone. Goes on after a restart or crash of it.
class TestExecution {
public:
    TestExecution(RunnerCore& runner, ExecutionId id) : runner_{&runner}, id_{id} {}

    [[nodiscard]] ExecutionId id() const noexcept { return id_; }
    [[nodiscard]] std::string name() const { return runner_->record(id_).start.name; }
    [[nodiscard]] std::string handlerName() const { return runner_->record(id_).start.handlerName; }

    /// As in log lines and plugins.
    [[nodiscard]] std::string arn() const { return executionArn(handlerName(), name(), id_); }

    // --- moving it ----------------------------------------------------------------------------

    /// Runs until the execution has ended or only somebody outside can help. Waits and retries
    /// take no time; timeouts of callbacks and executions happen only if a wait lasts longer.
    /// \throws TestFailure if it polls for ever.
    TestExecution& run() {
        if (ended()) return *this;
        runner_->runUntil([this](ExecutionId id, const Entry& entry) {
            return id == id_ && entry.operationId.empty() && endsOperation(entry.kind);
        });
        runner_->settle();
        return *this;
    }

    /// Lets happen what is ready or, if nothing is, what the clock brings next: without parking,
    /// one invocation.
    /// \return false if there was nothing: the execution has ended, or somebody outside must act.
    bool step() { return !ended() && runner_->step(); }

    /// Runs until the operation of that name has ended, and the handler does not know it yet.
    /// \throws TestFailure if the execution ends, or waits for somebody, before that.
    TestExecution& runUntil(std::string_view operationName, std::size_t occurrence = 0) {
        const auto found = findOperation(operationName, occurrence);
        if (found && found->ended()) return *this;
        const bool reached = runner_->runUntil([&](ExecutionId id, const Entry& entry) {
            if (id != id_ || !endsOperation(entry.kind)) return false;
            const auto operation = findOperation(operationName, occurrence);
            return operation && operation->ended();
        });
        if (reached) return *this;
        throw TestFailure{
            fmt::format("operation \"{}\" did not end: {}", operationName, situation())};
    }

    // --- how it ended -------------------------------------------------------------------------

    [[nodiscard]] ExecutionStatus status() const { return runner_->record(id_).status(); }
    [[nodiscard]] bool ended() const { return status() != ExecutionStatus::running; }

    /// \throws ExecutionError if it failed, timed out or was stopped; TestFailure if it has not
    ///     ended.
    template <class T>
    [[nodiscard]] T result() const {
        const auto end = endOrThrow();
        if (end.status != ExecutionStatus::succeeded) {
            throw ExecutionError{end.error.value_or(ErrorObject{})};
        }
        if constexpr (!std::is_void_v<T>) return fromJsonText<T>(end.result.value_or("null"));
    }

    /// The result as it was recorded; empty if there is none.
    [[nodiscard]] std::optional<std::string> resultText() const {
        const auto end = runner_->record(id_).end;
        return end ? end->result : std::nullopt;
    }

    /// What it failed with; empty if it did not.
    [[nodiscard]] std::optional<ErrorObject> error() const {
        const auto end = runner_->record(id_).end;
        return end ? end->error.toOptional() : std::nullopt;
    }

    // --- its operations -----------------------------------------------------------------------

    /// The operation of that name; of several, the one with that number, from 0 in the order in
    /// which they began.
    /// \throws TestFailure if there is none; the text names those that there are.
    [[nodiscard]] TestOperation operation(std::string_view name, std::size_t occurrence = 0) const {
        if (const auto found = findOperation(name, occurrence)) return *found;
        std::string names;
        for (const auto& each : operations()) names += "\n  " + each.description();
        throw TestFailure{fmt::format("there is no operation \"{}\" number {}; there are:{}", name,
                                      occurrence, names.empty() ? " none" : names)};
    }
    [[nodiscard]] std::optional<TestOperation> findOperation(std::string_view name,
                                                             std::size_t occurrence = 0) const {
        for (const auto& each : operations()) {
            if (each.name() == name && occurrence-- == 0) return each;
        }
        return std::nullopt;
    }

    /// The operation with that id, such as "1-2", or empty.
    [[nodiscard]] std::optional<TestOperation> operationById(std::string_view id) const {
        for (const auto& each : operations()) {
            if (each.id() == id) return each;
        }
        return std::nullopt;
    }

    /// All operations, or those with that status, in the order in which they began.
    [[nodiscard]] std::vector<TestOperation> operations(
        std::optional<OperationStatus> status = {}) const {
        std::vector<TestOperation> found;
        const auto view = runner_->view(id_);
        for (const auto* each : view->order) {
            if (!status || each->status == *status) found.emplace_back(view, *each);
        }
        return found;
    }

    // --- callbacks ----------------------------------------------------------------------------

    /// Completes a callback, also while the handler waits elsewhere: text as it is, anything else
    /// as JSON. `callback` is its id, or the name of a `createCallback` or `waitForCallback`; of
    /// several with that name, the first that is open. The handler goes on at the next move.
    /// \throws TestFailure if there is no such callback; ClosedCallback.
    template <class T>
    TestExecution& completeCallback(std::string_view callback, const T& result) {
        runner_->engine().completeCallback(callbackId(callback), result);
        return *this;
    }
    TestExecution& completeCallback(std::string_view callback) {
        runner_->engine().completeCallback(callbackId(callback));
        return *this;
    }
    TestExecution& failCallback(std::string_view callback, ErrorObject error) {
        runner_->engine().failCallback(callbackId(callback), std::move(error));
        return *this;
    }
    TestExecution& heartbeatCallback(std::string_view callback) {
        runner_->engine().heartbeatCallback(callbackId(callback));
        return *this;
    }

    /// The id of a callback, as in `completeCallback`.
    /// \throws TestFailure if there is no such callback.
    [[nodiscard]] std::string callbackId(std::string_view callback) {
        runner_->settle();
        std::string found;
        std::string known;
        for (const auto& each : operations()) {
            const auto id = each.callbackId();
            if (id.empty()) continue;
            if (id == callback) return id;
            known += "\n  " + each.description();
            if (each.name() == callback && (found.empty() || !isOpen(found))) found = id;
        }
        if (!found.empty()) return found;
        throw TestFailure{fmt::format("there is no callback \"{}\"; there are:{}", callback,
                                      known.empty() ? " none" : known)};
    }

    // --- what happened ------------------------------------------------------------------------

    [[nodiscard]] std::vector<HistoryEvent> history() const {
        return historyOf(runner_->store().load(id_));
    }

    /// The passes of the handler that have ended, in order. A parked execution has one in the end,
    /// however often it waited.
    [[nodiscard]] std::vector<TestInvocation> invocations() const {
        std::vector<TestInvocation> invocations;
        for (const auto& entry : runner_->store().load(id_)) {
            if (entry.kind != EntryKind::invocationCompleted) continue;
            const auto& details = entry.details.orDefault();
            invocations.push_back({.startTime = details.invocationStart,
                                   .endTime = entry.time,
                                   .requestId = details.requestId,
                                   .error = entry.error.toOptional()});
        }
        return invocations;
    }
    [[nodiscard]] std::size_t invocationCount() const { return invocations().size(); }

    /// The log lines of this execution.
    [[nodiscard]] std::vector<CapturedLog> logs() const {
        std::vector<CapturedLog> mine;
        const auto mineArn = arn();
        for (const auto& line : runner_->logs()) {
            if (line.executionArn == mineArn) mine.push_back(line);
        }
        return mine;
    }

    /// Prints the events as a table.
    void printHistory(std::ostream& out) const { out << historyTable(history()); }

    /// Prints the operations as a table.
    void printOperations(std::ostream& out) const { out << operationTable(operations()); }

    /// Compares the history with the one recorded in `file`; see `goldenDifference`.
    /// \throws TestFailure with the first line that differs.
    void requireGoldenHistory(const std::filesystem::path& file, GoldenOptions options = {}) const {
        const auto difference = goldenDifference(history(), file, options);
        if (!difference.empty()) throw TestFailure{difference};
    }

private:
    [[nodiscard]] static bool endsOperation(EntryKind kind) {
        switch (kind) {
            case EntryKind::succeeded:
            case EntryKind::failed:
            case EntryKind::timedOut:
            case EntryKind::cancelled:
            case EntryKind::stopped: return true;
            default: return false;
        }
    }

    [[nodiscard]] ExecutionEnd endOrThrow() const {
        if (const auto end = runner_->record(id_).end) return *end;
        throw TestFailure{"the execution has no result: " + situation()};
    }

    [[nodiscard]] std::string situation() const {
        if (ended()) return fmt::format("the execution has {}", wireName(status()));
        std::string open;
        for (const auto& each : operations()) {
            if (!each.ended()) open += "\n  " + each.description();
        }
        return "it has not ended; open are:" + (open.empty() ? " no operations" : open);
    }

    [[nodiscard]] bool isOpen(const std::string& callbackId) const {
        for (const auto& each : operations()) {
            if (each.type() != OperationType::callback || each.callbackId() != callbackId) continue;
            return !each.ended();
        }
        return false;
    }

    RunnerCore* runner_;
    ExecutionId id_;
};

}  // namespace testing

}  // namespace durable::inline v0
