// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/execution_status.hpp>
#include <durable/journal/operation.hpp>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

/// \file
/// The one place where the library's enumerators become AWS's spelling and back.

namespace durable::inline v0 {

namespace detail {

template <class Enum>
struct NamesOf;

template <>
struct NamesOf<OperationType> {
    using enum OperationType;
    static constexpr std::array<std::pair<OperationType, std::string_view>, 6> names{{
        {execution, "EXECUTION"},
        {context, "CONTEXT"},
        {step, "STEP"},
        {wait, "WAIT"},
        {callback, "CALLBACK"},
        {chainedInvoke, "CHAINED_INVOKE"},
    }};
};

template <>
struct NamesOf<OperationSubType> {
    using enum OperationSubType;
    static constexpr std::array<std::pair<OperationSubType, std::string_view>, 12> names{{
        {none, ""},
        {step, "Step"},
        {wait, "Wait"},
        {callback, "Callback"},
        {chainedInvoke, "ChainedInvoke"},
        {runInChildContext, "RunInChildContext"},
        {map, "Map"},
        {mapIteration, "MapIteration"},
        {parallel, "Parallel"},
        {parallelBranch, "ParallelBranch"},
        {waitForCallback, "WaitForCallback"},
        {waitForCondition, "WaitForCondition"},
    }};
};

template <>
struct NamesOf<OperationStatus> {
    using enum OperationStatus;
    static constexpr std::array<std::pair<OperationStatus, std::string_view>, 9> names{{
        {none, ""},
        {started, "STARTED"},
        {pending, "PENDING"},
        {ready, "READY"},
        {succeeded, "SUCCEEDED"},
        {failed, "FAILED"},
        {cancelled, "CANCELLED"},
        {timedOut, "TIMED_OUT"},
        {stopped, "STOPPED"},
    }};
};

template <>
struct NamesOf<ExecutionStatus> {
    using enum ExecutionStatus;
    static constexpr std::array<std::pair<ExecutionStatus, std::string_view>, 5> names{{
        {running, "RUNNING"},
        {succeeded, "SUCCEEDED"},
        {failed, "FAILED"},
        {timedOut, "TIMED_OUT"},
        {stopped, "STOPPED"},
    }};
};

template <>
struct NamesOf<EntryKind> {
    using enum EntryKind;
    static constexpr std::array<std::pair<EntryKind, std::string_view>, 10> names{{
        {started, "started"},
        {succeeded, "succeeded"},
        {failed, "failed"},
        {retried, "retried"},
        {becameReady, "ready"},
        {timedOut, "timedOut"},
        {cancelled, "cancelled"},
        {stopped, "stopped"},
        {heartbeat, "heartbeat"},
        {invocationCompleted, "invocationCompleted"},
    }};
};

}  // namespace detail

template <class Enum>
[[nodiscard]] constexpr std::string_view wireName(Enum value) {
    for (const auto& [candidate, name] : detail::NamesOf<Enum>::names) {
        if (candidate == value) return name;
    }
    return "";
}

template <class Enum>
[[nodiscard]] constexpr std::optional<Enum> fromWireName(std::string_view text) {
    for (const auto& [value, name] : detail::NamesOf<Enum>::names) {
        if (name == text) return value;
    }
    return std::nullopt;
}

}  // namespace durable::inline v0
