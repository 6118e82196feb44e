// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/seed.hpp"

#include <durable/concurrency/batch_json.hpp>
#include <durable/concurrency/batch_result.hpp>
#include <durable/concurrency/parallel_result.hpp>
#include <durable/serdes/json_serdes.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using durable::BatchCompletionError;
using durable::batchFromJson;
using durable::batchFromSummary;
using durable::BatchItemStatus;
using durable::BatchRecord;
using durable::BatchResult;
using durable::BatchStatus;
using durable::ChildContextError;
using durable::CompletionReason;
using durable::ErrorObject;
using durable::ParallelResult;
using durable::toSummaryText;
using nlohmann::json;
using enum durable::BatchItemStatus;
using enum durable::CompletionReason;

namespace {

const auto asJson = [](std::size_t) { return true; };
const auto asText = [](std::size_t) { return false; };
const auto readInt = [](const BatchRecord::Item& item) { return std::stoi(item.payload.value()); };
const auto readNothing = [](const BatchRecord::Item&) {};

BatchRecord::Item item(std::size_t index, BatchItemStatus status, std::string payload = "") {
    BatchRecord::Item made{.index = index,
                           .name = "item-" + std::to_string(index),
                           .status = status,
                           .payload = {},
                           .error = {}};
    if (status == succeeded && !payload.empty()) made.payload = std::move(payload);
    if (status == failed) {
        made.error =
            ErrorObject{.type = "CardError", .message = "declined " + std::to_string(index)};
    }
    return made;
}

BatchRecord recordOf(CompletionReason reason, std::size_t inputCount,
                     std::vector<BatchRecord::Item> items) {
    return {.reason = reason, .inputCount = inputCount, .items = std::move(items)};
}

/// Of 7 items, 1 and 4 succeeded, 3 failed, 5 is in flight, 0, 2 and 6 never started.
BatchRecord mixed(CompletionReason reason = failureToleranceExceeded) {
    return recordOf(
        reason, 7,
        {item(1, succeeded, "10"), item(3, failed), item(4, succeeded, "40"), item(5, started)});
}

BatchRecord allGood() {
    return recordOf(allCompleted, 2, {item(0, succeeded, "1"), item(1, succeeded, "2")});
}

template <class Items>
std::vector<std::size_t> indicesOf(const Items& items) {
    std::vector<std::size_t> indices;
    for (const auto& each : items) indices.push_back(each.index);
    return indices;
}

using Indices = std::vector<std::size_t>;

void checkEqual(const BatchRecord& left, const BatchRecord& right) {
    CHECK(left.reason == right.reason);
    CHECK(left.inputCount == right.inputCount);
    REQUIRE(left.items.size() == right.items.size());
    for (std::size_t i = 0; i < left.items.size(); ++i) {
        CHECK(left.items[i].index == right.items[i].index);
        CHECK(left.items[i].name == right.items[i].name);
        CHECK(left.items[i].status == right.items[i].status);
        CHECK(left.items[i].payload == right.items[i].payload);
        CHECK(left.items[i].error == right.items[i].error);
    }
}

}  // namespace

TEMPLATE_TEST_CASE("a batch result tells what became of every item", "", int, void) {
    const BatchResult<TestType> result{mixed(), [](const BatchRecord::Item& each) {
                                           if constexpr (!std::is_void_v<TestType>) {
                                               return readInt(each);
                                           }
                                       }};

    CHECK(result.inputCount() == 7);
    CHECK(result.totalCount() == 4);
    CHECK(result.successCount() == 2);
    CHECK(result.failureCount() == 1);
    CHECK(result.startedCount() == 1);
    CHECK(result.hasFailure());
    CHECK(result.status() == BatchStatus::Failed);
    CHECK(result.completionReason() == failureToleranceExceeded);
    CHECK(indicesOf(result.all()) == Indices{1, 3, 4, 5});
    CHECK(indicesOf(result.succeeded()) == Indices{1, 4});
    CHECK(indicesOf(result.failed()) == Indices{3});
    CHECK(indicesOf(result.started()) == Indices{5});
    CHECK(result.notStarted() == Indices{0, 2, 6});
    CHECK(result.all()[1].name == "item-3");
    REQUIRE(result.all()[1].error.has_value());
    CHECK(std::string{result.all()[1].error->what()} == "declined 3");
    CHECK(result.all()[1].error->errorType() == "CardError");
    CHECK_FALSE(result.all()[0].error.has_value());
    CHECK_THROWS_WITH(result.getResults(), "declined 3");
    CHECK_THROWS_AS(result.throwIfError(), ChildContextError);
}

TEST_CASE("only items that succeeded have a result") {
    const BatchResult<int> result{mixed(), readInt};

    CHECK(result.all()[0].result == 10);
    CHECK(result.all()[1].result == std::nullopt);
    CHECK(result.all()[3].result == std::nullopt);
}

TEST_CASE("results come in the order of the input if no item failed") {
    const BatchResult<int> result{
        recordOf(minSuccessfulReached, 5,
                 {item(0, started), item(2, succeeded, "20"), item(4, succeeded, "40")}),
        readInt};

    CHECK(result.getResults() == std::vector<int>{20, 40});
    CHECK(result.status() == BatchStatus::Completed);
    CHECK_FALSE(result.hasFailure());
    CHECK_NOTHROW(result.throwIfError());
}

TEST_CASE("a batch without results has none to get, but its failures are thrown") {
    const BatchResult<void> good{recordOf(allCompleted, 1, {item(0, succeeded)}), readNothing};

    CHECK(std::is_void_v<decltype(good.getResults())>);
    CHECK_NOTHROW(good.getResults());
    CHECK(good.successCount() == 1);
}

TEST_CASE("the first failure is that with the lowest index") {
    const BatchResult<int> result{
        recordOf(allCompleted, 3, {item(0, succeeded, "1"), item(1, failed), item(2, failed)}),
        readInt};

    CHECK_THROWS_WITH(result.getResults(), "declined 1");
    CHECK_THROWS_WITH(result.throwIfError(), "declined 1");
}

TEST_CASE("enough successes with a failure among them count as failed") {
    const BatchResult<int> result{
        recordOf(minSuccessfulReached, 3, {item(0, failed), item(1, succeeded, "1")}), readInt};

    CHECK(result.status() == BatchStatus::Failed);
}

TEST_CASE("what shouldComplete decided is the status, whatever became of the items") {
    const BatchResult<int> good{mixed(customCompletionSucceeded), readInt};
    auto record = allGood();
    record.reason = customCompletionFailed;
    const BatchResult<int> bad{record, readInt};

    CHECK(good.status() == BatchStatus::Completed);
    CHECK(good.hasFailure());
    CHECK(bad.status() == BatchStatus::Failed);
    CHECK_FALSE(bad.hasFailure());
}

TEST_CASE("a batch that shouldComplete completed as failed throws though no item failed") {
    auto record = allGood();
    record.reason = customCompletionFailed;
    const BatchResult<int> result{record, readInt};

    CHECK_THROWS_WITH(result.throwIfError(),
                      "Batch completed as failed by shouldComplete (CUSTOM_COMPLETION_FAILED)");
    CHECK_THROWS_AS(result.throwIfError(), BatchCompletionError);
    CHECK(result.getResults() == std::vector<int>{1, 2});
}

TEST_CASE(
    "a failed item is thrown first, even where shouldComplete said that the batch succeeded") {
    const BatchResult<int> result{mixed(customCompletionSucceeded), readInt};

    CHECK_THROWS_WITH(result.throwIfError(), "declined 3");
}

TEST_CASE("an empty batch is completed and has nothing in it") {
    const BatchResult<int> result{recordOf(allCompleted, 0, {}), readInt};

    CHECK(result.status() == BatchStatus::Completed);
    CHECK(result.totalCount() == 0);
    CHECK(result.all().empty());
    CHECK(result.notStarted().empty());
    CHECK(result.getResults().empty());
    CHECK_NOTHROW(result.throwIfError());
}

TEST_CASE("a batch result prints as in AWS's documentation") {
    CHECK(toString(BatchStatus::Completed) == "COMPLETED");
    CHECK(toString(BatchStatus::Failed) == "FAILED");
    CHECK(toString(allCompleted) == "ALL_COMPLETED");
    CHECK(toString(minSuccessfulReached) == "MIN_SUCCESSFUL_REACHED");
    CHECK(toString(failureToleranceExceeded) == "FAILURE_TOLERANCE_EXCEEDED");
    CHECK(toString(customCompletionSucceeded) == "CUSTOM_COMPLETION_SUCCEEDED");
    CHECK(toString(customCompletionFailed) == "CUSTOM_COMPLETION_FAILED");
    CHECK(toString(succeeded) == "SUCCEEDED");
    CHECK(toString(failed) == "FAILED");
    CHECK(toString(started) == "STARTED");
}

namespace {

/// A parallel of three branches: a number, a text, nothing.
struct ReadBranch {
    int operator()(std::integral_constant<std::size_t, 0>, const BatchRecord::Item& each) {
        return readInt(each);
    }
    std::string operator()(std::integral_constant<std::size_t, 1>, const BatchRecord::Item& each) {
        return *each.payload;
    }
    std::monostate operator()(std::integral_constant<std::size_t, 2>, const BatchRecord::Item&) {
        return {};
    }
};
using Three = ParallelResult<int, std::string, void>;

}  // namespace

TEST_CASE("the results of a parallel are a tuple, in the order of the branches") {
    const Three result{
        recordOf(allCompleted, 3,
                 {item(0, succeeded, "7"), item(1, succeeded, "x"), item(2, succeeded)}),
        ReadBranch{}};
    const auto [number, text, none] = result.getResults();

    CHECK(number == 7);
    CHECK(text == "x");
    CHECK(none == std::monostate{});
    CHECK(result.status() == BatchStatus::Completed);
    CHECK(result.totalCount() == 3);
    CHECK(result.result<0>() == 7);
    CHECK(result.result<2>().has_value());
}

TEST_CASE("a parallel with a failed branch throws its error and keeps the other results") {
    const Three result{
        recordOf(failureToleranceExceeded, 3, {item(0, succeeded, "7"), item(1, failed)}),
        ReadBranch{}};

    CHECK_THROWS_WITH(result.getResults(), "declined 1");
    CHECK_THROWS_WITH(result.throwIfError(), "declined 1");
    CHECK(result.result<0>() == 7);
    CHECK(result.result<1>() == std::nullopt);
    CHECK(indicesOf(result.all()) == Indices{0, 1});
    CHECK(indicesOf(result.succeeded()) == Indices{0});
    CHECK(indicesOf(result.failed()) == Indices{1});
    CHECK(result.notStarted() == Indices{2});
}

TEST_CASE("a parallel that ended before a branch has no tuple, and says why") {
    const Three inFlight{
        recordOf(minSuccessfulReached, 3,
                 {item(0, succeeded, "7"), item(1, succeeded, "x"), item(2, started)}),
        ReadBranch{}};
    const Three neverStarted{recordOf(minSuccessfulReached, 3, {item(0, succeeded, "7")}),
                             ReadBranch{}};
    const std::string text =
        "A branch has no result: the batch ended before it (MIN_SUCCESSFUL_REACHED)";

    CHECK_THROWS_WITH(inFlight.getResults(), text);
    CHECK_THROWS_WITH(neverStarted.getResults(), text);
    CHECK_THROWS_AS(neverStarted.getResults(), BatchCompletionError);
    CHECK(indicesOf(inFlight.started()) == Indices{2});
    CHECK_NOTHROW(inFlight.throwIfError());
}

TEST_CASE("a batch is recorded in the form of AWS's SDKs") {
    CHECK(toJsonText(mixed(), asJson) ==
          R"({"all":[{"result":10,"index":1,"name":"item-1","status":"SUCCEEDED"},)"
          R"({"error":{"ErrorType":"CardError","ErrorMessage":"declined 3"},)"
          R"("index":3,"name":"item-3","status":"FAILED"},)"
          R"({"result":40,"index":4,"name":"item-4","status":"SUCCEEDED"},)"
          R"({"index":5,"name":"item-5","status":"STARTED"}],)"
          R"("completionReason":"FAILURE_TOLERANCE_EXCEEDED","inputCount":7})");
    CHECK(toJsonText(recordOf(allCompleted, 0, {}), asJson) ==
          R"({"all":[],"completionReason":"ALL_COMPLETED","inputCount":0})");
}

TEST_CASE("a payload that is no JSON stands in a recorded batch as a string") {
    const auto record = recordOf(allCompleted, 1, {item(0, succeeded, "<1>\"")});
    const auto text = toJsonText(record, asText);

    CHECK(json::parse(text).at("all").at(0).at("result") == "<1>\"");
    checkEqual(batchFromJson(text, asText), record);
}

TEST_CASE("a recorded batch reads back as it was written") {
    for (const auto reason : {allCompleted, minSuccessfulReached, failureToleranceExceeded,
                              customCompletionSucceeded, customCompletionFailed}) {
        checkEqual(batchFromJson(toJsonText(mixed(reason), asJson), asJson), mixed(reason));
        checkEqual(batchFromJson(toJsonText(mixed(reason), asText), asText), mixed(reason));
    }
}

TEST_CASE("the members of a recorded value keep their order") {
    const auto record =
        recordOf(allCompleted, 1, {item(0, succeeded, R"({"z":1,"a":[null,1.5]})")});

    checkEqual(batchFromJson(toJsonText(record, asJson), asJson), record);
}

TEST_CASE("a failed item is recorded with every cause") {
    auto record = recordOf(allCompleted, 1, {item(0, failed)});
    const ErrorObject cause{.type = "CardError", .data = "51"};
    record.items[0].error =
        ErrorObject{.type = "StepError", .cause = std::make_shared<const ErrorObject>(cause)};

    checkEqual(batchFromJson(toJsonText(record, asJson), asJson), record);
}

TEST_CASE("what is no recorded batch is refused") {
    for (
        const auto* text : {
            "",
            "{",
            "[]",
            "null",
            "{}",
            R"({"all":[],"completionReason":"ALL_COMPLETED"})",
            R"({"all":[],"inputCount":0})",
            R"({"completionReason":"ALL_COMPLETED","inputCount":0})",
            R"({"all":[],"completionReason":"DONE","inputCount":0})",
            R"({"all":[],"completionReason":7,"inputCount":0})",
            R"({"all":[],"completionReason":"ALL_COMPLETED","inputCount":"0"})",
            R"({"all":[7],"completionReason":"ALL_COMPLETED","inputCount":1})",
            R"({"all":[{"index":0}],"completionReason":"ALL_COMPLETED","inputCount":1})",
            R"({"all":[{"status":"FAILED"}],"completionReason":"ALL_COMPLETED","inputCount":1})",
            R"({"all":[{"index":0,"status":"GONE"}],"completionReason":"ALL_COMPLETED","inputCount":1})",
            R"({"all":[{"index":0,"status":"FAILED","name":1}],"completionReason":"ALL_COMPLETED","inputCount":1})",
        }) {
        CAPTURE(text);
        CHECK_THROWS_AS(batchFromJson(text, asJson), std::exception);
    }
    CHECK_THROWS_WITH(
        batchFromJson(R"({"all":[],"completionReason":"DONE","inputCount":0})", asJson),
        "unknown name in a batch result: DONE");
}

TEST_CASE("a summary tells what became of which item, and why the batch stopped") {
    CHECK(toSummaryText(mixed(), "MapResult", "") ==
          R"({"type":"MapResult","totalCount":4,"successCount":2,"failureCount":1,)"
          R"("startedCount":1,"completionReason":"FAILURE_TOLERANCE_EXCEEDED",)"
          R"("status":"FAILED","itemStatuses":"-S-FST-"})");
    CHECK(json::parse(toSummaryText(allGood(), "ParallelResult", "")).at("status") == "SUCCEEDED");
}

TEST_CASE("a summary has room for the author's own text") {
    CHECK(json::parse(toSummaryText(allGood(), "MapResult", "2 of 2")).at("summary") == "2 of 2");
    CHECK_FALSE(json::parse(toSummaryText(allGood(), "MapResult", "")).contains("summary"));
}

TEST_CASE("a summary reads back as its batch without names, payloads and errors") {
    const auto seed = newSeed();
    std::mt19937 generator{seed};
    for (int round = 0; round < 100; ++round) {
        BatchRecord record{.reason = static_cast<CompletionReason>(generator() % 5),
                           .inputCount = generator() % 40,
                           .items = {}};
        for (std::size_t index = 0; index < record.inputCount; ++index) {
            const auto kind = generator() % 4;
            if (kind == 3) continue;
            BatchRecord::Item bare;
            bare.index = index;
            bare.status = static_cast<BatchItemStatus>(kind);
            record.items.push_back(bare);
        }
        CAPTURE(seed, round);
        checkEqual(batchFromSummary(toSummaryText(record, "MapResult", "")), record);
    }
}

TEST_CASE("what is no summary is refused") {
    for (const auto* text : {
             "",
             "{}",
             "[]",
             "null",
             R"({"itemStatuses":"S"})",
             R"({"completionReason":"ALL_COMPLETED"})",
             R"({"completionReason":"ALL_COMPLETED","itemStatuses":7})",
             R"({"completionReason":"ALL_COMPLETED","itemStatuses":"SX"})",
             R"({"completionReason":"DONE","itemStatuses":"S"})",
         }) {
        CAPTURE(text);
        CHECK_THROWS_AS(batchFromSummary(text), std::exception);
    }
    CHECK_THROWS_WITH(
        batchFromSummary(R"({"completionReason":"ALL_COMPLETED","itemStatuses":"X"})"),
        "unknown item status in a batch summary");
}

TEST_CASE("a batch result is a value that can be recorded, with its methods") {
    const BatchResult<int> result{mixed(), readInt};
    const auto text = durable::toJsonText(result);
    const auto again = durable::fromJsonText<BatchResult<int>>(text);

    CHECK(durable::toJsonText(again) == text);
    CHECK(again.all()[0].result == 10);
    CHECK(again.notStarted() == Indices{0, 2, 6});
    CHECK_THROWS_WITH(again.throwIfError(), "declined 3");
}

TEST_CASE("a batch result without results, and one of batch results, can be recorded too") {
    const BatchResult<void> nothing{mixed(), readNothing};
    CHECK(durable::fromJsonText<BatchResult<void>>(durable::toJsonText(nothing)).failureCount() ==
          1);

    const auto inner = durable::toJsonText(BatchResult<int>{allGood(), readInt});
    const BatchResult<BatchResult<int>> outer{
        recordOf(allCompleted, 1, {item(0, succeeded, inner)}), [](const BatchRecord::Item& each) {
            return durable::fromJsonText<BatchResult<int>>(*each.payload);
        }};
    const auto again =
        durable::fromJsonText<BatchResult<BatchResult<int>>>(durable::toJsonText(outer));
    CHECK(again.getResults().at(0).getResults() == std::vector<int>{1, 2});
}
