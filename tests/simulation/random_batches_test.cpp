// SPDX-License-Identifier: Apache-2.0
// Batches too large for every order to be tried: random ones against the model, each also after a
// crash at any of its commits.
#include <simulation/batch_model.hpp>
#include <simulation/batch_run.hpp>
#include <support/catch.hpp>
#include <support/seed.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>

using namespace durable;

namespace {

CompletionDecision whenThirdOfFour(std::size_t succeeded, std::size_t failed) {
    const bool stops = (succeeded + failed) % 4 == 3;
    return stops ? CompletionDecision::completeAsSucceeded : CompletionDecision::goOn;
}

CompletionDecision whenTwoAndEven(std::size_t succeeded, std::size_t failed) {
    const bool stops = succeeded == 2 && failed % 2 == 0;
    return stops ? CompletionDecision::completeAsSucceeded : CompletionDecision::goOn;
}

class RandomBatch {
public:
    explicit RandomBatch(std::uint32_t seed) : random_{seed} {
        const auto branches = draw(4) == 0 ? draw(13) : draw(6);
        plan.limit = draw(2) == 0 ? unlimited : 1 + draw(branches + 1);
        plan.order.resize(branches);
        std::iota(plan.order.begin(), plan.order.end(), std::size_t{0});
        std::ranges::shuffle(plan.order, random_);
        for (std::size_t i = 0; i < branches; ++i) {
            plan.suspensions.push_back(static_cast<int>(draw(3)));
            plan.fails.push_back(draw(3) == 0);
        }
        drawRules(branches);
        setting = {.hasSteps = draw(2) == 0,
                   .nesting = draw(4) == 0 ? Nesting::flat : Nesting::nested,
                   .maxParked = draw(2) == 0 ? 0U : 1000U};
        if (draw(3) == 0) setting.inlineResultBytesMax = 4;
    }

    std::size_t draw(std::size_t below) { return random_() % below; }

    Plan plan;
    Setting setting;

private:
    void drawRules(std::size_t branches) {
        auto& rules = plan.rules;
        const auto kind = draw(4);
        if (kind == 0) {
            constexpr std::array<Rules::Predicate, 3> predicates{whenThirdOfFour, whenTwoAndEven,
                                                                 failsWhileOnlyOneFailed};
            rules.predicate = predicates.at(draw(predicates.size()));
        } else if (kind > 1) {
            if (branches > 0 && draw(2) == 0) rules.minSuccessful = 1 + draw(branches);
            if (draw(2) == 0) rules.toleratedFailureCount = draw(branches + 1);
            constexpr std::array percentages{0.0, 25.0, 33.4, 50.0, 100.0};
            if (draw(3) == 0) {
                rules.toleratedFailurePercentage = percentages.at(draw(percentages.size()));
            }
        }
    }

    std::mt19937 random_;
};

std::string problemOf(RandomBatch& batch) {
    const auto& plan = batch.plan;
    Setting setting = batch.setting;
    // Where items leave no record, nothing tells in which order they ended.
    const bool goesByOrder = setting.nesting == Nesting::flat && plan.rules.predicate != nullptr;
    if (goesByOrder) setting.maxParked = 1000;
    const auto store = std::make_shared<RecordingStore>();
    Seen seen;
    const auto outcome = runPlan(plan, setting, seen, store);
    if (auto problem = problemOf(plan, outcome, seen, *store); !problem.empty()) return problem;

    Seen again;
    const auto replayed = runPlan(plan, setting, again, store->withoutEndOf(1));
    if (replayed != outcome) return fmt::format("{}, replayed {}", outcome, replayed);
    if (goesByOrder) return "";
    const auto resume = [&](const std::shared_ptr<RecordingStore>& rest) {
        Seen after;
        const auto resumed = runPlan(plan, setting, after, rest);
        return problemOf(plan, resumed, after, *rest);
    };
    for (std::size_t crash = 1; crash < store->transactions(); ++crash) {
        setting.maxParked = batch.draw(2) == 0 ? 0U : 1000U;
        const auto rest = store->after(crash);
        auto problem = resume(rest);
        const auto second = crash + batch.draw(rest->transactions() - crash) + 1;
        if (problem.empty()) problem = resume(rest->after(second));
        if (!problem.empty()) {
            return fmt::format("after crashes behind commits {} and perhaps {}, {} parked: {}",
                               crash, second, setting.maxParked, problem);
        }
    }
    return "";
}

}  // namespace

TEST_CASE("random batches go by their rules, whatever happens to them, and after every crash") {
    const char* given = std::getenv("DURABLE_CASES");
    const auto cases = given != nullptr ? std::strtoul(given, nullptr, 10) : 300UL;
    const auto seed = newSeed();
    std::size_t problems = 0;
    for (std::uint32_t i = 0; i < cases && problems < 5; ++i) {
        RandomBatch batch{seed + i};
        const auto problem = problemOf(batch);
        if (problem.empty()) continue;
        ++problems;
        UNSCOPED_INFO("DURABLE_SEED=" << seed + i << ": " << batch.plan.text() << ", "
                                      << batch.setting.text() << ": " << problem);
    }
    CHECK(problems == 0);
}
