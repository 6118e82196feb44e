// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/base/boxed.hpp>

#include <optional>
#include <string>
#include <utility>

using durable::Boxed;

TEST_CASE("a boxed value is used like an optional one") {
    const Boxed<std::string> none;
    CHECK_FALSE(none);
    CHECK_FALSE(none.has_value());
    CHECK(none.value_or("other") == "other");
    CHECK(none.orDefault().empty());
    CHECK(none.toOptional() == std::nullopt);
    CHECK_THROWS_AS(none.value(), std::bad_optional_access);

    Boxed<std::string> some{std::string{"text"}};
    REQUIRE(some);
    CHECK(*some == "text");
    CHECK(some->size() == 4);
    CHECK(some.value() == "text");
    CHECK(some.value_or("other") == "text");
    CHECK(some.toOptional() == std::optional<std::string>{"text"});
    some.reset();
    CHECK_FALSE(some);
}

TEST_CASE("boxed values are compared by value, and copies outlive what they were copied from") {
    Boxed<std::string> original{std::string{"text"}};
    const auto copy = original;
    original = std::nullopt;

    CHECK(copy == Boxed<std::string>{std::string{"text"}});
    CHECK_FALSE(copy == Boxed<std::string>{std::string{"other"}});
    CHECK_FALSE(copy == original);
    CHECK(original == Boxed<std::string>{std::optional<std::string>{}});
}
