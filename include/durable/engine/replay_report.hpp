// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/context/call_trace.hpp>
#include <durable/coro/outcome.hpp>
#include <durable/journal/names.hpp>
#include <durable/serdes/payload.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// \file
/// What an author is told when a verified replay differs from the run beside it.

namespace durable::inline v0 {

namespace detail {

/// The part of `text` around its first difference from `other`, cut between characters.
[[nodiscard]] inline std::string excerpt(std::string_view text, std::string_view other) {
    constexpr std::size_t before = 40;
    constexpr std::size_t longest = 160;
    const auto isInside = [&](std::size_t at) {
        return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    const auto [differs, unused] = std::ranges::mismatch(text, other);
    const auto at = static_cast<std::size_t>(differs - text.begin());
    std::size_t begin = text.size() > longest && at > before ? at - before : 0;
    while (begin > 0 && isInside(begin)) --begin;
    auto end = std::min(text.size(), begin + longest);
    while (end > begin && isInside(end)) --end;
    return fmt::format("{}{}{}", begin > 0 ? "…" : "", text.substr(begin, end - begin),
                       end < text.size() ? "…" : "");
}

[[nodiscard]] inline std::string describeSeconds(
    std::string_view what, const std::optional<std::chrono::seconds>& seconds) {
    return seconds ? fmt::format(", {} {} s", what, seconds->count()) : std::string{};
}

/// What the start of an operation asks for; `other` is the start that it differs from.
template <class Start, class Other>
[[nodiscard]] std::string describeStart(OperationType type, const Start& start,
                                        const Other& other) {
    if (type == OperationType::wait) return describeSeconds("of", start.delay);
    const auto& details = start.details.orDefault();
    if (type == OperationType::callback) {
        return describeSeconds("timeout", start.delay) +
               describeSeconds("heartbeatTimeout", details.heartbeatTimeout);
    }
    auto text = fmt::format(", of handler \"{}\"", details.handlerName);
    if (!details.tenantId.empty()) text += fmt::format(" for tenant \"{}\"", details.tenantId);
    return text + " with " +
           excerpt(start.payload.value_or("nothing"), other.payload.value_or("nothing"));
}

[[nodiscard]] inline bool sameStart(const Entry& recorded, const OperationUpdate& requested) {
    const auto& details = recorded.details.orDefault();
    const auto& wanted = requested.details.orDefault();  // the callback's id is new each time
    return recorded.delay == requested.delay && recorded.payload == requested.payload &&
           details.heartbeatTimeout == wanted.heartbeatTimeout &&
           details.handlerName == wanted.handlerName && details.tenantId == wanted.tenantId;
}

[[nodiscard]] inline std::string describeError(const ErrorObject& error) {
    return fmt::format("{}: {}", error.type.value_or("an exception"), error.message.value_or(""));
}

/// A call with everything that is compared of it.
[[nodiscard]] inline std::string describeCall(const CallTrace::Call& call) {
    return fmt::format("{} (type {}, subtype {}, parent {}{})", describe(call.identity()),
                       wireName(call.type), wireName(call.subType),
                       call.parentId.empty() ? "none" : call.parentId,
                       call.isVirtual ? ", without a record of its own" : "");
}

[[nodiscard]] inline std::string describeEnd(const Outcome<Payload>& end,
                                             const Outcome<Payload>& other) {
    if (const auto failure = end.exception()) {
        return "threw " + describeError(errorObjectOf(failure));
    }
    const auto text = end.value().value_or("nothing");
    return "returned " +
           excerpt(text, other.succeeded() ? other.value().value_or("nothing") : text);
}

[[nodiscard]] inline std::string replayReport(std::string_view where, std::string_view recorded,
                                              std::string_view requested) {
    return fmt::format(
        "Verified replay left the recorded path at {}.\n"
        "  recorded:  {}\n"
        "  requested: {}\n"
        "The handler was run again over what it had just recorded, and took another way.\n"
        "Outside steps, a handler must make the same calls in the same order on every run.\n"
        "Usual causes: outside a step it read a clock, a random number, an unordered container,\n"
        "an address, a thread id, the environment, a variable without a value, or one that\n"
        "outlives the run.",
        where, recorded, requested);
}

}  // namespace detail

}  // namespace durable::inline v0
