// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/serdes/json_serdes.hpp>
#include <durable/serdes/serdes.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using durable::AnySerdes;
using durable::Codec;
using durable::fromJsonText;
using durable::InvalidConfig;
using durable::Payload;
using durable::Serdes;
using durable::SerdesContext;
using durable::SerdesError;
using durable::toJsonText;

namespace shop {

struct Order {
    int id{};
    std::string what{};

    friend bool operator==(const Order&, const Order&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, what)

}  // namespace shop

namespace {

template <class T>
void checkRoundTrip(const T& value, const std::string& text) {
    CHECK(toJsonText(value) == text);
    CHECK(fromJsonText<T>(text) == value);
}

template <class T>
void checkLimits(const std::string& least, const std::string& most) {
    checkRoundTrip(std::numeric_limits<T>::min(), least);
    checkRoundTrip(std::numeric_limits<T>::max(), most);
}

/// Writes an int with its context around it.
Serdes<int> bracketed() {
    return {.serialize =
                [](const int& value, const SerdesContext& context) {
                    return std::string{context.operationId} + "<" + std::to_string(value) + ">";
                },
            .deserialize =
                [](const std::string& text, const SerdesContext& context) {
                    const auto prefix = context.operationId.size() + 1;
                    return std::stoi(text.substr(prefix));
                }};
}

const SerdesContext somewhere{.executionName = "e", .operationId = "1-4"};

}  // namespace

TEST_CASE("values become JSON and back") {
    checkRoundTrip(true, "true");
    checkRoundTrip(false, "false");
    checkRoundTrip(0, "0");
    checkRoundTrip(-17, "-17");
    checkRoundTrip(1.5, "1.5");
    checkRoundTrip(std::string{}, R"("")");
    checkRoundTrip(std::string{"a \"b\" \xC3\xA9\n"}, "\"a \\\"b\\\" \xC3\xA9\\n\"");
    checkRoundTrip(std::vector<int>{1, 2, 3}, "[1,2,3]");
    checkRoundTrip(std::map<std::string, int>{{"a", 1}}, R"({"a":1})");
    checkRoundTrip(shop::Order{7, "nails"}, R"({"id":7,"what":"nails"})");
    checkRoundTrip(std::vector<shop::Order>{{7, "nails"}}, R"([{"id":7,"what":"nails"}])");
    checkRoundTrip(std::pair{1, std::string{"x"}}, R"([1,"x"])");
    checkRoundTrip(nlohmann::json{{"a", nullptr}}, R"({"a":null})");
}

TEST_CASE("text is written as nlohmann::json writes it, whatever is in it") {
    for (int byte = 0; byte < 0x80; ++byte) {
        const auto text = std::string{"a"} + static_cast<char>(byte) + "z";
        CAPTURE(byte);
        checkRoundTrip(text, nlohmann::json(text).dump());
    }
    checkRoundTrip(std::string{"\""}, R"("\"")");
    CHECK_THROWS_AS(toJsonText(std::string{"a\xFFz"}), SerdesError);
    for (const std::string text : {R"("a"b")", "\"", "\"a\nb\"", "\"\xFF\"", "a", ""}) {
        CAPTURE(text);
        CHECK_THROWS_AS(fromJsonText<std::string>(text), SerdesError);
    }
    CHECK(fromJsonText<std::string>(R"( "a" )") == "a");
}

TEST_CASE("integers keep their value up to the limits of their type") {
    checkLimits<std::int8_t>("-128", "127");
    checkLimits<std::uint8_t>("0", "255");
    checkLimits<std::int16_t>("-32768", "32767");
    checkLimits<std::uint16_t>("0", "65535");
    checkLimits<std::int32_t>("-2147483648", "2147483647");
    checkLimits<std::uint32_t>("0", "4294967295");
    checkLimits<std::int64_t>("-9223372036854775808", "9223372036854775807");
    checkLimits<std::uint64_t>("0", "18446744073709551615");
}

TEST_CASE("a character is written as its number, as nlohmann::json does") {
    checkRoundTrip('a', "97");
    checkRoundTrip(static_cast<unsigned char>(200), "200");
}

TEST_CASE("numbers may have space around them") {
    CHECK(fromJsonText<int>(" 42\n") == 42);
    CHECK(fromJsonText<bool>(" true ") == true);
}

TEST_CASE("floating-point numbers read back exactly") {
    for (const double value : {0.1, 1.0 / 3, 1e300, 5e-324, -0.0}) {
        CHECK(fromJsonText<double>(toJsonText(value)) == value);
    }
}

TEST_CASE("text that is not UTF-8 has no JSON") {
    CHECK_THROWS_AS(toJsonText(std::string{"\xFF"}), SerdesError);
    CHECK_THROWS_WITH(toJsonText(std::string{"\xFF"}),
                      Catch::Matchers::ContainsSubstring("invalid UTF-8 byte at index 0: 0xFF"));
}

TEST_CASE("what is not JSON, or that of another type, is refused with the place") {
    CHECK_THROWS_WITH(fromJsonText<shop::Order>("{\"id\":"),
                      Catch::Matchers::ContainsSubstring("parse error at line 1, column 7"));
    CHECK_THROWS_WITH(fromJsonText<shop::Order>(R"({"id":7})"),
                      Catch::Matchers::ContainsSubstring("key 'what' not found"));
    CHECK_THROWS_WITH(fromJsonText<std::string>("7"),
                      Catch::Matchers::ContainsSubstring("type must be string, but is number"));
    CHECK_THROWS_AS(fromJsonText<int>(""), SerdesError);
    CHECK_THROWS_AS(fromJsonText<int>("\"7\""), SerdesError);
    CHECK_THROWS_AS(fromJsonText<int>("7x"), SerdesError);
    CHECK_THROWS_AS(fromJsonText<int>("null"), SerdesError);
    CHECK_THROWS_AS(fromJsonText<bool>("1"), SerdesError);
}

TEST_CASE("a serdes of another type is refused, by the names of both") {
    const AnySerdes serdes = bracketed();

    CHECK(serdes.get<int>() != nullptr);
    CHECK_THROWS_WITH(serdes.get<long>(), "serdes must be one of long, got one of int");
    CHECK_THROWS_AS(serdes.get<long>(), InvalidConfig);
    CHECK_THROWS_WITH(Codec<shop::Order>{serdes},
                      "serdes must be one of shop::Order, got one of int");
}

TEST_CASE("no serdes fits every type") {
    const AnySerdes none;

    CHECK_FALSE(none);
    CHECK(none.get<int>() == nullptr);
    CHECK(none.get<shop::Order>() == nullptr);
}

TEST_CASE("a value without a serdes is written as JSON") {
    const Codec<shop::Order> codec{AnySerdes{}};

    CHECK(codec.writesJson());
    CHECK(codec.encode({7, "nails"}, somewhere) == R"({"id":7,"what":"nails"})");
    CHECK(codec.decode(R"({"id":7,"what":"nails"})", somewhere) == shop::Order{7, "nails"});
}

TEST_CASE("a serdes replaces JSON and is told where the value belongs") {
    const Codec<int> codec{bracketed()};

    CHECK_FALSE(codec.writesJson());
    CHECK(codec.encode(42, somewhere) == "1-4<42>");
    CHECK(codec.decode("1-4<42>", somewhere) == 42);
}

TEST_CASE("a value of which nothing was recorded cannot be read") {
    CHECK_THROWS_WITH(Codec<int>{AnySerdes{}}.decode(Payload{}, somewhere),
                      "nothing was recorded, so there is no value to read");
    CHECK_THROWS_AS(Codec<int>{bracketed()}.decode(Payload{}, somewhere), SerdesError);
}

TEST_CASE("whatever a serdes throws becomes a SerdesError") {
    const auto throwing = [](auto thrown) {
        return Codec<int>{
            Serdes<int>{.serialize = [thrown](const int&, const SerdesContext&) -> std::string {
                            throw thrown;
                        },
                        .deserialize = [thrown](const std::string&, const SerdesContext&) -> int {
                            throw thrown;
                        }}};
    };

    CHECK_THROWS_AS(throwing(std::runtime_error{"no key"}).encode(1, somewhere), SerdesError);
    CHECK_THROWS_WITH(throwing(std::runtime_error{"no key"}).encode(1, somewhere), "no key");
    CHECK_THROWS_WITH(throwing(std::runtime_error{"no key"}).decode("", somewhere), "no key");
    CHECK_THROWS_WITH(throwing(SerdesError{"own words"}).decode("", somewhere), "own words");
    CHECK_THROWS_AS(throwing(42).decode("", somewhere), SerdesError);
    CHECK_THROWS_WITH(throwing(42).decode("", somewhere), "Unknown error");
}

TEST_CASE("an operation without a result takes no serdes") {
    CHECK_NOTHROW(Codec<void>{AnySerdes{}});
    CHECK_NOTHROW(Codec<void>{AnySerdes{}}.decode(Payload{}, somewhere));
    CHECK_THROWS_WITH(Codec<void>{bracketed()},
                      "serdes must be empty for an operation without a result");
    CHECK_THROWS_AS(Codec<void>{bracketed()}, InvalidConfig);
}

TEST_CASE("an integer that does not fit is refused, not cut short") {
    CHECK_THROWS_AS(fromJsonText<std::uint8_t>("300"), SerdesError);
    CHECK_THROWS_AS(fromJsonText<unsigned>("-1"), SerdesError);
    CHECK_THROWS_AS(fromJsonText<int>("4294967297"), SerdesError);
    CHECK_THROWS_AS(fromJsonText<long>("9223372036854775808"), SerdesError);
    CHECK_THROWS_AS(fromJsonText<int>("1.5"), SerdesError);
    CHECK_THROWS_AS(fromJsonText<int>("true"), SerdesError);
    CHECK(fromJsonText<int>(" 7 ") == 7);
}
