// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/boxed.hpp>
#include <durable/base/clock.hpp>
#include <durable/base/error_object.hpp>
#include <durable/journal/entry.hpp>
#include <durable/journal/operation.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace durable::inline v0 {

/// What someone wants to happen to an operation.
enum class OperationAction : std::uint8_t {
    // by the handler
    start,
    succeed,
    fail,
    retry,
    cancel,
    // by the world
    becomeReady,
    timeOut,
    stop,
    heartbeat,
    completeInvocation,
};

/// A request to change one operation. `apply` makes an entry of it, or refuses it.
struct OperationUpdate {
    OperationAction action{OperationAction::start};
    std::string operationId{};  ///< empty: the execution itself
    OperationType type{OperationType::execution};

    OperationSubType subType{OperationSubType::none};
    std::string parentId{};
    std::string name{};
    Boxed<EntryDetails> details{};
    std::optional<std::chrono::seconds> delay{};
    std::optional<std::string> payload{};
    Boxed<ErrorObject> error{};
    bool replayChildren{};
};

}  // namespace durable::inline v0
