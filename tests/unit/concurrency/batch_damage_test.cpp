// SPDX-License-Identifier: Apache-2.0
#include <durable/concurrency/batch_json.hpp>

#include <support/catch.hpp>

#include <string>

using namespace durable;

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
