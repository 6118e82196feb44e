// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>
#include <durable/base/error_object.hpp>
#include <durable/journal/execution_state.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// \file
/// What the hooks of plugins are told. Values that may be copied and kept, except
/// `OperationsView`.

namespace durable::inline v0 {

/// Which execution a hook is about.
struct ExecutionInfo {
    std::string arn{};  ///< see `executionArn`
    std::int64_t id{};
    std::string name{};
    std::string handlerName{};
    std::string tenantId{};              ///< empty if it has none
    std::optional<std::string> input{};  ///< as it is recorded
    TimePoint startTime{};
};

/// One operation at the moment of a hook.
struct OperationInfo {
    std::shared_ptr<const ExecutionInfo> execution{};
    std::string id{};
    std::string name{};  ///< empty if it has none
    OperationType type{OperationType::step};
    OperationSubType subType{OperationSubType::none};
    std::string parentId{};  ///< the nearest recorded context; empty: the execution itself
    OperationStatus status{OperationStatus::none};
    TimePoint startTime{};
    std::optional<TimePoint> endTime{};
    std::optional<std::string> result{};  ///< as it is recorded; of an operation that succeeded
    std::optional<ErrorObject> error{};   ///< of one that failed, or whose last attempt did

    /// Of steps and conditions: the number of the attempt that runs or ran last, from 1.
    std::optional<std::uint32_t> attempt{};

    /// Whether the hook tells of something that an earlier invocation, or the world between two
    /// invocations, has recorded.
    bool isReplay{};
};

namespace detail {

[[nodiscard]] inline std::string recordedParentOf(const Operation& operation) {
    const Operation* parent = operation.parent;
    while (parent->parent != nullptr && !parent->recorded()) parent = parent->parent;
    return operationIdOf(*parent);
}

[[nodiscard]] inline OperationInfo infoOf(std::shared_ptr<const ExecutionInfo> execution,
                                          const Operation& operation, bool isReplay) {
    OperationInfo info;
    info.execution = std::move(execution);
    info.id = operationIdOf(operation);
    info.name = operation.name;
    info.type = operation.type;
    info.subType = operation.subType;
    info.parentId = recordedParentOf(operation);
    info.status = operation.status;
    info.startTime = operation.startTime;
    const bool ended = isTerminal(operation.status);
    if (ended) info.endTime = operation.endTime;
    if (operation.status == OperationStatus::succeeded) info.result = operation.result;
    if (operation.error) info.error = *operation.error;
    if (operation.type == OperationType::step) {
        const bool waits = operation.status == OperationStatus::pending;
        info.attempt = operation.attempt + (ended || waits ? 0 : 1);
    }
    info.isReplay = isReplay;
    return info;
}

}  // namespace detail

/// All recorded operations of an execution. Valid during the hook only; made when it is asked for.
class OperationsView {
public:
    OperationsView(std::shared_ptr<const ExecutionInfo> execution, const ExecutionState& state)
        : execution_{std::move(execution)}, state_{&state} {}

    [[nodiscard]] std::optional<OperationInfo> find(std::string_view id) const {
        const auto* operation = id.empty() ? nullptr : state_->find(id);
        if (operation == nullptr) return std::nullopt;
        return detail::infoOf(execution_, *operation, false);
    }

    /// By id. Takes time in proportion to the operations.
    [[nodiscard]] std::map<std::string, OperationInfo> all() const {
        std::map<std::string, OperationInfo> found;
        visit(state_->root(), [&](const Operation& operation) {
            auto info = detail::infoOf(execution_, operation, false);
            auto id = info.id;
            found.emplace(std::move(id), std::move(info));
        });
        return found;
    }

    /// Takes time in proportion to the operations.
    [[nodiscard]] std::size_t size() const {
        std::size_t count = 0;
        visit(state_->root(), [&](const Operation&) { ++count; });
        return count;
    }

private:
    template <class Visitor>
    static void visit(const Operation& parent, const Visitor& visitor) {
        for (const auto& child : parent.children) {
            if (!child) continue;
            if (child->recorded()) visitor(*child);
            visit(*child, visitor);
        }
    }

    std::shared_ptr<const ExecutionInfo> execution_;
    const ExecutionState* state_;
};

/// One pass of a handler over its journal.
struct InvocationInfo {
    std::shared_ptr<const ExecutionInfo> execution{};

    /// As the history tells it. Unique among the invocations of the store; an invocation that died
    /// before it recorded anything has the same one as that which repeats it.
    std::string requestId{};

    /// Whether no earlier invocation has recorded anything.
    bool isFirstInvocation{};

    OperationsView operations;

    /// By id: what the world has changed since the last invocation ended, such as a wait whose time
    /// has come or a callback that was completed.
    std::map<std::string, OperationInfo> updatedOperations{};
};

enum class InvocationStatus {
    succeeded,  ///< the execution has ended with a result
    failed,     ///< the execution has ended without one
    pending,    ///< the execution waits for the world; another invocation will follow
    retrying,   ///< the engine stopped, or the journal could not be written: it will be repeated
};

struct InvocationEndInfo {
    InvocationInfo invocation;
    InvocationStatus status{InvocationStatus::pending};
    std::optional<std::string> result{};  ///< as it is recorded
    std::optional<ErrorObject> error{};
};

/// One run of the body of a step or of the check of a condition.
struct AttemptInfo {
    /// As it was when the attempt began. `isReplay` tells whether an earlier invocation has
    /// recorded the operation.
    OperationInfo operation{};
    std::uint32_t attempt{};  ///< from 1
    TimePoint startTime{};

    /// Whether the body never runs again in this attempt: `StepSemantics::atMostOncePerRetry`.
    bool atMostOnce{};
};

enum class AttemptOutcome { succeeded, failed };

struct AttemptEndInfo {
    AttemptInfo attempt{};
    AttemptOutcome outcome{AttemptOutcome::succeeded};
    TimePoint endTime{};
    std::optional<ErrorObject> error{};
};

/// One run of the code of a child context, or of an item or branch of a batch.
struct ChildContextInfo {
    OperationInfo operation{};

    /// Whether an earlier invocation has recorded operations inside: the code runs over them.
    bool isReplayingChildren{};
};

struct ChildContextEndInfo {
    ChildContextInfo context{};
    AttemptOutcome outcome{AttemptOutcome::succeeded};
    std::optional<ErrorObject> error{};
};

/// What one write to the journal has changed.
struct OperationChangeInfo {
    std::shared_ptr<const ExecutionInfo> execution{};
    std::map<std::string, OperationInfo> updatedOperations{};  ///< by id, as they were written
    OperationsView operations;
};

[[nodiscard]] constexpr std::string_view toString(InvocationStatus status) {
    switch (status) {
        case InvocationStatus::succeeded: return "SUCCEEDED";
        case InvocationStatus::failed: return "FAILED";
        case InvocationStatus::pending: return "PENDING";
        case InvocationStatus::retrying: return "RETRYING";
    }
    return "";
}

[[nodiscard]] constexpr std::string_view toString(AttemptOutcome outcome) {
    return outcome == AttemptOutcome::succeeded ? "SUCCEEDED" : "FAILED";
}

}  // namespace durable::inline v0
