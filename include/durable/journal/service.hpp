// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/execution_state.hpp>
#include <durable/journal/limits.hpp>
#include <durable/journal/operation_update.hpp>
#include <durable/journal/recordable_error.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>

/// \file
/// The state machine of durable executions: what may follow what. One pure function that every
/// store, engine, test and tool shares. Source: AWS Lambda, CheckpointDurableExecution.

namespace durable::inline v0 {

/// Why an update was refused. Nothing was changed.
struct Refusal {
    std::string operationId;
    std::string message;
    bool isTooLarge{};  ///< what was given; else the operation is in another state
};

namespace detail {

/// One update against one state. `apply` is the way in.
class Transition {
public:
    Transition(const ExecutionState& state, const OperationUpdate& update, const Limits& limits)
        : update_{update},
          limits_{limits},
          operation_{state.find(update.operationId)},
          status_{operation_ != nullptr ? operation_->status : OperationStatus::none},
          begun_{state.root().recorded()},
          ended_{state.status() != ExecutionStatus::running} {}

    /// The operation as it is before the update, or null if it is not recorded.
    [[nodiscard]] const Operation* operation() const noexcept { return operation_; }

    /// Empty if the update may happen.
    [[nodiscard]] std::string refusal() const {
        if (ended_ && update_.action != OperationAction::completeInvocation) {
            return "The execution has ended.";
        }
        if (auto tooLarge = sizeRefusal(); !tooLarge.empty()) return tooLarge;
        if (update_.action == OperationAction::completeInvocation) return "";
        if (auto misplaced = placeRefusal(); !misplaced.empty()) return misplaced;
        switch (update_.type) {
            case OperationType::execution: return executionRefusal();
            case OperationType::context: return contextRefusal();
            case OperationType::step: return stepRefusal();
            case OperationType::wait: return waitRefusal();
            case OperationType::callback: return callbackRefusal();
            case OperationType::chainedInvoke: return invokeRefusal();
        }
        return "Unknown operation type.";
    }

    /// Whether it may not happen at any time.
    [[nodiscard]] bool isTooLarge() const { return !ended_ && !sizeRefusal().empty(); }

private:
    using Action = OperationAction;
    using Status = OperationStatus;

    [[nodiscard]] bool isOneOf(std::initializer_list<Status> statuses) const {
        return std::ranges::find(statuses, status_) != statuses.end();
    }

    [[nodiscard]] bool isFresh() const { return status_ == Status::none; }
    [[nodiscard]] bool isStarted() const { return status_ == Status::started; }

    [[nodiscard]] std::string placeRefusal() const {
        const bool isExecution = update_.type == OperationType::execution;
        const bool valid = operation_ != nullptr ||
                           forEachNumber(update_.operationId, [](std::uint32_t) { return true; });
        if (!valid || isExecution != update_.operationId.empty()) {
            return "Operation update must have a valid Id.";
        }
        if (!isExecution && !begun_) return "The execution has not been started.";
        if (operation_ != nullptr && operation_->type != update_.type) {
            return "Inconsistent operation type.";
        }
        return "";
    }

    [[nodiscard]] std::string outcomeRefusal() const {
        if (update_.action == Action::succeed && update_.error) {
            return "Cannot provide an Error for SUCCEED action.";
        }
        if (update_.action == Action::fail && update_.payload) {
            return "Cannot provide a Payload for FAIL action.";
        }
        return "";
    }

    [[nodiscard]] std::string executionRefusal() const {
        switch (update_.action) {
            case Action::start:
                return isFresh() ? "" : "Cannot start an execution that already exists.";
            case Action::succeed:
            case Action::fail:
            case Action::timeOut:
            case Action::stop: return isStarted() ? outcomeRefusal() : "The execution has ended.";
            default: return "Invalid EXECUTION action.";
        }
    }

    [[nodiscard]] std::string contextRefusal() const {
        switch (update_.action) {
            case Action::start:
                return isFresh() ? "" : "Cannot start a CONTEXT that already exists.";
            case Action::succeed:
            case Action::fail:
                return isFresh() || isStarted() ? outcomeRefusal()
                                                : "Invalid current CONTEXT state to close.";
            default: return "Invalid CONTEXT action.";
        }
    }

    [[nodiscard]] std::string stepRefusal() const {
        const bool open = isOneOf({Status::none, Status::started, Status::ready});
        switch (update_.action) {
            case Action::start:
                return isOneOf({Status::none, Status::ready})
                           ? ""
                           : "Invalid current STEP state to start.";
            case Action::retry:
                if (!open) return "Invalid current STEP state to re-attempt.";
                if (!update_.delay) return "Invalid StepOptions for the given action.";
                return update_.error && update_.payload
                           ? "Cannot provide both error and payload to RETRY a STEP."
                           : "";
            case Action::succeed:
            case Action::fail:
                return open ? outcomeRefusal() : "Invalid current STEP state to close.";
            case Action::becomeReady:
                return status_ == Status::pending ? "" : "The STEP is not between two attempts.";
            default: return "Invalid STEP action.";
        }
    }

    [[nodiscard]] std::string waitRefusal() const {
        switch (update_.action) {
            case Action::start: return isFresh() ? "" : "Cannot start a WAIT that already exists.";
            case Action::succeed:
            case Action::cancel:
                if (isStarted()) return "";
                return fmt::format("Cannot {} a WAIT that does not exist or has already completed.",
                                   update_.action == Action::cancel ? "cancel" : "complete");
            default: return "Invalid WAIT action.";
        }
    }

    [[nodiscard]] std::string callbackRefusal() const {
        switch (update_.action) {
            case Action::start:
                return isFresh() ? "" : "Cannot start a CALLBACK that already exists.";
            case Action::succeed:
            case Action::fail:
            case Action::timeOut:
            case Action::heartbeat:
                if (isFresh()) return "There is no such callback.";
                return isStarted() ? outcomeRefusal() : closedCallback();
            default: return "Invalid CALLBACK action.";
        }
    }

    [[nodiscard]] std::string closedCallback() const {
        if (status_ == Status::timedOut) return "The callback has timed out.";
        return "The callback was already completed.";
    }

    [[nodiscard]] std::string invokeRefusal() const {
        switch (update_.action) {
            case Action::start:
                return isFresh() ? "" : "Cannot start a CHAINED_INVOKE that already exists.";
            case Action::succeed:
            case Action::fail:
            case Action::timeOut:
            case Action::stop:
            case Action::cancel:
                return isStarted() ? outcomeRefusal()
                                   : "Cannot end a CHAINED_INVOKE that does not exist or has "
                                     "already completed.";
            default: return "Invalid CHAINED_INVOKE action.";
        }
    }

    [[nodiscard]] std::string sizeRefusal() const {
        if (update_.payload && update_.payload->size() > limits_.payloadBytesMax) {
            return fmt::format("The payload must be at most {} bytes, got {}.",
                               limits_.payloadBytesMax, update_.payload->size());
        }
        if (update_.delay && *update_.delay > limits_.durationMax) {
            return fmt::format("A duration must be at most {} seconds, got {}.",
                               limits_.durationMax.count(), update_.delay->count());
        }
        if (update_.error) {
            const auto bytes = bytesOf(*update_.error);
            if (bytes > limits_.errorBytesMax) {
                return fmt::format("The error must be at most {} bytes, got {}.",
                                   limits_.errorBytesMax, bytes);
            }
        }
        return "";
    }

    [[nodiscard]] static std::size_t bytesOf(const ErrorObject& error) {
        std::size_t bytes = 0;
        for (const auto* at = &error; at != nullptr; at = at->cause.get()) {
            for (const auto* text : {&at->type, &at->message, &at->data}) {
                if (*text) bytes += (*text)->size();
            }
            for (const auto& line : at->stackTrace) bytes += line.size();
        }
        return bytes;
    }

    const OperationUpdate& update_;
    const Limits& limits_;
    const Operation* operation_;
    OperationStatus status_;
    bool begun_;
    bool ended_;
};

[[nodiscard]] constexpr EntryKind kindOf(OperationAction action) {
    switch (action) {
        case OperationAction::start: return EntryKind::started;
        case OperationAction::succeed: return EntryKind::succeeded;
        case OperationAction::fail: return EntryKind::failed;
        case OperationAction::retry: return EntryKind::retried;
        case OperationAction::cancel: return EntryKind::cancelled;
        case OperationAction::becomeReady: return EntryKind::becameReady;
        case OperationAction::timeOut: return EntryKind::timedOut;
        case OperationAction::stop: return EntryKind::stopped;
        case OperationAction::heartbeat: return EntryKind::heartbeat;
        case OperationAction::completeInvocation: return EntryKind::invocationCompleted;
    }
    return EntryKind::started;
}

}  // namespace detail

/// The entry that `update` adds to `state` at `now`, made of its parts; or why it may not.
[[nodiscard]] inline std::variant<Entry, Refusal> apply(const ExecutionState& state,
                                                        OperationUpdate&& update, TimePoint now,
                                                        const Limits& limits = {}) {
    const detail::Transition transition{state, update, limits};
    if (auto reason = transition.refusal(); !reason.empty()) {
        const bool isTooLarge = transition.isTooLarge();
        return Refusal{.operationId = update.operationId,
                       .message = std::move(reason),
                       .isTooLarge = isTooLarge};
    }
    if (update.error) update.error = recordable(*update.error);
    const bool endsAttempt =
        update.type == OperationType::step &&
        (update.action == OperationAction::succeed || update.action == OperationAction::fail ||
         update.action == OperationAction::retry);
    const Operation* operation = transition.operation();
    const auto attemptsBefore = operation != nullptr ? operation->attempt : 0;
    return Entry{.kind = detail::kindOf(update.action),
                 .time = now,
                 .operationId = std::move(update.operationId),
                 .type = update.type,
                 .subType = update.subType,
                 .parentId = std::move(update.parentId),
                 .name = std::move(update.name),
                 .details = std::move(update.details),
                 .delay = update.delay,
                 .payload = std::move(update.payload),
                 .error = std::move(update.error),
                 .attempt = endsAttempt ? attemptsBefore + 1 : 0,
                 .replayChildren = update.replayChildren};
}

}  // namespace durable::inline v0
