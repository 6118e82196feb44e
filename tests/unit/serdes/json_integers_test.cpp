// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/serdes/json_serdes.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

using namespace durable;

namespace shop {

enum class Size : std::uint8_t { small, large };

/// An integer that its author reads in a way of his own.
struct Percentage {
    std::int8_t value{};

    friend bool operator==(const Percentage&, const Percentage&) = default;
};
void to_json(nlohmann::json& json, const Percentage& percentage) { json = percentage.value; }
void from_json(const nlohmann::json& json, Percentage& percentage) {
    percentage.value = static_cast<std::int8_t>(json.get<double>() / 10);
}

/// A container whose JSON is not that of containers.
struct Basket : std::vector<std::int8_t> {
    using std::vector<std::int8_t>::vector;
};
void from_json(const nlohmann::json& json, Basket& basket) { basket.assign(json.size(), 1); }

}  // namespace shop

namespace {

template <class T>
bool refuses(const std::string& text) {
    try {
        (void)fromJsonText<T>(text);
        return false;
    } catch (const SerdesError& error) {
        CHECK_THAT(error.what(), Catch::Matchers::StartsWith("not an integer of this range: "));
        return true;
    }
}

template <class T>
void checkReads(const std::string& text, const T& expected) {
    CHECK(fromJsonText<T>(text) == expected);
}

/// Lists of integers of one byte, up to the limits of the type.
template <class List>
void checkList() {
    checkReads<List>("[-128,127]", {-128, 127});
    for (const auto* text : {"[1,300]", "[128,1]", "[-129,1]", "[1,1e300]", "[1.0,1]", "[true,1]",
                             "[1,18446744073709551615]", "[-9223372036854775808,1]"}) {
        CAPTURE(text);
        CHECK(refuses<List>(text));
    }
}

}  // namespace

TEST_CASE("an integer in a list that does not fit is refused, not cut short") {
    checkList<std::vector<std::int8_t>>();
    checkList<std::deque<std::int8_t>>();
    checkList<std::list<std::int8_t>>();
    checkList<std::set<std::int8_t>>();
    checkList<std::array<std::int8_t, 2>>();
    checkList<std::pair<std::int8_t, std::int8_t>>();
    checkList<std::tuple<std::int8_t, std::int8_t>>();

    CHECK(refuses<std::vector<unsigned>>("[-1]"));
    CHECK(refuses<std::vector<int>>("[1e300]"));
    CHECK(refuses<std::vector<std::int64_t>>("[9223372036854775808]"));
    checkReads<std::vector<std::uint64_t>>("[18446744073709551615]", {18446744073709551615U});
    CHECK(refuses<std::vector<std::uint64_t>>("[18446744073709551616]"));
}

TEST_CASE("characters are integers too") {
    checkReads<std::vector<char>>("[97]", {'a'});
    CHECK(refuses<std::vector<char>>("[300]"));
    CHECK(refuses<char>("300"));
    checkReads<std::u16string>("[97,65535]", u"a\uFFFF");
    CHECK(refuses<std::u16string>("[65536]"));
}

TEST_CASE("an integer in a map that does not fit is refused, as key and as value") {
    using ByText = std::map<std::string, std::int8_t>;
    checkReads<ByText>(R"({"a":127})", {{"a", 127}});
    CHECK(refuses<ByText>(R"({"a":1,"b":128})"));
    CHECK(refuses<std::unordered_map<std::string, unsigned>>(R"({"a":-1})"));

    using ByNumber = std::map<std::int8_t, std::uint8_t>;
    checkReads<ByNumber>("[[-128,255]]", {{-128, 255}});
    CHECK(refuses<ByNumber>("[[1,2],[128,1]]"));
    CHECK(refuses<ByNumber>("[[1,2],[2,-1]]"));
}

TEST_CASE("an integer is refused however deep it is in containers") {
    using Deep = std::map<std::string, std::vector<std::tuple<std::string, std::int8_t>>>;
    checkReads<Deep>(R"({"a":[["b",1]],"c":[]})", {{"a", {{"b", 1}}}, {"c", {}}});
    CHECK(refuses<Deep>(R"({"a":[["b",1],["c",300]]})"));
    CHECK(refuses<std::vector<std::vector<int>>>("[[],[1,4294967296]]"));
    CHECK(refuses<std::array<std::pair<std::string, std::set<int>>, 1>>(R"([["a",[1e300]]])"));
}

TEST_CASE("an integer beside a document is refused, and the document is left as it is") {
    using WithDocument = std::pair<std::int8_t, nlohmann::json>;
    CHECK(fromJsonText<WithDocument>("[127,[300]]") ==
          WithDocument{127, nlohmann::json::parse("[300]")});
    CHECK(refuses<WithDocument>("[300,1]"));
    CHECK(refuses<std::vector<WithDocument>>("[[300,1]]"));
    CHECK(fromJsonText<std::map<std::string, nlohmann::json>>(R"({"a":300})").at("a") == 300);
}

TEST_CASE("the number of an enumerator must fit") {
    checkReads<std::vector<shop::Size>>("[1]", {shop::Size::large});
    CHECK(refuses<std::vector<shop::Size>>("[257]"));
    CHECK(refuses<shop::Size>("1e300"));
}

TEST_CASE("what a type's own from_json reads is left to it") {
    checkReads<std::vector<shop::Percentage>>("[1000]", {shop::Percentage{100}});
    CHECK(fromJsonText<shop::Basket>("[300,400]") == shop::Basket{1, 1});
    CHECK(fromJsonText<std::vector<double>>("[300,1e300]") == std::vector{300.0, 1e300});
    CHECK(fromJsonText<std::vector<nlohmann::json>>("[1e300]").front() == 1e300);
}

TEST_CASE("what is of another form is refused in nlohmann's words") {
    using Catch::Matchers::ContainsSubstring;
    CHECK_THROWS_WITH(fromJsonText<std::vector<int>>("7"),
                      ContainsSubstring("type must be array, but is number"));
    CHECK_THROWS_WITH(fromJsonText<std::vector<int>>(R"(["7"])"),
                      ContainsSubstring("type must be number, but is string"));
    CHECK_THROWS_AS((fromJsonText<std::pair<int, int>>("[7]")), SerdesError);
    CHECK_THROWS_AS((fromJsonText<std::pair<int, int>>("7")), SerdesError);
    CHECK_THROWS_AS((fromJsonText<std::map<std::string, int>>("[7]")), SerdesError);
    CHECK_THROWS_AS((fromJsonText<std::map<int, int>>(R"({"1":2})")), SerdesError);
}

TEST_CASE("a value that is no number is told by its type, however long it is") {
    CHECK_THROWS_WITH(fromJsonText<int>("[1,2]"), "not an integer of this range: array");
    CHECK_THROWS_WITH(fromJsonText<int>("1e300"), "not an integer of this range: 1e+300");
}
