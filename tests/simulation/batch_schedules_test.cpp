// SPDX-License-Identifier: Apache-2.0
// Every order in which the branches of a small batch can end, with every policy, limit and set of
// failures, against a model of the rules.
#include <simulation/batch_model.hpp>
#include <simulation/batch_run.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>

using namespace durable;

namespace {

const std::array policies{
    Rules{.name = "fail fast"},
    Rules{.name = "all", .toleratedFailurePercentage = 100},
    Rules{.name = "first", .minSuccessful = 1},
    Rules{.name = "two", .minSuccessful = 2},
    Rules{.name = "two, one failure", .minSuccessful = 2, .toleratedFailureCount = 1},
    Rules{.name = "one failure", .toleratedFailureCount = 1},
    Rules{.name = "half", .toleratedFailurePercentage = 50},
    Rules{.name = "predicate", .predicate = failsWhileOnlyOneFailed},
};

/// What is wrong, or nothing.
std::string problemOf(const Plan& plan, const Setting& setting) {
    Seen seen;
    const auto store = std::make_shared<RecordingStore>();
    const auto outcome = runPlan(plan, setting, seen, store);
    if (auto problem = problemOf(plan, outcome, seen, *store); !problem.empty()) return problem;

    Seen again;
    const auto replayed = runPlan(plan, setting, again, store->withoutEndOf(1));
    const bool isWhole = setting.inlineResultBytesMax == Limits{}.inlineResultBytesMax;
    if (isWhole && again.begun > 0) return "replay ran branches again";
    return replayed == outcome ? "" : fmt::format("{}, replayed {}", outcome, replayed);
}

/// Calls `visit` for every plan of so many branches that wait once.
template <class Visit>
void forEachPlan(std::size_t branches, Visit visit) {
    for (const auto& rules : policies) {
        if (rules.minSuccessful.value_or(0) > branches) continue;
        for (std::size_t limit = 1; limit <= branches; ++limit) {
            for (unsigned failing = 0; failing < 1U << branches; ++failing) {
                Plan plan{.rules = rules,
                          .limit = limit == branches ? unlimited : limit,
                          .suspensions = std::vector<int>(branches, 1),
                          .fails = std::vector<bool>(branches),
                          .order = std::vector<std::size_t>(branches)};
                for (std::size_t i = 0; i < branches; ++i) plan.fails[i] = (failing >> i & 1U) != 0;
                std::iota(plan.order.begin(), plan.order.end(), std::size_t{0});
                do visit(plan);
                while (std::ranges::next_permutation(plan.order).found);
            }
        }
    }
}

/// \param branchesMax may be changed by the environment's DURABLE_BRANCHES: 5 take twelve times as
///     long as 4.
void checkAll(const Setting& setting, std::size_t branchesMax) {
    if (const char* given = std::getenv("DURABLE_BRANCHES")) {
        branchesMax = std::strtoul(given, nullptr, 10);
    }
    std::size_t plans = 0;
    std::size_t problems = 0;
    for (std::size_t branches = 1; branches <= branchesMax; ++branches) {
        forEachPlan(branches, [&](const Plan& plan) {
            // Where items leave no record, nothing tells in which order they ended.
            const bool isFlat = setting.nesting == Nesting::flat && setting.maxParked == 0;
            if (isFlat && plan.rules.predicate != nullptr) return;
            ++plans;
            const auto problem = problemOf(plan, setting);
            if (problem.empty() || ++problems > 5) return;
            UNSCOPED_INFO(plan.text() << ": " << problem);
        });
    }
    INFO(plans << " schedules of up to " << branchesMax << " branches, " << setting.text());
    CHECK(problems == 0);
    CHECK(plans > 0);
}

}  // namespace

TEST_CASE("a batch goes by its rules in every order in which its branches may end") {
    checkAll({}, 4);
}

TEST_CASE("a batch goes by its rules when every suspension ends the invocation") {
    checkAll({.maxParked = 0}, 3);
}

TEST_CASE("a batch goes by its rules when its results are too large to be recorded whole") {
    checkAll({.inlineResultBytesMax = 4}, 3);
    checkAll({.maxParked = 0, .inlineResultBytesMax = 4}, 3);
}

TEST_CASE("a flat batch goes by its rules in every order in which its branches may end") {
    checkAll({.nesting = Nesting::flat}, 3);
}

TEST_CASE("a flat batch goes by its rules when every suspension ends the invocation") {
    checkAll({.nesting = Nesting::flat, .maxParked = 0}, 3);
}
