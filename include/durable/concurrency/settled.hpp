// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace durable::inline v0 {

/// How one operation of `allSettled` ended.
template <class T>
class Settled {
public:
    /// A `void` operation gives `std::monostate`.
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    explicit Settled(Value value) : value_{std::move(value)} {}
    explicit Settled(ErrorObject error) : error_{std::move(error)} {}

    [[nodiscard]] bool succeeded() const noexcept { return value_.has_value(); }

    /// Empty if the operation failed.
    [[nodiscard]] const std::optional<Value>& value() const noexcept { return value_; }

    /// What was recorded of the failure: `type` is the class of the exception, such as
    /// `StepError`. Empty if the operation succeeded.
    [[nodiscard]] const std::optional<ErrorObject>& error() const noexcept { return error_; }

    /// The value. \throws CombinatorError if the operation failed.
    [[nodiscard]] const Value& get() const {
        if (!value_) throw CombinatorError{error_.value_or(ErrorObject{})};
        return *value_;
    }

private:
    std::optional<Value> value_;
    std::optional<ErrorObject> error_;
};

namespace detail {

/// What an operation contributes to the result of several.
template <class T>
using Combined = typename Settled<T>::Value;

/// `T` if all are the same, else a variant with a place for each.
template <class First, class... Rest>
using OneOf = std::conditional_t<(std::is_same_v<First, Rest> && ...), First,
                                 std::variant<Combined<First>, Combined<Rest>...>>;

/// The results of a vector of operations.
template <class T, class List>
using ListOf = std::conditional_t<std::is_void_v<T>, void, List>;

}  // namespace detail

}  // namespace durable::inline v0
