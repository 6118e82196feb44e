// SPDX-License-Identifier: Apache-2.0
#include <durable/testing/hidden_texts.hpp>

#include <support/catch.hpp>

#include <string>

using durable::testing::detail::HiddenTexts;

namespace {

std::string hide(const std::string& value, std::string text) {
    HiddenTexts texts;
    texts.add(value, "<id>");
    texts.hideIn(text);
    return text;
}

}  // namespace

TEST_CASE("a string is hidden with and without its quotes") {
    CHECK(hide(R"("order-17")", R"(SUCCEEDED with "order-17")") == "SUCCEEDED with <id>");
    CHECK(hide(R"("order-17")", "ship order-17 and order-17") == "ship <id> and <id>");
}

TEST_CASE("a text is hidden as it reads inside JSON, and JSON inside that") {
    CHECK(hide(R"("a \"b\" c")", R"(a "b" c)") == "<id>");
    CHECK(hide(R"("a \"b\" c")", R"({"Payload":"{\"x\":\"a \\\"b\\\" c\"}"})") ==
          R"({"Payload":"{\"x\":<id>}"})");
    CHECK(hide(R"({"a":"x"})", R"({"Payload":"{\"a\":\"x\"}"})") == R"({"Payload":"<id>"})");
}

TEST_CASE("strings and numbers of a value are hidden one by one") {
    CHECK(hide(R"({"id":"order-17","at":[1700000000]})", "ship order-17 at 1700000000") ==
          "ship <id> at <id>");
}

TEST_CASE("what is no JSON is hidden as it is") {
    CHECK(hide("order-17", "ship order-17") == "ship <id>");
}

TEST_CASE("a text of fewer than six characters is not hidden") {
    CHECK(hide("12345", "12345") == "12345");
    CHECK(hide("123456", "123456") == "<id>");
    CHECK(hide(R"({"a":"abcde"})", "abcde") == "abcde");
}

TEST_CASE("the longest text is hidden first") {
    HiddenTexts texts;
    texts.add("order-17", "<order>");
    texts.add("order-17-item", "<item>");

    std::string text = "order-17-item of order-17";
    texts.hideIn(text);
    CHECK(text == "<item> of <order>");
}
