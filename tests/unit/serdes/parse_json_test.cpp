// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/seed.hpp"

#include <durable/serdes/json_serdes.hpp>
#include <durable/serdes/parse_json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace durable;

namespace {

constexpr auto tooDeep = "JSON must be nested at most 512 deep, this is deeper";

/// Brackets in brackets around `core`, which is not nested itself.
std::string nested(std::size_t depth, const std::string& core = "") {
    return std::string(depth, '[') + core + std::string(depth, ']');
}

nlohmann::json nestedDocument(std::size_t depth) { return nlohmann::json::parse(nested(depth)); }

std::size_t depthOf(const nlohmann::json& json) {
    std::size_t depth = 0;
    for (const auto& element : json) {
        if (json.is_structured()) depth = std::max(depth, depthOf(element));
    }
    return json.is_structured() ? depth + 1 : 0;
}

/// A document with everything in its strings that could be taken for nesting.
class RandomDocuments {
public:
    explicit RandomDocuments(std::uint32_t seed) : random_{seed} {}

    nlohmann::json next(int depthMax) {
        const auto kind = depthMax == 0 ? below(2) : below(6);
        if (kind == 0) return below(100);
        if (kind == 1) return text();
        auto json = kind % 2 == 0 ? nlohmann::json::array() : nlohmann::json::object();
        for (auto count = below(4); count > 0; --count) {
            if (json.is_array()) {
                json.push_back(next(depthMax - 1));
            } else {
                json[text()] = next(depthMax - 1);
            }
        }
        return json;
    }

private:
    unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }

    std::string text() {
        constexpr std::string_view letters = "[]{}\"\\a\n\x7F";
        std::string text;
        for (auto count = below(12); count > 0; --count) text += letters[below(letters.size())];
        return text;
    }

    std::mt19937 random_;
};

/// A type that an author reads by recursion.
struct Tree {
    std::vector<Tree> branches{};

    [[nodiscard]] std::size_t height() const {
        return branches.empty() ? 1 : 1 + branches.front().height();
    }
};
// NOLINTBEGIN(misc-no-recursion): that is what it is here for
void to_json(nlohmann::json& json, const Tree& tree) { json = tree.branches; }
void from_json(const nlohmann::json& json, Tree& tree) { json.get_to(tree.branches); }
// NOLINTEND(misc-no-recursion)

}  // namespace

TEST_CASE("JSON may be nested as deep as the limit says, and no deeper") {
    CHECK(parseJson(nested(512)) == nestedDocument(512));
    CHECK(parseJson<nlohmann::ordered_json>(nested(512, "7")).dump() == nested(512, "7"));
    CHECK_THROWS_WITH(parseJson(nested(513)), tooDeep);
    CHECK_THROWS_AS(parseJson(nested(513)), SerdesError);
    CHECK_THROWS_WITH(parseJson(nested(100'000)), tooDeep);

    std::string object = "1";
    for (int i = 0; i < 512; ++i) object.insert(0, R"({"a":)").append("}");
    CHECK_NOTHROW(parseJson(object));
    CHECK_THROWS_WITH(parseJson("[" + object + "]"), tooDeep);
}

TEST_CASE("text that ends in the depth is refused for its depth, other text for not being JSON") {
    CHECK_THROWS_WITH(parseJson(std::string(100'000, '[')), tooDeep);
    CHECK_THROWS_AS(parseJson(std::string(512, '[')), nlohmann::json::parse_error);
    CHECK_THROWS_AS(parseJson("]" + nested(513)), nlohmann::json::parse_error);
    CHECK_THROWS_AS(parseJson("[\"" + std::string(600, '[')), nlohmann::json::parse_error);
    CHECK_THROWS_AS(parseJson("[\"" + std::string(600, '[') + "\\"), nlohmann::json::parse_error);
}

TEST_CASE("many brackets are not deep if they stand beside each other or in strings") {
    std::string beside = "[";
    for (int i = 0; i < 2000; ++i) beside += R"([],{"a":"["},"\"[",)";
    beside += "1]";

    CHECK(parseJson(beside).size() == 6001);
    CHECK(parseJson("[\"" + std::string(600, '{') + "\"]").size() == 1);
    CHECK_THROWS_WITH(parseJson("[\"\\\\\"," + nested(512) + "]"), tooDeep);
    CHECK_THROWS_WITH(parseJson("[\"]]]]\"," + nested(512) + "]"), tooDeep);
}

TEST_CASE("text and document are as deep as the document's tree") {
    RandomDocuments documents{newSeed()};
    for (int i = 0; i < 2000; ++i) {
        const auto json = documents.next(8);
        const auto text = json.dump();
        const auto depth = depthOf(json);
        CAPTURE(text, depth);
        for (std::size_t depthMax = 0; depthMax < 9; ++depthMax) {
            REQUIRE(detail::isDeeperThan(depthMax, text) == (depth > depthMax));
            REQUIRE(detail::isDeeperThan(depthMax, json) == (depth > depthMax));
        }
    }
}

TEST_CASE("a value that is too deep is neither written nor read") {
    CHECK(toJsonText(nestedDocument(512)) == nested(512));
    CHECK_THROWS_WITH(toJsonText(nestedDocument(513)), tooDeep);
    CHECK_THROWS_WITH(toJsonText(nestedDocument(100'000)), tooDeep);
    CHECK_THROWS_WITH(toJsonText(std::pair{1, nestedDocument(512)}), tooDeep);
    CHECK_THROWS_WITH(toJsonText(nlohmann::ordered_json::parse(nested(100'000))), tooDeep);

    CHECK(fromJsonText<nlohmann::json>(nested(512)) == nestedDocument(512));
    CHECK_THROWS_WITH(fromJsonText<nlohmann::json>(nested(513)), tooDeep);
    CHECK_THROWS_WITH(fromJsonText<nlohmann::json>(nested(100'000)), tooDeep);
    CHECK_THROWS_WITH(fromJsonText<int>(nested(100'000)), tooDeep);
    CHECK_THROWS_WITH(fromJsonText<std::vector<int>>(nested(100'000)), tooDeep);
    CHECK_THROWS_WITH(fromJsonText<std::string>(nested(100'000)), tooDeep);
}

TEST_CASE("a document that is too deep is refused inside of standard containers too") {
    std::vector<nlohmann::json> list;
    list.push_back(nestedDocument(100'000));
    CHECK_THROWS_WITH(toJsonText(list), tooDeep);
    std::map<std::string, std::vector<nlohmann::json>> lists;
    lists["a"] = std::move(list);
    CHECK_THROWS_WITH(toJsonText(lists), tooDeep);
    CHECK_THROWS_WITH(toJsonText(std::pair{1, nestedDocument(100'000)}), tooDeep);
    CHECK_THROWS_WITH(toJsonText(std::tuple{1, 2, nestedDocument(100'000)}), tooDeep);
    std::array<nlohmann::json, 1> array{};
    array[0] = nestedDocument(100'000);
    CHECK_THROWS_WITH(toJsonText(array), tooDeep);

    CHECK(toJsonText(std::vector{nestedDocument(511)}) == nested(512));
    CHECK_THROWS_WITH(toJsonText(std::vector<nlohmann::json>{1, nestedDocument(512)}), tooDeep);
    CHECK_NOTHROW(toJsonText(std::tuple<>{}));
    CHECK(toJsonText(std::vector<bool>{true}) == "[true]");
}

TEST_CASE("a type that is read by recursion may be as deep as the limit says") {
    CHECK(fromJsonText<Tree>(nested(512)).height() == 512);
    CHECK(toJsonText(fromJsonText<Tree>(nested(512))) == nested(512));
    CHECK_THROWS_WITH(fromJsonText<Tree>(nested(513)), tooDeep);
}
