// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/execution_status.hpp>
#include <durable/journal/operation.hpp>
#include <durable/journal/operation_id.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// The current state of one execution: what its entries add up to. The first reading of a journal;
/// the second is `history`.
class ExecutionState {
public:
    ExecutionState() = default;
    ExecutionState(const ExecutionState&) = delete;
    ExecutionState& operator=(const ExecutionState&) = delete;
    ExecutionState(ExecutionState&&) = delete;
    ExecutionState& operator=(ExecutionState&&) = delete;
    ~ExecutionState() = default;

    /// The execution itself; its children are what the handler called.
    [[nodiscard]] const Operation& root() const noexcept { return root_; }
    [[nodiscard]] Operation& root() noexcept { return root_; }

    [[nodiscard]] const std::optional<std::string>& input() const noexcept { return input_; }
    [[nodiscard]] std::uint64_t entryCount() const noexcept { return entryCount_; }

    /// How many invokes have been started and have not ended.
    [[nodiscard]] std::uint64_t openInvokes() const noexcept { return openInvokes_; }

    /// Invocations that have ended.
    [[nodiscard]] std::uint64_t invocationCount() const noexcept { return invocationCount_; }

    /// When an invocation that has not ended first recorded something; empty if there is none. In
    /// a journal that no process writes any more it is one that a crash has ended.
    [[nodiscard]] std::optional<TimePoint> openInvocation() const noexcept {
        return openInvocation_;
    }

    [[nodiscard]] ExecutionStatus status() const noexcept {
        switch (root_.status) {
            case OperationStatus::succeeded: return ExecutionStatus::succeeded;
            case OperationStatus::failed: return ExecutionStatus::failed;
            case OperationStatus::timedOut: return ExecutionStatus::timedOut;
            case OperationStatus::stopped: return ExecutionStatus::stopped;
            default: return ExecutionStatus::running;
        }
    }

    [[nodiscard]] bool isRunning() const noexcept { return status() == ExecutionStatus::running; }

    /// The operation with that id, or null if it is not recorded.
    [[nodiscard]] Operation* find(std::string_view id) {
        Operation* found = findOperation(root_, id);
        return found != nullptr && found->recorded() ? found : nullptr;
    }
    [[nodiscard]] const Operation* find(std::string_view id) const {
        return const_cast<ExecutionState*>(this)->find(id);
    }

    /// When the world next has to do something to this execution, or empty.
    [[nodiscard]] std::optional<TimePoint> nextDue() const {
        if (timers_.empty()) return std::nullopt;
        return timers_.begin()->first.first;
    }

    /// The operation whose time came first, if that is not after `now`; else null.
    [[nodiscard]] const Operation* due(TimePoint now) const {
        if (timers_.empty() || timers_.begin()->first.first > now) return nullptr;
        return timers_.begin()->second;
    }

    /// Adds one entry. Entries come from `apply`, or from a store that got them from there.
    /// \throws std::invalid_argument if the entry cannot follow what is there: a damaged journal.
    /// \return the operation that changed.
    Operation& fold(const Entry& entry) {
        ++entryCount_;
        Operation& operation = placeOf(entry);
        disarm(operation);
        if (isOpenInvoke(operation)) --openInvokes_;
        switch (entry.kind) {
            case EntryKind::started: start(operation, entry); break;
            case EntryKind::retried:
                if (!operation.recorded()) start(operation, entry);
                operation.status = OperationStatus::pending;
                operation.attempt = entry.attempt;
                operation.due = entry.time + entry.delay.value_or(std::chrono::seconds{0});
                keepOutcome(operation, entry);
                break;
            case EntryKind::becameReady:
                operation.status = OperationStatus::ready;
                operation.due.reset();
                break;
            case EntryKind::heartbeat:
                if (operation.details && operation.details->heartbeatTimeout) {
                    operation.details->heartbeatDue =
                        entry.time + *operation.details->heartbeatTimeout;
                }
                break;
            case EntryKind::succeeded: end(operation, OperationStatus::succeeded, entry); break;
            case EntryKind::failed: end(operation, OperationStatus::failed, entry); break;
            case EntryKind::timedOut: end(operation, OperationStatus::timedOut, entry); break;
            case EntryKind::cancelled: end(operation, OperationStatus::cancelled, entry); break;
            case EntryKind::stopped: end(operation, OperationStatus::stopped, entry); break;
            case EntryKind::invocationCompleted:
                ++invocationCount_;
                openInvocation_.reset();
                break;
        }
        if (!openInvocation_ && isByHandler(entry, operation)) openInvocation_ = entry.time;
        arm(operation);
        if (isOpenInvoke(operation)) ++openInvokes_;
        return operation;
    }

    /// Frees what lies under a context that has ended with its result: no replay asks for it. Only
    /// if all of that are steps and contexts that have ended, which nobody outside knows.
    void forgetBelow(Operation& ended) {
        if (ended.type != OperationType::context || !isTerminal(ended.status)) return;
        if (ended.replayChildren || ended.children.empty() || !isForgettable(ended)) return;
        ended.children.clear();
        ended.children.shrink_to_fit();
        ended.childrenForgotten = true;
    }

private:
    using TimerKey = std::pair<TimePoint, std::uint64_t>;

    Operation& placeOf(const Entry& entry) {
        Operation* place = &root_;
        const bool valid = forEachNumber(entry.operationId, [&](std::uint32_t number) {
            if (place->childrenForgotten) damaged("entry inside an ended operation", entry);
            place = &place->place(number);
            return true;
        });
        if (!valid) damaged("impossible operation", entry);
        requirePossible(*place, entry);
        return *place;
    }

    /// What `apply` grants: only that is in a journal which is not damaged.
    void requirePossible(const Operation& operation, const Entry& entry) const {
        const bool isRoot = &operation == &root_;
        if (entry.kind == EntryKind::invocationCompleted) return;
        if (!isRoot && !root_.recorded()) damaged("entry before the start", entry);
        if (isTerminal(operation.status)) damaged("entry after the end of operation", entry);
        const bool closes = entry.kind == EntryKind::succeeded || entry.kind == EntryKind::failed;
        const bool mayBegin = entry.kind == EntryKind::started ||
                              entry.kind == EntryKind::retried || (closes && !isRoot);
        if (!operation.recorded() && !mayBegin) damaged("entry without a started operation", entry);
        const auto type = operation.recorded() ? operation.type : entry.type;
        if (isRoot != (type == OperationType::execution)) damaged("impossible type", entry);
        if (!mayHappen(entry.kind, type, operation.status)) damaged("impossible entry", entry);
    }

    /// Whether that may happen to an operation that has not ended.
    [[nodiscard]] static bool mayHappen(EntryKind kind, OperationType type,
                                        OperationStatus status) {
        const bool isFresh = status == OperationStatus::none;
        const bool isStarted = status == OperationStatus::started;
        const bool isReady = status == OperationStatus::ready;
        const bool isStep = type == OperationType::step;
        const bool isCallback = type == OperationType::callback;
        const bool isInvoke = type == OperationType::chainedInvoke;
        const bool isExecution = type == OperationType::execution;
        const bool closable = isStarted || (isStep && (isFresh || isReady)) ||
                              (type == OperationType::context && isFresh);
        switch (kind) {
            case EntryKind::started: return isFresh || (isStep && isReady);
            case EntryKind::succeeded: return closable;
            case EntryKind::failed: return closable && type != OperationType::wait;
            case EntryKind::retried: return isStep && closable;
            case EntryKind::becameReady: return status == OperationStatus::pending;
            case EntryKind::heartbeat: return isCallback && isStarted;
            case EntryKind::timedOut: return (isExecution || isCallback || isInvoke) && isStarted;
            case EntryKind::cancelled:
                return (type == OperationType::wait || isInvoke) && isStarted;
            case EntryKind::stopped: return (isExecution || isInvoke) && isStarted;
            case EntryKind::invocationCompleted: return true;
        }
        return false;
    }

    [[noreturn]] static void damaged(const char* what, const Entry& entry) {
        throw std::invalid_argument{std::string{what} + ": " + entry.operationId};
    }

    /// Whether the handler did it, and not the world.
    [[nodiscard]] bool isByHandler(const Entry& entry, const Operation& operation) const {
        if (&operation == &root_) return false;
        switch (entry.kind) {
            case EntryKind::started:
            case EntryKind::retried: return true;
            case EntryKind::succeeded:
            case EntryKind::failed: return !isNews(entry.kind, operation.type);
            default: return false;
        }
    }

    void start(Operation& operation, const Entry& entry) {
        const bool firstAttempt = !operation.recorded();
        operation.status = OperationStatus::started;
        operation.due.reset();
        if (!firstAttempt) return;

        operation.type = entry.type;
        operation.subType = entry.subType;
        operation.name = entry.name;
        operation.startTime = entry.time;
        operation.replayChildren = entry.replayChildren;
        if (&operation == &root_) input_ = entry.payload;
        if (entry.type == OperationType::context) operation.result = entry.payload;
        const bool waits = entry.type == OperationType::wait ||
                           entry.type == OperationType::callback ||
                           entry.type == OperationType::execution;
        if (waits && entry.delay) operation.due = entry.time + *entry.delay;
        if (entry.type != OperationType::callback && entry.type != OperationType::chainedInvoke) {
            return;
        }
        auto& details = operation.withDetails();
        const auto& recorded = entry.details.orDefault();
        details.callbackId = recorded.callbackId;
        details.handlerName = recorded.handlerName;
        details.tenantId = recorded.tenantId;
        if (entry.type == OperationType::chainedInvoke) operation.result = entry.payload;
        details.heartbeatTimeout = recorded.heartbeatTimeout;
        if (recorded.heartbeatTimeout) {
            details.heartbeatDue = entry.time + *recorded.heartbeatTimeout;
        }
    }

    void end(Operation& operation, OperationStatus status, const Entry& entry) {
        if (!operation.recorded()) start(operation, entry);
        operation.status = status;
        operation.endTime = entry.time;
        operation.due.reset();
        if (operation.details) operation.details->heartbeatDue.reset();
        if (entry.attempt > 0) operation.attempt = entry.attempt;
        if (entry.replayChildren) operation.replayChildren = true;
        keepOutcome(operation, entry);
        if (operation.type == OperationType::context || &operation == &root_)
            dropTimersBelow(operation);
    }

    static void keepOutcome(Operation& operation, const Entry& entry) {
        operation.result = entry.payload;
        operation.error = entry.error;
    }

    static std::optional<TimePoint> timeOf(const Operation& operation) {
        if (isTerminal(operation.status) || operation.status == OperationStatus::ready) return {};
        auto time = operation.due;
        if (operation.details && operation.details->heartbeatDue) {
            const auto heartbeat = *operation.details->heartbeatDue;
            time = time ? std::min(*time, heartbeat) : heartbeat;
        }
        return time;
    }

    void arm(Operation& operation) {
        const auto time = timeOf(operation);
        if (!time) return;
        for (const Operation* at = operation.parent; at != nullptr; at = at->parent) {
            if (isTerminal(at->status)) return;  // never awaited again
        }
        timers_.emplace(TimerKey{*time, entryCount_}, &operation);
    }

    void disarm(const Operation& operation) {
        const auto time = timeOf(operation);
        if (!time) return;
        for (auto timer = timers_.lower_bound({*time, 0});
             timer != timers_.end() && timer->first.first == *time; ++timer) {
            if (timer->second == &operation) {
                timers_.erase(timer);
                return;
            }
        }
    }

    [[nodiscard]] static bool isForgettable(const Operation& parent) {
        return std::ranges::all_of(parent.children, [](const auto& child) {
            if (!child) return true;
            const bool isOwn =
                child->type == OperationType::step || child->type == OperationType::context;
            const bool isOver = !child->recorded() || (isOwn && isTerminal(child->status));
            return isOver && isForgettable(*child);
        });
    }

    /// What lies under a context that has ended is never awaited again.
    void dropTimersBelow(const Operation& ended) {
        if (timers_.empty()) return;
        std::vector<const Operation*> left{&ended};
        while (!left.empty()) {
            const auto* operation = left.back();
            left.pop_back();
            disarm(*operation);
            for (const auto& child : std::views::reverse(operation->children)) {
                if (child) left.push_back(child.get());
            }
        }
    }

    Operation root_{};
    std::optional<std::string> input_{};
    std::uint64_t entryCount_{};
    std::uint64_t openInvokes_{};
    std::uint64_t invocationCount_{};
    std::optional<TimePoint> openInvocation_{};
    std::map<TimerKey, Operation*> timers_{};  // by time, then by the entry that set them
};

}  // namespace durable::inline v0
