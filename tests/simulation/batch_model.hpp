// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/policy/completion_config.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

/// \file
/// The rules of batches, as a model that knows nothing of coroutines or journals.

inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// When a batch stops.
struct Rules {
    using Predicate = durable::CompletionDecision (*)(std::size_t succeeded, std::size_t failed);

    const char* name{""};
    std::optional<std::size_t> minSuccessful{};
    std::optional<std::size_t> toleratedFailureCount{};
    std::optional<double> toleratedFailurePercentage{};
    Predicate predicate{};  ///< in the place of the others

    [[nodiscard]] durable::CompletionConfig config() const {
        durable::CompletionConfig config{.minSuccessful = minSuccessful,
                                         .toleratedFailureCount = toleratedFailureCount,
                                         .toleratedFailurePercentage = toleratedFailurePercentage};
        if (predicate != nullptr) {
            config.shouldComplete = [this](const durable::CompletionProgress& progress) {
                return predicate(progress.successCount, progress.failureCount);
            };
        }
        return config;
    }
};

/// One way in which a batch may go.
struct Plan {
    Rules rules{};
    std::size_t limit{unlimited};
    std::vector<int> suspensions{};    ///< of each branch: how often it waits for the world
    std::vector<bool> fails{};         ///< of each branch
    std::vector<std::size_t> order{};  ///< of those in flight, the first one here goes on next

    [[nodiscard]] std::size_t branches() const { return suspensions.size(); }

    [[nodiscard]] std::string text() const {
        const auto& [name, least, count, percentage, predicate] = rules;
        auto text = fmt::format("rules {} {} {} {} {}, limit {}, branches", name,
                                least.value_or(unlimited), count.value_or(unlimited),
                                percentage.value_or(-1), predicate != nullptr, limit);
        for (std::size_t i = 0; i < branches(); ++i) {
            text += fmt::format(" {}{}", suspensions[i], fails[i] ? 'F' : 'S');
        }
        text += ", order";
        for (const auto branch : order) text += fmt::format(" {}", branch);
        return text;
    }
};

/// A predicate that takes back what it said.
inline durable::CompletionDecision failsWhileOnlyOneFailed(std::size_t succeeded,
                                                           std::size_t failed) {
    using enum durable::CompletionDecision;
    return failed == 1 && succeeded == 0 ? completeAsFailed : goOn;
}

class Model {
public:
    explicit Model(const Plan& plan) : plan_{plan}, left_{plan.suspensions} {
        if (plan.branches() == 0 || plan.rules.predicate != nullptr) decide();
        start();
        while (reason_ == nullptr) {
            const auto next = std::ranges::find_if(
                plan.order, [&](std::size_t branch) { return states_[branch] == 'T'; });
            if (--left_[*next] > 0) continue;
            end(*next);
            start();
        }
    }

    /// The reason, and a letter for each branch: Succeeded, Failed, sTarted, - not started.
    [[nodiscard]] std::string outcome() const { return fmt::format("{} {}", reason_, states_); }

private:
    [[nodiscard]] std::size_t count(char state) const {
        return static_cast<std::size_t>(std::ranges::count(states_, state));
    }

    /// Starts what may start. Those that do not wait end in the order of their starts, and make
    /// place for others only when all that could start have.
    void start() {
        bool any = true;
        while (any && reason_ == nullptr) {
            std::vector<std::size_t> ending;
            any = false;
            for (std::size_t branch = 0; branch < plan_.branches(); ++branch) {
                if (states_[branch] != '-' || count('T') >= plan_.limit) continue;
                states_[branch] = 'T';
                any = true;
                if (left_[branch] == 0) ending.push_back(branch);
            }
            for (const auto branch : ending) end(branch);
        }
    }

    void end(std::size_t branch) {
        if (reason_ != nullptr) return;
        states_[branch] = plan_.fails[branch] ? 'F' : 'S';
        decide();
    }

    void decide() {
        const auto failed = count('F');
        const auto succeeded = count('S');
        const bool allEnded = failed + succeeded == plan_.branches();
        const auto& rules = plan_.rules;
        if (rules.predicate != nullptr) {
            using enum durable::CompletionDecision;
            const auto decision = rules.predicate(succeeded, failed);
            if (decision == completeAsFailed) reason_ = "CUSTOM_COMPLETION_FAILED";
            if (decision == completeAsSucceeded) reason_ = "CUSTOM_COMPLETION_SUCCEEDED";
            if (decision == goOn && allEnded) reason_ = "ALL_COMPLETED";
            return;
        }
        const bool anyCriterion =
            rules.minSuccessful || rules.toleratedFailureCount || rules.toleratedFailurePercentage;
        const bool tooMany =
            (!anyCriterion && failed > 0) ||
            (rules.toleratedFailureCount && failed > *rules.toleratedFailureCount) ||
            (rules.toleratedFailurePercentage &&
             static_cast<double>(100 * failed) >
                 *rules.toleratedFailurePercentage * static_cast<double>(plan_.branches()));
        if (tooMany) {
            reason_ = "FAILURE_TOLERANCE_EXCEEDED";
        } else if (allEnded) {
            reason_ = "ALL_COMPLETED";
        } else if (rules.minSuccessful && succeeded >= *rules.minSuccessful) {
            reason_ = "MIN_SUCCESSFUL_REACHED";
        }
    }

    const Plan& plan_;
    std::vector<int> left_;
    std::string states_ = std::string(plan_.branches(), '-');
    const char* reason_{};
};
