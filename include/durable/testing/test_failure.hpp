// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <stdexcept>

namespace durable::inline v0 {

namespace testing {

/// A test asked for something that is not so: an operation that there is not, a result that does
/// not exist yet, a history that differs. The text says what there is instead. Any test framework
/// reports it.
class TestFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace testing

}  // namespace durable::inline v0
