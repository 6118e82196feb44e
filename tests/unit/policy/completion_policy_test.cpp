// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/policy/completion_policy.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

using durable::BatchItemStatus;
using durable::CompletionConfig;
using durable::CompletionDecision;
using durable::CompletionPolicy;
using durable::CompletionProgress;
using durable::CompletionReason;
using durable::InvalidConfig;
using enum durable::CompletionReason;

namespace {

/// How a batch of items that run one after another ends.
struct Ended {
    CompletionReason reason{};
    std::size_t succeeded{};
    std::size_t failed{};

    friend bool operator==(const Ended&, const Ended&) = default;
};

Ended runOneByOne(const CompletionConfig& config, std::size_t total,
                  const std::set<std::size_t>& failing) {
    const CompletionPolicy policy{config, total};
    Ended ended;
    for (std::size_t index = 0;; ++index) {
        if (index > 0 || total == 0) {
            if (const auto reason = policy.decide(ended.succeeded, ended.failed)) {
                ended.reason = *reason;
                return ended;
            }
        }
        ++(failing.contains(index) ? ended.failed : ended.succeeded);
    }
}

const std::set<std::size_t> nothing{};
const std::set<std::size_t> everything{0, 1, 2, 3, 4};

}  // namespace

TEST_CASE("a batch without criteria stops at the first failure") {
    const CompletionPolicy policy{{}, 3};

    CHECK(policy.decide(2, 0) == std::nullopt);
    CHECK(policy.decide(0, 1) == failureToleranceExceeded);
}

TEST_CASE("a batch without criteria stops at a failure of its last item for that failure") {
    const CompletionPolicy policy{{}, 5};

    CHECK(policy.decide(4, 1) == failureToleranceExceeded);
    CHECK(policy.decide(5, 0) == allCompleted);
}

TEST_CASE("too many failures win over enough successes") {
    const CompletionPolicy policy{{.minSuccessful = 1, .toleratedFailureCount = 0}, 2};

    CHECK(policy.decide(1, 0) == minSuccessfulReached);
    CHECK(policy.decide(1, 1) == failureToleranceExceeded);
}

TEST_CASE("too many failures win over the end of the items") {
    const CompletionPolicy policy{{.toleratedFailureCount = 1}, 3};

    CHECK(policy.decide(2, 1) == allCompleted);
    CHECK(policy.decide(1, 2) == failureToleranceExceeded);
}

TEST_CASE("the end of the items wins over enough successes") {
    const CompletionPolicy policy{{.minSuccessful = 2}, 3};

    CHECK(policy.decide(2, 0) == minSuccessfulReached);
    CHECK(policy.decide(2, 1) == allCompleted);
    CHECK(policy.decide(3, 0) == allCompleted);
}

TEST_CASE("batches of five items, run one by one, end as in the table of the specification") {
    struct Row {
        std::string what;
        CompletionConfig config;
        std::set<std::size_t> failing;
        Ended ended;
    };
    const std::vector<Row> rows{
        {"none, 1 fails", {}, {1}, {failureToleranceExceeded, 1, 1}},
        {"none, 4 fails", {}, {4}, {failureToleranceExceeded, 4, 1}},
        {"min 3", {.minSuccessful = 3}, {0, 1}, {allCompleted, 3, 2}},
        {"min 4, unreachable", {.minSuccessful = 4}, {0, 1}, {allCompleted, 3, 2}},
        {"min 5, all of them", {.minSuccessful = 5}, nothing, {allCompleted, 5, 0}},
        {"min 2", {.minSuccessful = 2}, nothing, {minSuccessfulReached, 2, 0}},
        {"min 4, by the last", {.minSuccessful = 4}, {0}, {allCompleted, 4, 1}},
        {"count 0", {.toleratedFailureCount = 0}, {1}, {failureToleranceExceeded, 1, 1}},
        {"count 1", {.toleratedFailureCount = 1}, {1, 3}, {failureToleranceExceeded, 2, 2}},
        {"count 2, equal", {.toleratedFailureCount = 2}, {1, 3}, {allCompleted, 3, 2}},
        {"pct 40, equal", {.toleratedFailurePercentage = 40}, {1, 3}, {allCompleted, 3, 2}},
        {"pct 39.9",
         {.toleratedFailurePercentage = 39.9},
         {1, 3},
         {failureToleranceExceeded, 2, 2}},
        {"pct 0", {.toleratedFailurePercentage = 0}, {0}, {failureToleranceExceeded, 0, 1}},
        {"pct 100", {.toleratedFailurePercentage = 100}, everything, {allCompleted, 0, 5}},
        {"min 3 + count 1",
         {.minSuccessful = 3, .toleratedFailureCount = 1},
         {0, 1},
         {failureToleranceExceeded, 0, 2}},
        {"min 3 + count 2",
         {.minSuccessful = 3, .toleratedFailureCount = 2},
         {0, 1},
         {allCompleted, 3, 2}},
        {"count 3 + pct 20",
         {.toleratedFailureCount = 3, .toleratedFailurePercentage = 20},
         {0, 1},
         {failureToleranceExceeded, 0, 2}},
        {"count 1 + pct 100",
         {.toleratedFailureCount = 1, .toleratedFailurePercentage = 100},
         {0, 1},
         {failureToleranceExceeded, 0, 2}},
        {"allCompleted()", CompletionConfig::allCompleted(), everything, {allCompleted, 0, 5}},
        {"allSuccessful()",
         CompletionConfig::allSuccessful(),
         {2},
         {failureToleranceExceeded, 2, 1}},
        {"firstSuccessful()",
         CompletionConfig::firstSuccessful(),
         {0},
         {minSuccessfulReached, 1, 1}},
        {"firstSuccessful(), none does",
         CompletionConfig::firstSuccessful(),
         everything,
         {allCompleted, 0, 5}},
    };

    for (const auto& row : rows) {
        CAPTURE(row.what);
        const auto ended = runOneByOne(row.config, 5, row.failing);
        CHECK(ended.reason == row.ended.reason);
        CHECK(ended.succeeded == row.ended.succeeded);
        CHECK(ended.failed == row.ended.failed);
    }
}

TEST_CASE("an empty batch is complete whatever its criteria") {
    const std::vector<CompletionConfig> configs{
        {},
        {.minSuccessful = 1},
        {.minSuccessful = 0},
        {.toleratedFailureCount = 0},
        {.toleratedFailurePercentage = 0},
        CompletionConfig::allCompleted(),
        CompletionConfig::allSuccessful(),
        CompletionConfig::firstSuccessful(),
    };

    for (const auto& config : configs) {
        CHECK(runOneByOne(config, 0, nothing) == Ended{allCompleted, 0, 0});
    }
}

TEST_CASE("minSuccessful alone never stops a batch for its failures") {
    const CompletionPolicy policy{{.minSuccessful = 1}, 1'000'000};

    CHECK(policy.decide(0, 999'999) == std::nullopt);
    CHECK(policy.decide(1, 999'998) == minSuccessfulReached);
}

TEST_CASE("minSuccessful is never reached by more failures than the other criteria tolerate") {
    const CompletionPolicy policy{{.minSuccessful = 2, .toleratedFailurePercentage = 50}, 4};

    CHECK(policy.decide(1, 2) == std::nullopt);
    CHECK(policy.decide(1, 3) == failureToleranceExceeded);
    CHECK(policy.decide(2, 1) == minSuccessfulReached);
}

TEST_CASE("toleratedFailurePercentage is exact at its boundary") {
    const CompletionPolicy policy{{.toleratedFailurePercentage = 7}, 100};

    CHECK(policy.decide(0, 7) == std::nullopt);  // 7 of 100 is 7 %, not more
    CHECK(policy.decide(0, 8) == failureToleranceExceeded);
}

TEST_CASE("whole percentages agree with integer arithmetic for every number of items up to 200") {
    std::size_t wrong = 0;
    for (std::size_t total = 1; total <= 200; ++total) {
        for (std::size_t percentage = 0; percentage <= 100; ++percentage) {
            const CompletionPolicy policy{
                {.toleratedFailurePercentage = static_cast<double>(percentage)}, total};
            for (std::size_t failed = 0; failed <= total; ++failed) {
                const bool exceeds = 100 * failed > percentage * total;
                const bool stopped = policy.decide(0, failed) == failureToleranceExceeded;
                if (exceeds != stopped) ++wrong;
            }
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("a percentage is of all items, not of those that have finished") {
    const CompletionPolicy policy{{.toleratedFailurePercentage = 10}, 1000};

    CHECK(policy.decide(0, 100) == std::nullopt);
    CHECK(policy.decide(0, 101) == failureToleranceExceeded);
}

TEST_CASE("a percentage may be a fraction") {
    const CompletionPolicy policy{{.toleratedFailurePercentage = 0.5}, 1000};

    CHECK(policy.decide(0, 5) == std::nullopt);
    CHECK(policy.decide(0, 6) == failureToleranceExceeded);
}

TEST_CASE("minSuccessful out of range is refused, by name and with its bounds") {
    CHECK_NOTHROW(CompletionPolicy{{.minSuccessful = 1}, 3});
    CHECK_NOTHROW(CompletionPolicy{{.minSuccessful = 3}, 3});
    CHECK_THROWS_WITH((CompletionPolicy{{.minSuccessful = 4}, 3}),
                      "minSuccessful must be from 1 to 3, got 4");
    CHECK_THROWS_WITH((CompletionPolicy{{.minSuccessful = 0}, 3}),
                      "minSuccessful must be from 1 to 3, got 0");
    CHECK_THROWS_AS((CompletionPolicy{{.minSuccessful = 4}, 3}), InvalidConfig);
}

TEST_CASE("toleratedFailurePercentage out of range is refused, by name and with its bounds") {
    const auto of = [](double percentage) {
        return CompletionPolicy{{.toleratedFailurePercentage = percentage}, 3};
    };

    CHECK_NOTHROW(of(0));
    CHECK_NOTHROW(of(100));
    CHECK_THROWS_WITH(of(-0.5), "toleratedFailurePercentage must be from 0 to 100, got -0.5");
    CHECK_THROWS_WITH(of(100.5), "toleratedFailurePercentage must be from 0 to 100, got 100.5");
    CHECK_THROWS_WITH(of(std::numeric_limits<double>::quiet_NaN()),
                      "toleratedFailurePercentage must be from 0 to 100, got nan");
    CHECK_THROWS_WITH(of(std::numeric_limits<double>::infinity()),
                      "toleratedFailurePercentage must be from 0 to 100, got inf");
}

TEST_CASE("a percentage out of range is refused for an empty batch too") {
    CHECK_THROWS_AS((CompletionPolicy{{.toleratedFailurePercentage = 101}, 0}), InvalidConfig);
}

TEST_CASE("shouldComplete excludes every other criterion") {
    const auto goOn = [](const CompletionProgress&) { return CompletionDecision::goOn; };
    const std::string text =
        "shouldComplete excludes minSuccessful, toleratedFailureCount and "
        "toleratedFailurePercentage";

    CHECK_NOTHROW(CompletionPolicy{{.shouldComplete = goOn}, 3});
    CHECK_THROWS_WITH((CompletionPolicy{{.minSuccessful = 1, .shouldComplete = goOn}, 3}), text);
    CHECK_THROWS_WITH((CompletionPolicy{{.toleratedFailureCount = 1, .shouldComplete = goOn}, 3}),
                      text);
    CHECK_THROWS_WITH(
        (CompletionPolicy{{.toleratedFailurePercentage = 1, .shouldComplete = goOn}, 3}), text);
    CHECK_THROWS_AS((CompletionPolicy{{.minSuccessful = 1, .shouldComplete = goOn}, 3}),
                    InvalidConfig);
}

TEST_CASE("only a policy with shouldComplete asks it") {
    const auto goOn = [](const CompletionProgress&) { return CompletionDecision::goOn; };

    CHECK(CompletionPolicy{{.shouldComplete = goOn}, 3}.asksPredicate());
    CHECK_FALSE(CompletionPolicy{{.minSuccessful = 1}, 3}.asksPredicate());
}

TEST_CASE("what shouldComplete says is the reason") {
    auto answer = CompletionDecision::goOn;
    const CompletionPolicy policy{
        {.shouldComplete = [&](const CompletionProgress&) { return answer; }}, 2};
    const CompletionProgress half{.successCount = 1, .completedCount = 1, .totalCount = 2};
    const CompletionProgress all{.successCount = 2, .completedCount = 2, .totalCount = 2};

    CHECK(policy.decide(half) == std::nullopt);
    CHECK(policy.decide(all) == allCompleted);

    answer = CompletionDecision::completeAsSucceeded;
    CHECK(policy.decide(half) == customCompletionSucceeded);
    CHECK(policy.decide(all) == customCompletionSucceeded);

    answer = CompletionDecision::completeAsFailed;
    CHECK(policy.decide(half) == customCompletionFailed);
    CHECK(policy.decide(all) == customCompletionFailed);
}

TEST_CASE("failures do not stop a batch with shouldComplete by themselves") {
    const CompletionPolicy policy{
        {.shouldComplete = [](const CompletionProgress&) { return CompletionDecision::goOn; }}, 3};

    CHECK(policy.decide({.failureCount = 2, .completedCount = 2, .totalCount = 3}) == std::nullopt);
    CHECK(policy.decide({.failureCount = 3, .completedCount = 3, .totalCount = 3}) == allCompleted);
}

TEST_CASE("an empty batch with shouldComplete is complete, but the predicate may name the reason") {
    auto answer = CompletionDecision::goOn;
    const CompletionPolicy policy{
        {.shouldComplete = [&](const CompletionProgress&) { return answer; }}, 0};

    CHECK(policy.decide(CompletionProgress{}) == allCompleted);
    answer = CompletionDecision::completeAsFailed;
    CHECK(policy.decide(CompletionProgress{}) == customCompletionFailed);
}

TEST_CASE("percentages in tenths are exact at their boundary") {
    // 18.4 % of 375 items is 69, though no binary fraction is 18.4.
    for (std::size_t total = 1; total <= 1000; ++total) {
        for (std::size_t tenths = 0; tenths <= 1000; ++tenths) {
            const CompletionPolicy policy{
                {.toleratedFailurePercentage = static_cast<double>(tenths) / 10}, total};
            const std::size_t tolerated = tenths * total / 1000;
            const auto exceeds = [&](std::size_t failed) {
                return policy.decide(0, failed) == CompletionReason::failureToleranceExceeded;
            };
            if (exceeds(tolerated) || (tolerated < total && !exceeds(tolerated + 1))) {
                FAIL(tenths << " tenths of a percent of " << total);
            }
        }
    }
}

TEST_CASE("counts are exact at their boundaries, however large they are") {
    constexpr std::size_t total = 100;
    for (std::size_t bound = 1; bound < total; ++bound) {
        const CompletionPolicy least{{.minSuccessful = bound}, total};
        CHECK_FALSE(least.decide(bound - 1, 0));
        CHECK(least.decide(bound, 0) == CompletionReason::minSuccessfulReached);

        const CompletionPolicy most{{.toleratedFailureCount = bound - 1}, total};
        CHECK_FALSE(most.decide(0, bound - 1));
        CHECK(most.decide(0, bound) == CompletionReason::failureToleranceExceeded);
    }
}

TEST_CASE("a percentage a little below a third does not tolerate one failure of three") {
    for (const double tolerated : {33.0, 33.33, 33.3333, 33.333333}) {
        const CompletionPolicy policy{{.toleratedFailurePercentage = tolerated}, 3};
        CHECK(policy.decide(0, 1) == CompletionReason::failureToleranceExceeded);
    }
    const CompletionPolicy third{{.toleratedFailurePercentage = 100.0 / 3}, 3};
    CHECK_FALSE(third.decide(0, 1));
}
