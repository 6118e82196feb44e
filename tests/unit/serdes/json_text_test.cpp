// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/seed.hpp"

#include <durable/serdes/json_text.hpp>

#include <nlohmann/json.hpp>

#include <memory>
#include <random>
#include <string>

using durable::appendJson;
using durable::appendJsonKey;
using durable::appendJsonMember;
using durable::appendJsonString;
using durable::errorFromJson;
using durable::ErrorObject;
using nlohmann::json;

namespace {

std::string jsonOf(std::string_view text) {
    std::string json;
    appendJsonString(json, text);
    return json;
}

std::string textOf(const ErrorObject& error) {
    std::string json;
    appendJson(json, error);
    return json;
}

}  // namespace

TEST_CASE("plain text stands between quotes as it is") {
    CHECK(jsonOf("") == R"("")");
    CHECK(jsonOf("settle orders ~") == R"("settle orders ~")");
    CHECK(jsonOf("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80") ==
          "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

TEST_CASE("quotes, backslashes and control characters are escaped") {
    CHECK(jsonOf("\"") == R"("\"")");
    CHECK(jsonOf("\\") == R"("\\")");
    CHECK(jsonOf("\n\r\t") == R"("\n\r\t")");
    CHECK(jsonOf(std::string(1, '\0')) == R"("\u0000")");
    CHECK(jsonOf("\x1F \x7F") == R"("\u001f \u007f")");
}

TEST_CASE("a byte that needs an escape is found wherever it stands") {
    for (std::size_t length = 1; length < 40; ++length) {
        for (std::size_t place = 0; place < length; ++place) {
            for (const char special : {'"', '\\', '\n', '\x1F', '\x7F'}) {
                std::string text(length, 'x');
                text[place] = special;
                INFO("byte " << static_cast<int>(special) << " at " << place << " of " << length);
                CHECK_FALSE(durable::isPlainText(text));
                CHECK(json::parse(jsonOf(text)) == json(text));
                const auto escaped = jsonOf(text).substr(1 + place, 1);
                CHECK(escaped == "\\");
            }
        }
        CHECK(durable::isPlainText(std::string(length, 'x')));
        CHECK_FALSE(durable::isPlainText(std::string(length, '\x80')));
    }
}

TEST_CASE("bytes that are not UTF-8 become replacement characters") {
    CHECK(jsonOf("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
    CHECK(jsonOf("\"\xC3") == "\"\\\"\xEF\xBF\xBD\"");
}

TEST_CASE("random bytes become JSON that reads back as the same text, repaired") {
    const auto seed = newSeed();
    std::mt19937 generator{seed};
    // Few values, so that quotes, escapes and well-formed sequences are frequent.
    const std::string bytes{"a\"\\\n\x01\x7F\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xFF\xED\xA0 \0",
                            20};

    for (int i = 0; i < 20'000; ++i) {
        std::string text(generator() % 12, ' ');
        for (auto& byte : text) {
            byte = generator() % 4 == 0 ? static_cast<char>(generator())
                                        : bytes[generator() % bytes.size()];
        }
        const auto read = json::parse(jsonOf(text)).get<std::string>();
        if (read != durable::withValidUtf8(text)) FAIL("seed " << seed << ", text " << i);
    }
    SUCCEED();
}

TEST_CASE("members are separated by commas") {
    std::string object = "{";
    appendJsonMember(object, "a", "1");
    appendJsonMember(object, "b", "\"");
    appendJsonKey(object, "c");
    object += "{";
    appendJsonKey(object, "d");
    object += "4}}";

    CHECK(object == R"({"a":"1","b":"\"","c":{"d":4}})");
}

TEST_CASE("an error is written in AWS's spelling, without what it does not have") {
    CHECK(textOf({}) == "{}");
    CHECK(textOf({.type = "CardError", .message = "declined", .data = "51"}) ==
          R"({"ErrorType":"CardError","ErrorMessage":"declined","ErrorData":"51"})");
    CHECK(textOf({.message = ""}) == R"({"ErrorMessage":""})");
    CHECK(textOf({.stackTrace = {"f", "g\n"}}) == R"({"StackTrace":["f","g\n"]})");
}

TEST_CASE("an error is written with its causes") {
    const auto cause = std::make_shared<const ErrorObject>(ErrorObject{.type = "CardError"});

    CHECK(textOf({.type = "StepError", .cause = cause}) ==
          R"({"ErrorType":"StepError","Cause":{"ErrorType":"CardError"}})");
}

TEST_CASE("an error reads back as it was written") {
    const ErrorObject inner{.type = "", .data = "{\"code\":51}", .stackTrace = {"", "main"}};
    const ErrorObject error{.type = "StepError",
                            .message = "a \"quoted\" message\n",
                            .cause = std::make_shared<const ErrorObject>(inner)};

    CHECK(errorFromJson(json::parse(textOf(error))) == error);
    CHECK(errorFromJson(json::parse(textOf({}))) == ErrorObject{});
    CHECK(errorFromJson(nlohmann::ordered_json::parse(textOf(error))) == error);
}

TEST_CASE("an error with members of other types is refused") {
    const auto read = [](const char* text) { return errorFromJson(json::parse(text)); };

    CHECK_THROWS_AS(read(R"({"ErrorType":1})"), json::exception);
    CHECK_THROWS_AS(read(R"({"ErrorMessage":null})"), json::exception);
    CHECK_THROWS_AS(read(R"({"ErrorData":{}})"), json::exception);
    CHECK_THROWS_AS(read(R"({"StackTrace":"main"})"), json::exception);
    CHECK_THROWS_AS(read(R"({"StackTrace":[1]})"), json::exception);
    CHECK_THROWS_AS(read(R"({"Cause":{"ErrorType":[]}})"), json::exception);
    CHECK(read(R"({"Unknown":1})") == ErrorObject{});
}
