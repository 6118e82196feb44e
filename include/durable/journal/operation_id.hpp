// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/operation.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// \file
/// An operation's id as text: the numbers on the way from the root, such as "1-4-2". Empty for the
/// execution itself. Positions inside, text at the edge.

namespace durable::inline v0 {

/// The most operations that one context has, and items that one batch has.
inline constexpr std::uint32_t operationNumberMax = 10'000'000;

/// The most contexts inside each other, the execution and flat ones included. An item of a batch
/// may lie one deeper.
inline constexpr std::size_t contextDepthMax = 1000;

/// How many contexts an operation lies in.
[[nodiscard]] inline std::size_t depthOf(const Operation& operation) {
    std::size_t depth = 0;
    for (const auto* at = operation.parent; at != nullptr; at = at->parent) ++depth;
    return depth;
}

[[nodiscard]] inline std::string operationIdOf(const Operation& operation) {
    if (operation.parent == nullptr) return {};
    auto id = operationIdOf(*operation.parent);
    if (!id.empty()) id += '-';
    char digits[10];
    const auto end = std::to_chars(digits, digits + sizeof digits, operation.number).ptr;
    id.append(digits, end);
    return id;
}

/// Calls `visit` with each number of `id` in turn, as long as it returns true.
/// \return false if `id` is not an operation id, or one that no operation can have.
template <class Visit>
bool forEachNumber(std::string_view id, Visit visit) {
    const char* at = id.data();
    const char* const end = at + id.size();
    for (std::size_t depth = 0; at != end; ++depth) {
        std::uint32_t number = 0;
        const auto read = std::from_chars(at, end, number);
        if (read.ec != std::errc{} || *at == '0') return false;
        if (number > operationNumberMax || depth > contextDepthMax) return false;
        if (!visit(number)) return true;
        at = read.ptr;
        if (at != end && (*at++ != '-' || at == end)) return false;
    }
    return true;
}

/// The operation with that id under `root`, or null.
[[nodiscard]] inline Operation* findOperation(Operation& root, std::string_view id) {
    Operation* found = &root;
    const bool valid = forEachNumber(id, [&](std::uint32_t number) {
        found = found->child(number);
        return found != nullptr;
    });
    return valid ? found : nullptr;
}

}  // namespace durable::inline v0
