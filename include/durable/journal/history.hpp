// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/execution_state.hpp>
#include <durable/journal/names.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/serdes/parse_json.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// \file
/// The second reading of a journal: what happened, told as events the way AWS's
/// GetDurableExecutionHistory tells it.

namespace durable::inline v0 {

/// One thing that happened to an execution.
struct HistoryEvent {
    std::uint64_t eventId{};  ///< from 1, without gaps
    std::string eventType{};  ///< such as `StepSucceeded`
    TimePoint time{};
    std::string operationId{};  ///< empty: the execution itself
    std::string parentId{};
    std::string name{};
    std::string subType{};
    nlohmann::json details{};  ///< what AWS's `<eventType>Details` holds
};

namespace detail {

[[nodiscard]] inline std::string_view eventNoun(OperationType type) {
    switch (type) {
        case OperationType::execution: return "Execution";
        case OperationType::context: return "Context";
        case OperationType::step: return "Step";
        case OperationType::wait: return "Wait";
        case OperationType::callback: return "Callback";
        case OperationType::chainedInvoke: return "ChainedInvoke";
    }
    return "";
}

/// The word for what happened, or empty if no event tells it.
[[nodiscard]] inline std::string_view eventVerb(const Entry& entry) {
    switch (entry.kind) {
        case EntryKind::started: return "Started";
        case EntryKind::succeeded: return "Succeeded";
        case EntryKind::failed: return "Failed";
        case EntryKind::retried: return entry.error ? "Failed" : "Succeeded";
        case EntryKind::timedOut: return "TimedOut";
        case EntryKind::cancelled: return "Cancelled";
        case EntryKind::stopped: return "Stopped";
        case EntryKind::becameReady:
        case EntryKind::heartbeat:
        case EntryKind::invocationCompleted: return "";
    }
    return "";
}

[[nodiscard]] inline nlohmann::json wrapped(const std::optional<std::string>& payload) {
    auto json = nlohmann::json::object();
    if (payload) json = {{"Payload", *payload}, {"Truncated", false}};
    return json;
}

[[nodiscard]] inline nlohmann::json wrapped(const ErrorObject& error) {
    std::string json;
    appendJson(json, error);
    return {{"Payload", parseJson(json)}, {"Truncated", false}};
}

/// Seconds since 1970, as AWS's API writes times.
[[nodiscard]] inline double wireTime(TimePoint time) {
    return static_cast<double>(time.time_since_epoch().count()) / 1000;
}

[[nodiscard]] inline nlohmann::json invocationDetails(const Entry& entry) {
    nlohmann::json details{{"EndTimestamp", wireTime(entry.time)}};
    const auto& rare = entry.details.orDefault();
    if (rare.invocationStart) details["StartTimestamp"] = wireTime(*rare.invocationStart);
    if (!rare.requestId.empty()) details["RequestId"] = rare.requestId;
    if (entry.error) details["Error"] = wrapped(*entry.error);
    return details;
}

[[nodiscard]] inline nlohmann::json startDetails(const Entry& entry) {
    auto details = nlohmann::json::object();
    const auto& rare = entry.details.orDefault();
    const auto seconds = [&](const char* key, const auto& value) {
        if (value) details[key] = value->count();
    };
    switch (entry.type) {
        case OperationType::execution:
            details["Input"] = wrapped(entry.payload);
            seconds("ExecutionTimeout", entry.delay);
            break;
        case OperationType::wait: {
            seconds("Duration", entry.delay);
            const auto end = entry.time + entry.delay.value_or(std::chrono::seconds{0});
            details["ScheduledEndTimestamp"] = wireTime(end);
            break;
        }
        case OperationType::callback:
            details["CallbackId"] = rare.callbackId;
            seconds("Timeout", entry.delay);
            seconds("HeartbeatTimeout", rare.heartbeatTimeout);
            break;
        case OperationType::chainedInvoke:
            details["FunctionName"] = rare.handlerName;
            details["Input"] = wrapped(entry.payload);
            details["ExecutedVersion"] = "$LATEST";
            details["DurableExecutionArn"] = "";
            if (!rare.tenantId.empty()) details["TenantId"] = rare.tenantId;
            break;
        default: break;
    }
    return details;
}

[[nodiscard]] inline nlohmann::json endDetails(const Entry& entry, const Operation& operation) {
    auto details = nlohmann::json::object();
    const bool succeeded =
        entry.kind == EntryKind::succeeded || (entry.kind == EntryKind::retried && !entry.error);
    const bool isWait = operation.type == OperationType::wait;
    if (!succeeded && (!isWait || entry.error)) {
        details["Error"] = wrapped(entry.error.value_or(ErrorObject{}));
    } else if (!isWait) {
        details["Result"] = wrapped(entry.payload);
    }
    if (isWait) {
        const auto length = std::chrono::ceil<std::chrono::seconds>(
            operation.due.value_or(operation.startTime) - operation.startTime);
        details["Duration"] = length.count();
    }
    if (operation.type == OperationType::step) {
        details["RetryDetails"]["CurrentAttempt"] = entry.attempt;
        if (entry.kind == EntryKind::retried) {
            details["RetryDetails"]["NextAttemptDelaySeconds"] =
                entry.delay.value_or(std::chrono::seconds{0}).count();
        }
    }
    return details;
}

}  // namespace detail

/// The events of one execution, of all its entries in order.
/// \throws std::exception if the entries are damaged.
[[nodiscard]] inline std::vector<HistoryEvent> historyOf(std::span<const Entry> entries) {
    std::vector<HistoryEvent> events;
    ExecutionState state;
    std::map<std::string, std::string> parentOf;
    for (const auto& entry : entries) {
        if (state.find(entry.operationId) == nullptr)
            parentOf.emplace(entry.operationId, entry.parentId);
        HistoryEvent event;
        event.time = entry.time;
        if (entry.kind == EntryKind::invocationCompleted) {
            event.eventType = "InvocationCompleted";
            event.details = detail::invocationDetails(entry);
            state.fold(entry);
        } else {
            const auto* before = state.find(entry.operationId);
            const auto lasting = before != nullptr ? before->due : std::nullopt;
            auto& operation = state.fold(entry);
            const auto verb = detail::eventVerb(entry);
            if (verb.empty()) continue;
            event.eventType = std::string{detail::eventNoun(operation.type)} + std::string{verb};
            event.operationId = entry.operationId;
            event.parentId = parentOf[entry.operationId];
            event.name = operation.name;
            event.subType = wireName(operation.subType);
            if (entry.kind == EntryKind::started) {
                event.details = detail::startDetails(entry);
            } else {
                const auto kept = std::exchange(operation.due, lasting);
                event.details = detail::endDetails(entry, operation);
                operation.due = kept;
            }
        }
        event.eventId = events.size() + 1;
        events.push_back(std::move(event));
    }
    return events;
}

}  // namespace durable::inline v0
