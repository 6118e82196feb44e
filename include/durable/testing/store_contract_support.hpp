// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/names.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/store/store.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// \file
/// What the checks of `store_contract.hpp` share: things to store, and comparing them as text.

namespace durable::inline v0::testing {

/// Opens the store under test: the same one each time within one check, closed and opened again if
/// it can be, and empty the first time. A check holds one at a time.
using Reopen = std::function<std::shared_ptr<Store>()>;

namespace detail {

inline void expectEqual(const std::string& what, const std::string& found,
                        const std::string& expected,
                        std::source_location where = std::source_location::current()) {
    if (found == expected) return;
    throw std::runtime_error{what + "\n  expected: " + expected + "\n  found:    " + found +
                             "\n  in store_contract.hpp, line " + std::to_string(where.line())};
}

/// A record as text that tells all of it, to compare and to print. How an ended execution was
/// suspended says nothing, and stores may forget it.
[[nodiscard]] inline std::string textOf(const std::optional<ExecutionRecord>& record) {
    if (!record) return "none";
    std::string text = "{";
    const auto member = [&](std::string_view key, const std::optional<std::string>& value) {
        if (value) durable::appendJsonMember(text, key, *value);
    };
    const auto time = [](TimePoint at) { return std::to_string(at.time_since_epoch().count()); };
    const auto& start = record->start;
    member("id", std::to_string(record->id));
    member("handler", start.handlerName);
    member("name", start.name);
    member("input", start.input);
    member("start", time(start.startTime));
    if (start.timeout) member("timeout", std::to_string(start.timeout->count()));
    member("tenant", start.tenantId);
    member("invoker", std::to_string(start.invokerExecution) + "/" + start.invokerOperation);
    member("acknowledged", record->endAcknowledged ? "yes" : "no");
    if (const auto& end = record->end) {
        member("status", std::string{wireName(end->status)});
        member("result", end->result);
        member("end", time(end->endTime));
        if (end->error) {
            std::string error;
            appendJson(error, *end->error);
            member("error", error);
        }
    } else {
        member("waiting", record->suspension.waiting ? "yes" : "no");
        if (const auto& wakeAt = record->suspension.wakeAt) member("wakeAt", time(*wakeAt));
    }
    return text + "}";
}

[[nodiscard]] inline std::string textOf(const std::vector<ExecutionRecord>& records) {
    std::string text;
    for (const auto& record : records) text += "\n    " + textOf(std::optional{record});
    return text;
}

[[nodiscard]] inline std::string idsOf(const std::vector<ExecutionRecord>& records) {
    std::string ids;
    for (const auto& record : records) ids += std::to_string(record.id) + " ";
    return ids;
}

[[nodiscard]] inline TimePoint at(std::int64_t milliseconds) {
    return TimePoint{std::chrono::milliseconds{1'795'000'000'000 + milliseconds}};
}

[[nodiscard]] inline Commit started(ExecutionId id, std::string handler, std::string name) {
    return {.execution = id,
            .start = ExecutionStart{.handlerName = std::move(handler),
                                    .name = std::move(name),
                                    .input = "[]",
                                    .startTime = at(id)}};
}

[[nodiscard]] inline Entry stepEntry(EntryKind kind, const std::string& id,
                                     std::optional<std::string> payload = {}) {
    return {.kind = kind,
            .time = at(7),
            .operationId = id,
            .type = OperationType::step,
            .subType = OperationSubType::step,
            .name = "step " + id,
            .payload = std::move(payload)};
}

/// An error with everything that an error can have.
[[nodiscard]] inline ErrorObject fullError() {
    return {.type = "Declined",
            .message = "card \"4711\"\nis declined",
            .data = "{}",
            .stackTrace = {"charge", "settle"},
            .cause = std::make_shared<const ErrorObject>(ErrorObject{.message = "limit"})};
}

/// Awkward text: quotes, controls, a zero byte, one to four bytes per character.
inline const std::string awkward = [] {
    using namespace std::string_literals;
    return "\"\\\n\t\0'; drop table é€𝄞 %s"s;
}();

}  // namespace detail

}  // namespace durable::inline v0::testing
