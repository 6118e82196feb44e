// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/base/error.hpp>
#include <durable/concurrency/batch_json.hpp>
#include <durable/concurrency/combination_json.hpp>
#include <durable/serdes/json_serdes.hpp>
#include <durable/serdes/parse_json.hpp>

#include <cstddef>
#include <string>

using durable::jsonDepthMax;
using durable::parseJson;

namespace {

/// Arrays in each other.
std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON may be as deep as the limit says, and no deeper") {
    CHECK(parseJson(nested(jsonDepthMax)).is_array());
    CHECK_THROWS_WITH(parseJson(nested(jsonDepthMax + 1)),
                      "JSON with more than 512 arrays and objects in each other");
    CHECK_THROWS(parseJson(nested(1'000'000)));
    CHECK_THROWS(parseJson(std::string(1'000'000, '[')));
    CHECK_THROWS(parseJson("[" + std::string(600, ']') + nested(1'000'000)));
}

TEST_CASE("many arrays beside each other, or brackets in text, are not deep") {
    std::string wide = "[";
    for (int i = 0; i < 2000; ++i) wide += "[{}],";
    wide += "1]";
    CHECK(parseJson(wide).size() == 2001);

    std::string text(5000, '[');
    text += "\\\"[{\\\\";
    CHECK(parseJson("[\"" + text + "\"]").is_array());
}

TEST_CASE("no reader of JSON from outside goes deeper than the limit") {
    const auto deep = nested(200'000);

    CHECK_THROWS_AS(durable::fromJsonText<int>(deep), durable::SerdesError);
    CHECK_THROWS_AS(durable::fromJsonText<nlohmann::json>(deep), durable::SerdesError);
    CHECK_THROWS(durable::valuesFromJson("[" + deep + "]"));
    CHECK_THROWS(durable::settledFromJson("[{\"status\":\"fulfilled\",\"value\":" + deep + "}]"));
    CHECK_THROWS(durable::winnerFromJson("{\"index\":0,\"value\":" + deep + "}"));
    CHECK_THROWS(durable::batchFromSummary(deep));
    CHECK_THROWS(
        durable::batchFromJson(R"({"all":[{"index":0,"status":"SUCCEEDED","result":)" + deep +
                                   R"(}],"completionReason":"ALL_COMPLETED","inputCount":1})",
                               [](std::size_t) { return true; }));
}

TEST_CASE("what could not be read back is not written") {
    const auto deepest = parseJson(nested(jsonDepthMax));
    CHECK(durable::toJsonText(deepest).size() == 2 * jsonDepthMax);

    CHECK_THROWS_AS(durable::toJsonText(nlohmann::json::array({deepest})), durable::SerdesError);
}
