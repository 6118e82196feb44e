// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace durable::inline v0 {

/// How a piece of code ended: nothing yet, a value, or an exception.
template <class T>
class Outcome {
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    /// Keeps what `call` returns or throws.
    template <class Call>
    void capture(Call&& call) noexcept {
        try {
            if constexpr (std::is_void_v<T>) {
                std::forward<Call>(call)();
                setValue();
            } else {
                setValue(std::forward<Call>(call)());
            }
        } catch (...) {
            setException(std::current_exception());
        }
    }

    template <class... Args>
    void setValue(Args&&... args) {
        state_.template emplace<1>(std::forward<Args>(args)...);
    }

    void setException(std::exception_ptr exception) noexcept {
        state_.template emplace<2>(std::move(exception));
    }

    [[nodiscard]] bool succeeded() const noexcept { return state_.index() == 1; }
    [[nodiscard]] std::exception_ptr exception() const noexcept {
        return state_.index() == 2 ? std::get<2>(state_) : nullptr;
    }

    /// The value, if it `succeeded`.
    [[nodiscard]] const Value& value() const { return std::get<1>(state_); }

    /// The value, moved out, or the exception, thrown. Call once, after the end.
    T take() {
        if (auto failure = exception()) std::rethrow_exception(failure);
        if constexpr (!std::is_void_v<T>) return std::move(std::get<1>(state_));
    }

private:
    std::variant<std::monostate, Value, std::exception_ptr> state_;
};

}  // namespace durable::inline v0
