// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/boxed.hpp>
#include <durable/base/clock.hpp>
#include <durable/base/error_object.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace durable::inline v0 {

enum class OperationType : std::uint8_t { execution, context, step, wait, callback, chainedInvoke };

/// What kind of step or context an operation is.
enum class OperationSubType : std::uint8_t {
    none,
    step,
    wait,
    callback,
    chainedInvoke,
    runInChildContext,
    map,
    mapIteration,
    parallel,
    parallelBranch,
    waitForCallback,
    waitForCondition,
};

enum class OperationStatus : std::uint8_t {
    none,  ///< not recorded: a place in the numbering without an operation
    started,
    pending,  ///< a step between two attempts
    ready,    ///< a step whose next attempt is due
    succeeded,
    failed,
    cancelled,
    timedOut,
    stopped,
};

[[nodiscard]] constexpr bool isTerminal(OperationStatus status) {
    switch (status) {
        case OperationStatus::none:
        case OperationStatus::started:
        case OperationStatus::pending:
        case OperationStatus::ready: return false;
        case OperationStatus::succeeded:
        case OperationStatus::failed:
        case OperationStatus::cancelled:
        case OperationStatus::timedOut:
        case OperationStatus::stopped: return true;
    }
    return false;
}

/// One recorded call, or a place for one, in the tree of an execution's operations.
///
/// Children are found by their number, which counts the calls of one context from 1: dense, so
/// that finding one costs no search.
struct Operation {
    /// What only some operations have.
    struct Details {
        std::string callbackId{};
        std::string handlerName{};  ///< of a chained invoke
        std::string tenantId{};
        std::optional<std::chrono::seconds> heartbeatTimeout{};
        std::optional<TimePoint> heartbeatDue{};
    };

    Operation() = default;
    Operation(Operation* parentOperation, std::uint32_t childNumber)
        : parent{parentOperation}, number{childNumber} {}

    [[nodiscard]] bool recorded() const noexcept { return status != OperationStatus::none; }

    /// The child with that number, or null if there is no place for one yet.
    [[nodiscard]] Operation* child(std::uint32_t childNumber) const noexcept {
        return childNumber <= children.size() ? children[childNumber - 1].get() : nullptr;
    }

    /// The child with that number; makes its place.
    Operation& place(std::uint32_t childNumber) {
        if (childNumber > children.size()) children.resize(childNumber);
        auto& place = children[childNumber - 1];
        if (!place) place = std::make_unique<Operation>(this, childNumber);
        return *place;
    }

    [[nodiscard]] Details& withDetails() {
        if (!details) details = std::make_unique<Details>();
        return *details;
    }

    Operation* parent{};
    std::uint32_t number{};
    std::uint32_t attempt{};  ///< attempts that have ended
    OperationType type{OperationType::execution};
    OperationSubType subType{OperationSubType::none};
    OperationStatus status{OperationStatus::none};
    bool replayChildren{};     ///< the result was too large to keep: the children give it again
    bool childrenForgotten{};  ///< they have ended, and so has this: nothing asks for them
    bool undelivered{};        ///< the handler does not know yet what the world did last
    std::string name{};
    TimePoint startTime{};
    TimePoint endTime{};
    std::optional<TimePoint> due{};       ///< end of a wait or retry delay, or deadline
    std::optional<std::string> result{};  ///< or state between two attempts, or an invoke's input
    Boxed<ErrorObject> error{};
    std::unique_ptr<Details> details{};
    std::vector<std::unique_ptr<Operation>> children{};
};

/// Whether an invoked execution is still to end.
[[nodiscard]] inline bool isOpenInvoke(const Operation& operation) {
    return operation.type == OperationType::chainedInvoke &&
           operation.status == OperationStatus::started;
}

}  // namespace durable::inline v0
