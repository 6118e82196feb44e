// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

/// \file
/// From a caught exception to the error that is recorded.

namespace durable::inline v0 {

/// The name of a type as its author wrote it, with its namespace, from `type_info::name()`. The
/// library's own inline namespace is left out: it is a version, not part of a name.
[[nodiscard]] inline std::string typeName(const char* mangled) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled{
        abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free};
    std::string name = status == 0 ? demangled.get() : mangled;
    constexpr std::string_view version = "durable::v0::";
    for (auto at = name.find(version); at != std::string::npos; at = name.find(version)) {
        name.erase(at + 9, version.size() - 9);
    }
    return name;
}

/// What is recorded of `exception`: of a `DurableError` its class and what was recorded of it as
/// the cause; of a `std::exception` its type and `what()`; of anything else only that it happened.
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
        return {.type = typeName(typeid(error).name()), .message = error.what()};
    } catch (...) {
        return {.message = "Unknown error"};
    }
}

}  // namespace durable::inline v0
