// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <exception>
#include <stdexcept>

/// An exception "outer" that was thrown for another one, and so on, with `causes` below it.
inline std::exception_ptr nestedExceptions(std::size_t causes) {
    auto exception = std::make_exception_ptr(std::runtime_error{"innermost"});
    for (std::size_t i = 0; i < causes; ++i) {
        try {
            try {
                std::rethrow_exception(exception);
            } catch (...) {
                std::throw_with_nested(std::runtime_error{"outer"});
            }
        } catch (...) {
            exception = std::current_exception();
        }
    }
    return exception;
}
