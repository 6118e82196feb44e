// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/require.hpp>
#include <durable/policy/completion_config.hpp>

#include <cstddef>
#include <optional>
#include <utility>

/// \file
/// Decides when a batch stops, and why. Counts in, decision out: no clock, no journal, no
/// coroutine, so the live run and its replay agree because they ask the same function.

namespace durable::inline v0 {

/// Why a batch stopped.
enum class CompletionReason {
    allCompleted,               ///< every item succeeded or failed
    minSuccessfulReached,       ///< enough items succeeded; the others are not awaited
    failureToleranceExceeded,   ///< too many items failed; no further item is started
    customCompletionSucceeded,  ///< `shouldComplete` said so
    customCompletionFailed,     ///< `shouldComplete` said so
};

/// The stopping rule of one batch of `total` items.
///
/// Thread-safety: immutable after construction.
class CompletionPolicy {
public:
    /// An empty batch is complete whatever its criteria.
    /// \throws InvalidConfig if a criterion of `config` is out of range for `total` items.
    CompletionPolicy(CompletionConfig config, std::size_t total)
        : config_{std::move(config)}, total_{total} {
        const auto& [minSuccessful, count, percentage, shouldComplete] = config_;
        if (shouldComplete && (minSuccessful || count || percentage)) {
            throw InvalidConfig{
                "shouldComplete excludes minSuccessful, toleratedFailureCount and "
                "toleratedFailurePercentage"};
        }
        if (total_ > 0) requireRange("minSuccessful", minSuccessful, std::size_t{1}, total_);
        requireRange("toleratedFailurePercentage", percentage, 0.0, 100.0);
    }

    [[nodiscard]] bool asksPredicate() const noexcept { return bool{config_.shouldComplete}; }

    /// The reason to stop now, or nothing while the batch should go on.
    ///
    /// Too many failures win over every other reason. Source: AWS durable execution docs,
    /// operations/map.md, "Completion strategies".
    [[nodiscard]] std::optional<CompletionReason> decide(std::size_t succeeded,
                                                         std::size_t failed) const {
        using enum CompletionReason;
        if (exceedsTolerance(failed)) return failureToleranceExceeded;
        if (succeeded + failed == total_) return allCompleted;
        if (config_.minSuccessful && succeeded >= *config_.minSuccessful) {
            return minSuccessfulReached;
        }
        return std::nullopt;
    }

    /// The same for a batch that asks a predicate.
    [[nodiscard]] std::optional<CompletionReason> decide(const CompletionProgress& progress) const {
        using enum CompletionReason;
        switch (config_.shouldComplete(progress)) {
            case CompletionDecision::completeAsSucceeded: return customCompletionSucceeded;
            case CompletionDecision::completeAsFailed: return customCompletionFailed;
            case CompletionDecision::goOn: break;
        }
        if (progress.completedCount == total_) return allCompleted;
        return std::nullopt;
    }

private:
    [[nodiscard]] bool exceedsTolerance(std::size_t failed) const {
        const auto& [minSuccessful, count, percentage, shouldComplete] = config_;
        if (!minSuccessful && !count && !percentage) return failed > 0;
        if (count && failed > *count) return true;

        // Compared by cross-multiplication: 7 / 100.0 * 100 is greater than 7. The slack is for
        // percentages that binary fractions only come near, such as 18.4.
        constexpr double slack = 1e-9;
        const auto total = static_cast<double>(total_);
        return percentage && 100.0 * static_cast<double>(failed) > (*percentage + slack) * total;
    }

    CompletionConfig config_;
    std::size_t total_;
};

}  // namespace durable::inline v0
