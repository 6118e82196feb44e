// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Catch2 in version 3 or 2, whichever is installed. Tests use the names of version 3; what
/// version 2 calls otherwise is added here.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>

#include <string>

namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& part) { return Contains(part); }
}  // namespace Catch::Matchers
#endif
