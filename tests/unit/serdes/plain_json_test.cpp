// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/heard_json.hpp"
#include "support/seed.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <random>
#include <string>
#include <string_view>

using nlohmann::json;

namespace {

bool givesUp(std::string_view text) { return !heardFromPlainReader(text); }

class RandomJson {
public:
    explicit RandomJson(std::uint32_t seed) : random_{seed} {}

    json value(int depth = 0) {
        switch (below(depth > 4 ? 5 : 8)) {
            case 0: return nullptr;
            case 1: return below(2) == 0;
            case 2: return std::uint64_t{random_()} << below(33);
            case 3:
            case 4: return text();
            case 5: {
                auto array = json::array();
                for (auto i = below(4); i > 0; --i) array.push_back(value(depth + 1));
                return array;
            }
            default: {
                auto object = json::object();
                for (auto i = below(4); i > 0; --i) object[text()] = value(depth + 1);
                return object;
            }
        }
    }

    std::string damaged(std::string text) {
        constexpr std::string_view bytes = "{}[]\",:\\0-.eunt \x7F\x01\xC3\xFF";
        for (auto i = below(3); i >= 0 && !text.empty(); --i) {
            const auto at = static_cast<std::size_t>(below(static_cast<int>(text.size())));
            const char byte =
                bytes[static_cast<std::size_t>(below(static_cast<int>(bytes.size())))];
            if (below(3) == 0) {
                text.erase(at, 1);
            } else if (below(2) == 0) {
                text.insert(at, 1, byte);
            } else {
                text[at] = byte;
            }
        }
        return text;
    }

private:
    int below(int end) { return std::uniform_int_distribution{0, end - 1}(random_); }

    std::string text() {
        constexpr std::array<std::string_view, 12> parts{"a",
                                                         "kind",
                                                         "\"",
                                                         "\\",
                                                         "\n",
                                                         "\t",
                                                         "\r",
                                                         "/",
                                                         "\xC3\xA9",
                                                         "\xF0\x9F\x98\x80",
                                                         "sixteen bytes and more",
                                                         "\x7F"};
        std::string made;
        for (auto i = below(6); i > 0; --i) {
            made += parts[static_cast<std::size_t>(below(static_cast<int>(parts.size())))];
        }
        return made;
    }

    std::mt19937 random_;
};

}  // namespace

TEST_CASE("plain JSON is read as the real parser reads it") {
    for (
        const std::string_view text :
        {R"([])", R"({})", R"("")", R"([[],{}])", R"(0)", R"(18446744073709551615)",
         R"({"a":null,"b":[true,false],"c":{"d":12}})", R"("a \"quoted\" \\ word\n\r\t")",
         "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"",
         R"([{"kind":"started","time":1795634462025,"name":"a step of forty-one letters, or so"}])"}) {
        INFO(text);
        const auto heard = heardFromPlainReader(text);
        REQUIRE(heard);
        CHECK(heard == heardFromParser(text));
    }
}

TEST_CASE("JSON that is not plain is left to the real parser") {
    for (const std::string_view text :
         {" []", "[] ", "[1, 2]", R"({"a" :1})", "-1", "1.5", "1e3", "18446744073709551616",
          R"("\u0041")", R"("\/")", R"("\b")", "\"\x7F\""}) {
        INFO(text);
        CHECK(heardFromParser(text));
        CHECK(givesUp(text));
    }
    CHECK(givesUp(std::string(100, '[') + std::string(100, ']')));
}

TEST_CASE("what is not JSON is left to the real parser, which says what is wrong") {
    for (const std::string_view text : {"",
                                        "[",
                                        "]",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "[1 2]",
                                        "[]]",
                                        "{",
                                        R"({"a"})",
                                        R"({"a":})",
                                        R"({"a":1,})",
                                        R"({1:1})",
                                        R"({"a":1 "b":2})",
                                        R"(")",
                                        R"("a)",
                                        R"("a\)",
                                        R"("\x")",
                                        "\"\n\"",
                                        "\"\xC3\"",
                                        "\"\xFF\"",
                                        "\"\xED\xA0\x80\"",
                                        "01",
                                        "00",
                                        "+1",
                                        "1x",
                                        "tru",
                                        "truex",
                                        "nul",
                                        "False"}) {
        INFO(text);
        CHECK_FALSE(heardFromParser(text));
        CHECK(givesUp(text));
    }
}

TEST_CASE("whatever the text, the reader of plain JSON agrees with the real parser or gives up") {
    RandomJson random{newSeed()};
    int read = 0;
    for (int round = 0; round < 5'000; ++round) {
        auto text = random.value().dump();
        if (round % 2 == 1) text = random.damaged(std::move(text));
        const auto heard = heardFromPlainReader(text);
        if (!heard) continue;
        ++read;
        INFO(text);
        REQUIRE(heard == heardFromParser(text));
    }
    CHECK(read > 1'000);
}
