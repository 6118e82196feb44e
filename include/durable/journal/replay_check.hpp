// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/operation.hpp>
#include <durable/journal/operation_id.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

/// \file
/// Whether a call is the one that was recorded at its place.

namespace durable::inline v0 {

/// What must be the same on every run: everything else of a call may change.
struct OperationIdentity {
    OperationType type{OperationType::step};
    OperationSubType subType{OperationSubType::step};
    std::string_view name{};
};

/// An operation as an author would call it: `step "reserve-stock"`.
[[nodiscard]] inline std::string describe(const OperationIdentity& identity) {
    const auto word = [&]() -> std::string_view {
        switch (identity.subType) {
            case OperationSubType::none: break;
            case OperationSubType::step: return "step";
            case OperationSubType::wait: return "wait";
            case OperationSubType::callback: return "createCallback";
            case OperationSubType::chainedInvoke: return "invoke";
            case OperationSubType::runInChildContext: return "runInChildContext";
            case OperationSubType::map: return "map";
            case OperationSubType::mapIteration: return "item of a map";
            case OperationSubType::parallel: return "parallel";
            case OperationSubType::parallelBranch: return "branch of a parallel";
            case OperationSubType::waitForCallback: return "waitForCallback";
            case OperationSubType::waitForCondition: return "waitForCondition";
        }
        return "operation";
    }();
    if (identity.name.empty()) return fmt::format("{} without a name", word);
    return fmt::format("{} \"{}\"", word, identity.name);
}

/// What an author is told of a call that is not the one recorded as operation `id`.
[[nodiscard]] inline std::string otherCall(std::string_view id, const OperationIdentity& recorded,
                                           const OperationIdentity& requested) {
    return fmt::format(
        "Replay left the recorded path at operation {}.\n"
        "  recorded:  {}\n"
        "  requested: {}\n"
        "Outside steps, a handler must make the same calls in the same order on every run.\n"
        "Usual causes: the handler was changed, or it read a clock, a random number or an\n"
        "unordered container outside a step.",
        id, describe(recorded), describe(requested));
}

/// Empty if `requested` is what was recorded, or nothing was recorded; else what an author is told.
[[nodiscard]] inline std::optional<std::string> mismatch(const Operation& recorded,
                                                         const OperationIdentity& requested) {
    if (!recorded.recorded()) return std::nullopt;
    if (recorded.type == requested.type && recorded.subType == requested.subType &&
        recorded.name == requested.name) {
        return std::nullopt;
    }
    return otherCall(operationIdOf(recorded),
                     {.type = recorded.type, .subType = recorded.subType, .name = recorded.name},
                     requested);
}

/// Empty if a context that leaves no record of its own (FLAT) is one on replay too, and one that
/// does (NESTED) had a record before there were any inside it; else what an author is told.
[[nodiscard]] inline std::optional<std::string> nestingMismatch(const Operation& place,
                                                                const OperationIdentity& requested,
                                                                bool isVirtual) {
    const bool holdsRecords = std::ranges::any_of(
        place.children, [](const auto& child) { return child && child->recorded(); });
    const bool differs = isVirtual ? place.recorded() : !place.recorded() && holdsRecords;
    if (!differs) return std::nullopt;
    return fmt::format(
        "Replay left the recorded path at operation {0}.\n"
        "  recorded:  {1}, {2}\n"
        "  requested: {1}, {3}\n"
        "The nesting of a batch must be the same on every run.",
        operationIdOf(place), describe(requested), isVirtual ? "NESTED" : "FLAT",
        isVirtual ? "FLAT" : "NESTED");
}

/// What an author is told when a batch gets another number of items than was recorded, or `all`,
/// `allSettled`, `any` or `race` of operations: `things`, which `rule` says must be the same.
[[nodiscard]] inline std::string otherNumber(const Operation& place,
                                             const OperationIdentity& requested,
                                             std::string_view recordedCount,
                                             std::string_view requestedCount,
                                             std::string_view things, std::string_view rule) {
    return fmt::format(
        "Replay left the recorded path at operation {0}.\n"
        "  recorded:  {1} of {2} {4}\n"
        "  requested: {1} of {3} {4}\n"
        "{5}",
        operationIdOf(place), describe(requested), recordedCount, requestedCount, things, rule);
}

/// What an author is told when code inside an operation that has ended asks for an operation that
/// was not recorded, or did not end.
[[nodiscard]] inline std::string missingFromPast(const Operation& place,
                                                 const OperationIdentity& requested) {
    return fmt::format(
        "Replay left the recorded path at operation {}.\n"
        "  recorded:  {}\n"
        "  requested: {}\n"
        "The operation around it has ended, so every call inside it must be in the journal.\n"
        "Usual causes: the handler was changed, or it read a clock, a random number or an\n"
        "unordered container outside a step.",
        operationIdOf(place), place.recorded() ? "not ended" : "nothing", describe(requested));
}

}  // namespace durable::inline v0
