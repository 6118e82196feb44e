// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/boxed.hpp>
#include <durable/base/clock.hpp>
#include <durable/base/error_object.hpp>
#include <durable/journal/operation.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace durable::inline v0 {

/// What happened to an operation.
enum class EntryKind : std::uint8_t {
    started,
    succeeded,
    failed,
    retried,      ///< an attempt ended and another one will follow
    becameReady,  ///< the retry delay is over
    timedOut,
    cancelled,
    stopped,
    heartbeat,
    invocationCompleted,  ///< one pass of the handler ended
};

/// Whether the world did that to an operation of that type, and the handler waits for it: the end
/// of a wait, callback or invoke, or that the next attempt of a step is due.
[[nodiscard]] constexpr bool isNews(EntryKind kind, OperationType type) {
    switch (kind) {
        case EntryKind::becameReady: return true;
        case EntryKind::succeeded:
        case EntryKind::failed:
        case EntryKind::timedOut:
        case EntryKind::cancelled:
        case EntryKind::stopped:
            return type == OperationType::wait || type == OperationType::callback ||
                   type == OperationType::chainedInvoke;
        case EntryKind::started:
        case EntryKind::retried:
        case EntryKind::heartbeat:
        case EntryKind::invocationCompleted: return false;
    }
    return false;
}

/// What only some entries have.
struct EntryDetails {
    // Of `started` callbacks and invokes.
    std::string callbackId{};
    std::string handlerName{};
    std::string tenantId{};
    std::optional<std::chrono::seconds> heartbeatTimeout{};

    // Of `invocationCompleted`. Journals of earlier versions have neither.
    std::optional<TimePoint> invocationStart{};
    std::string requestId{};

    friend bool operator==(const EntryDetails&, const EntryDetails&) = default;
};

/// One item of a journal. Never changed once it is written; the operations' current state and the
/// history of events are two readings of the list of entries.
struct Entry {
    EntryKind kind{EntryKind::started};
    TimePoint time{};
    std::string operationId{};  ///< empty: the execution itself

    // Of `started` only.
    OperationType type{OperationType::execution};
    OperationSubType subType{OperationSubType::none};
    std::string parentId{};  ///< the nearest recorded context; empty: the execution
    std::string name{};
    Boxed<EntryDetails> details{};

    /// Length of a wait or of a retry delay; timeout of a callback or of an execution.
    std::optional<std::chrono::seconds> delay{};

    /// Input, result, or state between two attempts; of the start of a batch, or of
    /// operations awaited together, how many they are.
    std::optional<std::string> payload{};
    Boxed<ErrorObject> error{};
    std::uint32_t attempt{};  ///< number of the step's attempt that ended; 0 where it has none
    bool replayChildren{};
};

}  // namespace durable::inline v0
