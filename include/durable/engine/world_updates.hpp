// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/invocation.hpp>
#include <durable/journal/execution_arn.hpp>
#include <durable/journal/execution_state.hpp>
#include <durable/journal/operation.hpp>
#include <durable/journal/operation_id.hpp>
#include <durable/journal/operation_update.hpp>
#include <durable/store/store.hpp>

#include <fmt/core.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

/// \file
/// What the world does to operations, as updates: time passes, and invoked executions end.

namespace durable::inline v0 {

/// What happens to an operation whose time has come.
[[nodiscard]] inline OperationUpdate dueUpdate(const Operation& operation, TimePoint now) {
    OperationUpdate update{.operationId = operationIdOf(operation), .type = operation.type};
    const auto timeOut = [&](const char* type, std::string message) {
        update.action = OperationAction::timeOut;
        update.error = ErrorObject{.type = type, .message = std::move(message)};
    };
    switch (operation.type) {
        case OperationType::step: update.action = OperationAction::becomeReady; break;
        case OperationType::wait: update.action = OperationAction::succeed; break;
        case OperationType::callback:
            if (operation.due && *operation.due <= now) {
                timeOut("Callback.Timeout", "Callback timed out");
            } else {
                timeOut("Callback.Heartbeat", "Callback timed out on heartbeat");
            }
            break;
        default: {
            const auto limit = operation.due.value_or(now) - operation.startTime;
            timeOut("Execution.Timeout",
                    fmt::format("Execution timed out after {} seconds.",
                                std::chrono::duration_cast<std::chrono::seconds>(limit).count()));
        }
    }
    return update;
}

/// The invokes that have not ended, in the order of the calls.
[[nodiscard]] inline std::vector<const Operation*> openInvokes(const ExecutionState& state) {
    std::vector<const Operation*> found;
    const auto search = [&](const auto& self, const Operation& at) -> void {
        if (isOpenInvoke(at)) found.push_back(&at);
        for (const auto& child : at.children) {
            if (child) self(self, *child);
        }
    };
    if (state.openInvokes() > 0) search(search, state.root());
    return found;
}

[[nodiscard]] inline ExecutionIdentity identityOf(ExecutionId id, const ExecutionStart& start) {
    return {.id = id,
            .handlerName = start.handlerName,
            .name = start.name,
            .tenantId = start.tenantId,
            .arn = executionArn(start.handlerName, start.name, id)};
}

/// The start of an execution.
[[nodiscard]] inline OperationUpdate startUpdate(const ExecutionStart& start) {
    OperationUpdate update{.action = OperationAction::start,
                           .type = OperationType::execution,
                           .name = start.name,
                           .delay = start.timeout,
                           .payload = start.input};
    if (!start.tenantId.empty()) update.details = EntryDetails{.tenantId = start.tenantId};
    return update;
}

/// What happens to an invoke that cannot be started.
[[nodiscard]] inline OperationUpdate failedInvoke(std::string operationId, const char* type,
                                                  std::string message) {
    return {.action = OperationAction::fail,
            .operationId = std::move(operationId),
            .type = OperationType::chainedInvoke,
            .error = ErrorObject{.type = type, .message = std::move(message)}};
}

/// What the list of executions says of one that suspends. With an open invoke it counts as
/// running: the next engine then makes sure that the invoked execution exists.
[[nodiscard]] inline Suspension suspensionOf(const ExecutionState& state, bool wakeAgain) {
    if (wakeAgain || state.openInvokes() > 0) return {};
    return {.waiting = true, .wakeAt = state.nextDue()};
}

/// How an execution ended, as its state tells.
[[nodiscard]] inline ExecutionEnd endOf(const ExecutionState& state) {
    const auto& root = state.root();
    ExecutionEnd end{
        .status = state.status(), .result = root.result, .error = {}, .endTime = root.endTime};
    if (root.error) end.error = *root.error;
    return end;
}

/// What the end of an invoked execution does to the operation that invoked it.
[[nodiscard]] inline OperationUpdate invokeUpdate(const ExecutionRecord& child) {
    OperationUpdate update{.operationId = child.start.invokerOperation,
                           .type = OperationType::chainedInvoke};
    const auto& end = *child.end;
    switch (end.status) {
        case ExecutionStatus::succeeded:
            update.action = OperationAction::succeed;
            update.payload = end.result;
            return update;
        case ExecutionStatus::timedOut: {
            const auto limit = child.start.timeout.value_or(std::chrono::seconds{0});
            update.action = OperationAction::timeOut;
            update.error =
                ErrorObject{.type = "ChainedInvoke.Timeout",
                            .message = fmt::format("CHAINED_INVOKE timed out after {} seconds.",
                                                   limit.count())};
            return update;
        }
        case ExecutionStatus::stopped: update.action = OperationAction::stop; break;
        default: update.action = OperationAction::fail;
    }
    update.error = end.error;
    return update;
}

}  // namespace durable::inline v0
