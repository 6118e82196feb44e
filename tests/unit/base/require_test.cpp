// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/base/require.hpp>

#include <limits>
#include <optional>
#include <string>

using durable::InvalidConfig;
using durable::requireAtLeast;
using durable::requireName;
using durable::requireRange;

TEST_CASE("a value out of its range is refused, by name and with its bounds") {
    CHECK_NOTHROW(requireRange("size", 1, 1, 3));
    CHECK_NOTHROW(requireRange("size", 3, 1, 3));
    CHECK_THROWS_WITH(requireRange("size", 0, 1, 3), "size must be from 1 to 3, got 0");
    CHECK_THROWS_WITH(requireRange("size", 4, 1, 3), "size must be from 1 to 3, got 4");
    CHECK_THROWS_AS(requireRange("size", 4, 1, 3), InvalidConfig);
}

TEST_CASE("a value that does not count is in every range") {
    CHECK_NOTHROW(requireRange("size", std::optional<int>{}, 1, 3));
    CHECK_NOTHROW(requireRange("size", std::optional{2}, 1, 3));
    CHECK_THROWS_WITH(requireRange("size", std::optional{4}, 1, 3),
                      "size must be from 1 to 3, got 4");
}

TEST_CASE("what is not a number is in no range") {
    const auto nan = std::numeric_limits<double>::quiet_NaN();

    CHECK_THROWS_WITH(requireRange("share", nan, 0.0, 1.0), "share must be from 0 to 1, got nan");
    CHECK_THROWS_WITH(requireAtLeast("share", nan, 0.0), "share must be at least 0, got nan");
}

TEST_CASE("a value below its least is refused, by name and with its bound") {
    CHECK_NOTHROW(requireAtLeast("count", 1, 1));
    CHECK_THROWS_WITH(requireAtLeast("count", 0, 1), "count must be at least 1, got 0");
    CHECK_THROWS_WITH(requireAtLeast("count", -7, 1), "count must be at least 1, got -7");
}

TEST_CASE("a name has at most 256 characters, and may be empty") {
    CHECK_NOTHROW(requireName("name", ""));
    CHECK_NOTHROW(requireName("name", std::string(256, 'a')));
    CHECK_THROWS_WITH(requireName("name", std::string(257, 'a')),
                      "name must be at most 256 characters, got 257");
    CHECK_THROWS_AS(requireName("name", std::string(257, 'a')), InvalidConfig);
}

TEST_CASE("a name has printable ASCII characters only") {
    CHECK_NOTHROW(requireName("name", " ~reserve stock (1) \"\\"));
    CHECK_THROWS_WITH(requireName("name", "a\x1F"), "name must be printable ASCII characters");
    CHECK_THROWS_WITH(requireName("name", "a\x7F"), "name must be printable ASCII characters");
    CHECK_THROWS_WITH(requireName("name", "a\nb"), "name must be printable ASCII characters");
    CHECK_THROWS_WITH(requireName("name", "\xC3\xA9"), "name must be printable ASCII characters");
    CHECK_THROWS_WITH(requireName("itemNamer", std::string(1, '\0')),
                      "itemNamer must be printable ASCII characters");
}
