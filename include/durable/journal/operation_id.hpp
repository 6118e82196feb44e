// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/operation.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

/// \file
/// An operation's id as text: the numbers on the way from the root, such as "1-4-2". Empty for the
/// execution itself. Positions inside, text at the edge.

namespace durable::inline v0 {

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
/// \return false if `id` is not an operation id.
template <class Visit>
bool forEachNumber(std::string_view id, Visit visit) {
    const char* at = id.data();
    const char* const end = at + id.size();
    while (at != end) {
        std::uint32_t number = 0;
        const auto read = std::from_chars(at, end, number);
        if (read.ec != std::errc{} || *at == '0') return false;
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
