// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/invocation.hpp>
#include <durable/coro/mailbox.hpp>
#include <durable/engine/driver_host.hpp>
#include <durable/engine/journal_writer.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// What one execution hands to the journal, one write at a time: entries, and what the list of
/// executions is to say. While a write is on its way, the next one gathers.
///
/// Thread-safety: the strand of its driver.
class ExecutionWrites {
public:
    /// Told of the outcome of a change when it is durable, or of what kept it from being so.
    using Done = std::function<void(const Refusal*, std::exception_ptr)>;

    /// What a write that has come back brought.
    struct Outcome {
        std::exception_ptr error{};
        std::uint64_t upTo{};                     ///< entries of the invocation that are durable
        std::vector<const Operation*> invokes{};  ///< invokes among them
        std::vector<Operation*> operations{};     ///< operations that the world has changed
    };

    ExecutionWrites(DriverHost& host, ExecutionId execution) : host_{host}, execution_{execution} {}

    void setStart(ExecutionStart start) {
        start_ = std::make_unique<ExecutionStart>(std::move(start));
        startsExecution_ = true;
    }

    /// Whether the execution is new, and its start not durable yet.
    [[nodiscard]] bool startsExecution() const noexcept { return startsExecution_; }

    void setEnd(ExecutionEnd end) {
        end_ = std::make_unique<ExecutionEnd>(std::move(end));
        due_ = true;
    }

    /// What the store says of the execution's waiting.
    void setStored(Suspension suspension) { stored_ = suspension; }
    [[nodiscard]] const Suspension& stored() const noexcept { return stored_; }

    /// Says with the next write that the execution waits; otherwise that it does not.
    void setWaiting(Suspension suspension) {
        waiting_ = suspension;
        due_ = true;
    }

    /// Tells the store that the end of an invoked execution is recorded here, with that record.
    void acknowledge(ExecutionId child) {
        acknowledged_.push_back(child);
        due_ = true;
    }

    /// Notes the world's change to `operation`, recorded as the entry `upTo` of the invocation.
    /// \param operation null: the handler is not told.
    void addChange(std::uint64_t upTo, Operation* operation, Done done) {
        changes_.push_back({upTo, operation, std::move(done)});
        due_ = true;
    }

    /// Wants what is recorded to be written.
    void demand() noexcept { due_ = true; }
    [[nodiscard]] bool due() const noexcept { return due_; }

    /// Whether a write is on its way.
    [[nodiscard]] bool inFlight() const noexcept { return inFlight_; }

    /// Hands over what is there. `written` is called, on another thread or at once, when it has
    /// come back; it calls `setError`, and `takeOutcome` then tells the rest.
    void flush(Invocation& invocation, std::function<void(std::exception_ptr)> written) {
        due_ = false;
        inFlight_ = true;
        outcome_ = {
            .error = {}, .upTo = invocation.recordedCount(), .invokes = {}, .operations = {}};
        JournalWriter::Submission submission;
        submission.commit.execution = execution_;
        if (start_) submission.commit.start = std::move(*std::exchange(start_, nullptr));
        if (end_) submission.commit.end = std::move(*std::exchange(end_, nullptr));
        submission.commit.suspension = newSuspension();
        submission.commit.acknowledged = std::exchange(acknowledged_, {});
        submission.entries = invocation.takeUnwritten();
        for (const auto& entry : submission.entries) {
            if (entry.kind != EntryKind::started || entry.type != OperationType::chainedInvoke) {
                continue;
            }
            outcome_.invokes.push_back(invocation.state().find(entry.operationId));
        }
        submission.written = std::move(written);
        host_.submit(std::move(submission));
    }

    /// What kept the write that is on its way from being durable, or null. On any thread, before
    /// its return is told.
    void setError(std::exception_ptr error) noexcept { outcome_.error = std::move(error); }

    /// The outcome of the write that has come back. Tells those who wait for a change.
    [[nodiscard]] Outcome takeOutcome() {
        inFlight_ = false;
        if (outcome_.error) {
            failChanges(outcome_.error);
            return std::move(outcome_);
        }
        startsExecution_ = false;  // the first write has it
        std::vector<Change> later;
        for (auto& change : std::exchange(changes_, {})) {
            if (change.upTo > outcome_.upTo) {
                later.push_back(std::move(change));
                continue;
            }
            if (change.operation != nullptr) outcome_.operations.push_back(change.operation);
            change.done(nullptr, nullptr);
        }
        changes_ = std::move(later);
        return std::move(outcome_);
    }

    void failChanges(const std::exception_ptr& error) {
        for (auto& change : std::exchange(changes_, {})) {
            change.done(nullptr, error);
        }
    }

private:
    struct Change {
        std::uint64_t upTo{};
        Operation* operation{};
        Done done{};
    };

    /// What the list of executions is to say, if that is news.
    [[nodiscard]] std::optional<Suspension> newSuspension() {
        const auto now = std::exchange(waiting_, std::nullopt).value_or(Suspension{});
        if (now == stored_) return std::nullopt;
        stored_ = now;
        return now;
    }

    DriverHost& host_;
    ExecutionId execution_;
    bool startsExecution_{};
    bool due_{};
    bool inFlight_{};
    Outcome outcome_{};
    std::unique_ptr<ExecutionStart> start_;
    std::unique_ptr<ExecutionEnd> end_;
    std::optional<Suspension> waiting_;
    Suspension stored_{};
    std::vector<Change> changes_;
    std::vector<ExecutionId> acknowledged_;
};

}  // namespace durable::inline v0
