// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// \file
/// An error as data: what the journal stores of an exception, and what an exception is rebuilt
/// from, so that the first run and every replay see the same error.

namespace durable::inline v0 {

/// An error as it is recorded. Source: AWS Lambda API, ErrorObject; every member may be absent.
struct ErrorObject {
    std::optional<std::string> type{};     ///< name of the exception type; absent if it had none
    std::optional<std::string> message{};  ///< for people
    std::optional<std::string> data{};     ///< for programs; opaque text
    std::vector<std::string> stackTrace{};

    /// The error that led to this one, or null. Shared, because errors are copied and never
    /// changed.
    std::shared_ptr<const ErrorObject> cause{};

    [[nodiscard]] std::string messageOr(const std::string& fallback) const {
        return message.value_or(fallback);
    }

    friend bool operator==(const ErrorObject& left, const ErrorObject& right) {
        if (left.type != right.type || left.message != right.message || left.data != right.data ||
            left.stackTrace != right.stackTrace) {
            return false;
        }
        if (!left.cause || !right.cause) return left.cause == right.cause;
        return *left.cause == *right.cause;
    }
};

}  // namespace durable::inline v0
