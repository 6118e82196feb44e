// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/serdes/utf8.hpp>

#include <string>
#include <vector>

using durable::isUtf8;
using durable::withValidUtf8;

namespace {

struct Row {
    std::string bytes;
    std::size_t replaced;  ///< bytes that belong to no character
};

const std::vector<std::string> wellFormed{
    "",
    std::string(1, '\0'),
    "\x7F",
    "\xC2\x80",  // the least and greatest of two bytes
    "\xDF\xBF",
    "\xE0\xA0\x80",  // and of three
    "\xED\x9F\xBF",  // before the surrogates
    "\xEE\x80\x80",  // after them
    "\xEF\xBF\xBF",
    "\xF0\x90\x80\x80",  // and of four
    "\xF4\x8F\xBF\xBF",
    "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80",
};

const std::vector<Row> illFormed{
    {"\x80", 1},  // a continuation without a start
    {"\xBF", 1},
    {"\xC0\x80", 2},  // longer than needed
    {"\xC1\xBF", 2},
    {"\xE0\x9F\xBF", 3},
    {"\xF0\x8F\xBF\xBF", 4},
    {"\xED\xA0\x80", 3},  // surrogates
    {"\xED\xBF\xBF", 3},
    {"\xF4\x90\x80\x80", 4},  // beyond the last character
    {"\xF5\x80\x80\x80", 4},
    {"\xFE", 1},
    {"\xFF", 1},
    {"\xC2", 1},  // cut short
    {"\xE2\x82", 2},
    {"\xF0\x9F\x98", 3},
    {"\xC2\x41", 1},  // interrupted by a letter
    {"\xE2\x28\xA1", 2},
};

}  // namespace

TEST_CASE("well-formed UTF-8 is left as it is") {
    for (const auto& text : wellFormed) {
        CAPTURE(text);
        CHECK(isUtf8(text));
        CHECK(withValidUtf8(text) == text);
    }
}

TEST_CASE("ill-formed UTF-8 is found, and each byte that belongs to no character replaced") {
    for (const auto& [bytes, replaced] : illFormed) {
        const auto repaired = withValidUtf8(bytes);
        std::size_t count = 0;
        for (auto at = repaired.find("\xEF\xBF\xBD"); at != std::string::npos;
             at = repaired.find("\xEF\xBF\xBD", at + 3)) {
            ++count;
        }
        CAPTURE(bytes);
        CHECK_FALSE(isUtf8(bytes));
        CHECK_FALSE(isUtf8("before " + bytes + " after"));
        CHECK(isUtf8(repaired));
        CHECK(count == replaced);
    }
}

TEST_CASE("what stands around ill-formed bytes is kept") {
    CHECK(withValidUtf8("a\xFF\xC3\xA9\xE2\x82z") ==
          "a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBDz");
}
