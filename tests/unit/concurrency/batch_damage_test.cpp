// SPDX-License-Identifier: Apache-2.0
#include <durable/concurrency/batch_json.hpp>
#include <durable/concurrency/combination_json.hpp>
#include <durable/serdes/json_serdes.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace durable;

namespace {

/// A batch of one item whose result is `payload`.
BatchRecord batchOf(const std::string& payload) {
    return {.reason = CompletionReason::allCompleted,
            .inputCount = 1,
            .items = {{.status = BatchItemStatus::succeeded, .payload = payload}}};
}

}  // namespace

TEST_CASE("a recorded batch with impossible counts or positions is refused") {
    const auto isJson = [](std::size_t) { return true; };
    const auto text = [](const std::string& all, const std::string& count) {
        return R"({"all":)" + all + R"(,"completionReason":"ALL_COMPLETED","inputCount":)" + count +
               "}";
    };
    CHECK_NOTHROW(batchFromJson(text(R"([{"index":0,"status":"STARTED"}])", "1"), isJson));

    CHECK_THROWS(batchFromJson(text(R"([{"index":-1,"status":"STARTED"}])", "1"), isJson));
    CHECK_THROWS(batchFromJson(text(R"([{"index":5,"status":"STARTED"}])", "1"), isJson));
    CHECK_THROWS(batchFromJson(
        text(R"([{"index":0,"status":"STARTED"},{"index":0,"status":"STARTED"}])", "2"), isJson));
    CHECK_THROWS(batchFromJson(text("[]", "-1"), isJson));
    CHECK_THROWS(batchFromJson(text("{}", "0"), isJson));
    CHECK_THROWS(batchFromJson(text("null", "0"), isJson));
}

TEST_CASE("a failed item without an error is thrown all the same") {
    const BatchRecord record{.reason = CompletionReason::allCompleted,
                             .inputCount = 1,
                             .items = {{.index = 0, .status = BatchItemStatus::failed}}};
    const BatchResult<int> result{record, [](const auto&) { return 1; }};

    CHECK_THROWS_AS(result.throwIfError(), ChildContextError);
    CHECK_THROWS_AS(result.getResults(), ChildContextError);
}

TEST_CASE("a record that is nested too deep is refused, however it is recorded") {
    const auto isJson = [](std::size_t) { return true; };
    const auto tooDeep = "JSON must be nested at most 512 deep, this is deeper";
    const auto deep = std::string(100'000, '[') + std::string(100'000, ']');

    CHECK_THROWS_WITH(batchFromJson(deep, isJson), tooDeep);
    CHECK_THROWS_WITH(batchFromJson(toJsonText(batchOf(deep), isJson), isJson), tooDeep);
    CHECK_THROWS_WITH(batchFromSummary(R"({"itemStatuses":)" + deep + "}"), tooDeep);
    CHECK_THROWS_WITH(fromJsonText<BatchResult<int>>(toJsonText(batchOf(deep), isJson)), tooDeep);
    CHECK_THROWS_WITH(valuesFromJson("[" + deep + "]"), tooDeep);
    CHECK_THROWS_WITH(settledFromJson(R"([{"status":"fulfilled","value":)" + deep + "}]"), tooDeep);
    CHECK_THROWS_WITH(winnerFromJson(R"({"index":0,"value":)" + deep + "}"), tooDeep);
}

TEST_CASE("a number in a batch result that does not fit is refused, as it is elsewhere") {
    const auto read = [](const std::string& payload) {
        const auto text = toJsonText(batchOf(payload), [](std::size_t) { return true; });
        return fromJsonText<BatchResult<std::vector<std::int8_t>>>(text).getResults().at(0).at(0);
    };

    CHECK(read("[127]") == 127);
    CHECK_THROWS_WITH(read("[300]"), "not an integer of this range: 300");
    CHECK_THROWS_WITH(fromJsonText<BatchResult<unsigned>>(
                          toJsonText(batchOf("-1"), [](std::size_t) { return true; })),
                      "not an integer of this range: -1");
}
