// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace durable::inline v0 {

/// An optional value that few have: it lies outside its owner, so that the many without one are
/// small. Never changed once it is there, so copies share it.
template <class T>
class Boxed {
public:
    Boxed() = default;
    Boxed(std::nullopt_t) noexcept {}
    Boxed(T value) : value_{std::make_shared<const T>(std::move(value))} {}
    Boxed(std::optional<T> value) {
        if (value) value_ = std::make_shared<const T>(*std::move(value));
    }

    [[nodiscard]] bool has_value() const noexcept { return value_ != nullptr; }
    explicit operator bool() const noexcept { return value_ != nullptr; }
    [[nodiscard]] const T& operator*() const noexcept { return *value_; }
    [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }

    /// \throws std::bad_optional_access if there is none.
    [[nodiscard]] const T& value() const {
        if (!value_) throw std::bad_optional_access{};
        return *value_;
    }

    [[nodiscard]] T value_or(T other) const { return value_ ? *value_ : std::move(other); }

    /// The value, or one that was made by default.
    [[nodiscard]] const T& orDefault() const {
        static const T none{};
        return value_ ? *value_ : none;
    }

    [[nodiscard]] std::optional<T> toOptional() const {
        return value_ ? std::optional<T>{*value_} : std::nullopt;
    }

    void reset() noexcept { value_.reset(); }

    friend bool operator==(const Boxed& left, const Boxed& right) {
        if (!left.value_ || !right.value_) return left.value_ == right.value_;
        return left.value_ == right.value_ || *left.value_ == *right.value_;
    }

private:
    std::shared_ptr<const T> value_;
};

}  // namespace durable::inline v0
