// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/base/type_name.hpp>

#include <exception>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

/// \file
/// From a caught exception to the error that is recorded.

namespace durable::inline v0 {

/// Says what is recorded of an exception of your own, beside its `what()`. Derive from it as well:
///
///     struct HotelFull : std::runtime_error, durable::ErrorDetails {
///         explicit HotelFull(const std::string& city);
///         std::string errorType() const override { return "Hotel.Full"; }
///         std::string errorData() const override { return R"({"city":"oslo"})"; }
///     };
///
/// The names are part of what is recorded: whoever waits for the execution sees them, in another
/// program or after the class was renamed.
class ErrorDetails {
public:
    ErrorDetails() = default;
    ErrorDetails(const ErrorDetails&) = default;
    ErrorDetails& operator=(const ErrorDetails&) = default;
    virtual ~ErrorDetails() = default;

    /// Recorded as `ErrorObject::type`. Empty: the name of the class with its namespace.
    [[nodiscard]] virtual std::string errorType() const { return {}; }

    /// Recorded as `ErrorObject::data`: text for programs, such as JSON. Empty: none.
    [[nodiscard]] virtual std::string errorData() const { return {}; }
};

[[nodiscard]] inline ErrorObject errorObjectOf(const std::exception_ptr& exception);

namespace detail {

/// Adds what `thrown` says of itself, and what it was thrown for (`std::throw_with_nested`).
template <class Thrown>
[[nodiscard]] ErrorObject withDetails(ErrorObject error, const Thrown& thrown) {
    error.type = typeName(typeid(thrown).name());
    if (const auto* details = dynamic_cast<const ErrorDetails*>(&thrown)) {
        if (auto type = details->errorType(); !type.empty()) error.type = std::move(type);
        if (auto data = details->errorData(); !data.empty()) error.data = std::move(data);
    }
    if (const auto* nested = dynamic_cast<const std::nested_exception*>(&thrown);
        nested != nullptr && nested->nested_ptr()) {
        error.cause = std::make_shared<const ErrorObject>(errorObjectOf(nested->nested_ptr()));
    }
    return error;
}

}  // namespace detail

/// What is recorded of `exception`: of a `DurableError` its class, and what was recorded of it as
/// the cause; of any other `std::exception` its type, `what()`, what it says as `ErrorDetails`, and
/// the exception nested in it as the cause; of anything else only that it happened.
[[nodiscard]] inline ErrorObject errorObjectOf(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const DurableError& error) {
        return {.type = error.name(),
                .message = error.what(),
                .data = error.error().data,
                .cause = std::make_shared<const ErrorObject>(error.error())};
    } catch (const StepInterruptedError& error) {
        return {.type = "StepInterruptedError", .message = error.what()};
    } catch (const std::exception& error) {
        return detail::withDetails({.message = error.what()}, error);
    } catch (const ErrorDetails& error) {
        return detail::withDetails({}, error);
    } catch (...) {
        return {.message = "Unknown error"};
    }
}

}  // namespace durable::inline v0
