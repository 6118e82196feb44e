// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/base/type_name.hpp>

#include <cstddef>
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

/// Causes of an error that are recorded; those further down are left out.
inline constexpr std::size_t errorCausesMax = 100;

[[nodiscard]] inline ErrorObject errorObjectOf(const std::exception_ptr& exception,
                                               std::size_t causesMax = errorCausesMax);

namespace detail {

/// Adds what `thrown` says of itself, as far as it can, and what it was thrown for
/// (`std::throw_with_nested`).
template <class Thrown>
[[nodiscard]] ErrorObject withDetails(ErrorObject error, const Thrown& thrown,
                                      std::size_t causesMax) {
    error.type = typeName(typeid(thrown).name());
    try {
        if (const auto* details = dynamic_cast<const ErrorDetails*>(&thrown)) {
            if (auto type = details->errorType(); !type.empty()) error.type = std::move(type);
            if (auto data = details->errorData(); !data.empty()) error.data = std::move(data);
        }
    } catch (...) {  // what could not be said is not worth more than what happened
        error.data.reset();
    }
    if (causesMax == 0) return error;
    if (const auto* nested = dynamic_cast<const std::nested_exception*>(&thrown);
        nested != nullptr && nested->nested_ptr()) {
        error.cause =
            std::make_shared<const ErrorObject>(errorObjectOf(nested->nested_ptr(), causesMax - 1));
    }
    return error;
}

[[nodiscard]] inline std::string textOf(const std::exception& exception) {
    const char* text = exception.what();
    return text != nullptr ? text : "";
}

}  // namespace detail

/// What is recorded of `exception`: of a `DurableError` its class, and what was recorded of it as
/// the cause; of any other `std::exception` its type, `what()`, what it says as `ErrorDetails`, and
/// the exception nested in it as the cause; of anything else only that it happened. Throws only if
/// memory runs out.
[[nodiscard]] inline ErrorObject errorObjectOf(const std::exception_ptr& exception,
                                               std::size_t causesMax) {
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
        return detail::withDetails({.message = detail::textOf(error)}, error, causesMax);
    } catch (const ErrorDetails& error) {
        return detail::withDetails({}, error, causesMax);
    } catch (...) {
        return {.message = "Unknown error"};
    }
}

}  // namespace durable::inline v0
