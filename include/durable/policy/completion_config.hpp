// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

namespace durable::inline v0 {

/// State of one item of a batch.
enum class BatchItemStatus {
    succeeded,
    failed,
    started,  ///< still in flight when the batch ended
};

/// What a `shouldComplete` predicate sees of one item.
struct ItemProgress {
    std::size_t index{};                      ///< position in the input
    std::string_view name{};                  ///< valid during the call only
    std::optional<BatchItemStatus> status{};  ///< empty while the item has not been started
};

/// What a `shouldComplete` predicate sees of the batch.
struct CompletionProgress {
    std::size_t successCount{};
    std::size_t failureCount{};
    std::size_t completedCount{};           ///< successes and failures
    std::size_t totalCount{};               ///< all items of the input
    std::span<const ItemProgress> items{};  ///< in the order of the input; valid during the call
};

/// Whether a batch goes on, and if not, how it counts.
enum class CompletionDecision { goOn, completeAsSucceeded, completeAsFailed };

/// When a map or parallel stops before every item has finished.
///
/// A criterion left empty does not count. With all of them empty, the first failure stops the
/// batch.
struct CompletionConfig {
    /// Stop once this many items have succeeded. From 1 to the number of items.
    std::optional<std::size_t> minSuccessful{};

    /// Stop once more than this many items have failed. 0 stops at the first failure.
    std::optional<std::size_t> toleratedFailureCount{};

    /// Stop once more than this share of all items has failed, in percent. From 0 to 100.
    std::optional<double> toleratedFailurePercentage{};

    /// Decides instead of the criteria above, which must be empty then. Asked before the first
    /// item is started and after each item has finished, until it says stop; not asked again after
    /// that. Asked on replay too, so it must depend on its argument only: on replay the items that
    /// had been started since it was last asked have their status already.
    std::function<CompletionDecision(const CompletionProgress&)> shouldComplete{};

    /// Runs every item, whatever fails.
    [[nodiscard]] static CompletionConfig allCompleted() {
        return {.toleratedFailurePercentage = 100};
    }

    /// Stops at the first failure.
    [[nodiscard]] static CompletionConfig allSuccessful() { return {.toleratedFailureCount = 0}; }

    /// Stops at the first success.
    [[nodiscard]] static CompletionConfig firstSuccessful() { return {.minSuccessful = 1}; }
};

}  // namespace durable::inline v0
