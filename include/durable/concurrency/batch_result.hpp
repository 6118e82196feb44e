// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/boxed.hpp>
#include <durable/base/error.hpp>
#include <durable/concurrency/batch_record.hpp>
#include <durable/policy/completion_policy.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// How a batch counts as a whole.
enum class BatchStatus { Completed, Failed };

[[nodiscard]] constexpr std::string_view toString(BatchStatus status) {
    return status == BatchStatus::Completed ? "COMPLETED" : "FAILED";
}

[[nodiscard]] constexpr std::string_view toString(CompletionReason reason) {
    switch (reason) {
        case CompletionReason::allCompleted: return "ALL_COMPLETED";
        case CompletionReason::minSuccessfulReached: return "MIN_SUCCESSFUL_REACHED";
        case CompletionReason::failureToleranceExceeded: return "FAILURE_TOLERANCE_EXCEEDED";
        case CompletionReason::customCompletionSucceeded: return "CUSTOM_COMPLETION_SUCCEEDED";
        case CompletionReason::customCompletionFailed: return "CUSTOM_COMPLETION_FAILED";
    }
    return "";
}

[[nodiscard]] constexpr std::string_view toString(BatchItemStatus status) {
    switch (status) {
        case BatchItemStatus::succeeded: return "SUCCEEDED";
        case BatchItemStatus::failed: return "FAILED";
        case BatchItemStatus::started: return "STARTED";
    }
    return "";
}

namespace detail {

/// `Failed` if any item failed, unless a `shouldComplete` said otherwise.
[[nodiscard]] constexpr BatchStatus batchStatus(CompletionReason reason, bool hasFailure) {
    if (reason == CompletionReason::customCompletionSucceeded) return BatchStatus::Completed;
    if (reason == CompletionReason::customCompletionFailed) return BatchStatus::Failed;
    return hasFailure ? BatchStatus::Failed : BatchStatus::Completed;
}

}  // namespace detail

/// One started item of a batch.
template <class T>
struct BatchItem {
    std::size_t index{};  ///< position in the input, so that `input[item.index]` is its item
    std::string name{};
    BatchItemStatus status{BatchItemStatus::started};
    std::optional<T> result{};         ///< set if it succeeded
    Boxed<ChildContextError> error{};  ///< set if it failed; used like an optional
};

template <>
struct BatchItem<void> {
    std::size_t index{};
    std::string name{};
    BatchItemStatus status{BatchItemStatus::started};
    Boxed<ChildContextError> error{};
};

namespace detail {

/// What all batch results tell, whatever the type of their items. `Derived` has `all()`.
template <class Derived>
class BatchResultBase {
public:
    /// `Failed` if any item failed, unless a `shouldComplete` said otherwise.
    [[nodiscard]] BatchStatus status() const { return batchStatus(reason_, hasFailure()); }

    /// Why the batch stopped.
    [[nodiscard]] CompletionReason completionReason() const noexcept { return reason_; }

    [[nodiscard]] bool hasFailure() const { return failureCount() > 0; }

    /// Items that were started. Those that were not are in `notStarted()` only.
    [[nodiscard]] std::size_t totalCount() const { return self().all().size(); }
    [[nodiscard]] std::size_t successCount() const { return count(BatchItemStatus::succeeded); }
    [[nodiscard]] std::size_t failureCount() const { return count(BatchItemStatus::failed); }

    /// Items that were in flight when the batch ended. They were stopped; nothing of them goes on.
    [[nodiscard]] std::size_t startedCount() const { return count(BatchItemStatus::started); }

    /// Positions in the input of the items that were never started, in rising order.
    [[nodiscard]] std::vector<std::size_t> notStarted() const {
        std::vector<std::size_t> indices;
        std::size_t next = 0;
        for (const auto& item : self().all()) {
            for (; next < item.index; ++next) indices.push_back(next);
            next = item.index + 1;
        }
        for (; next < inputCount_; ++next) indices.push_back(next);
        return indices;
    }

    /// Throws the error of the failed item with the lowest index; if no item failed, but the batch
    /// counts as failed, `BatchCompletionError`.
    void throwIfError() const {
        throwFirstFailure();
        if (status() == BatchStatus::Completed) return;
        throw BatchCompletionError{{.type = "BatchCompletionError",
                                    .message = "Batch completed as failed by shouldComplete (" +
                                               std::string{toString(reason_)} + ")"}};
    }

protected:
    BatchResultBase() = default;
    BatchResultBase(CompletionReason reason, std::size_t inputCount)
        : reason_{reason}, inputCount_{inputCount} {}

    void throwFirstFailure() const {
        for (const auto& item : self().all()) {
            if (item.error) throw *item.error;
        }
    }

    [[nodiscard]] std::size_t inputCount() const noexcept { return inputCount_; }

private:
    [[nodiscard]] const Derived& self() const { return static_cast<const Derived&>(*this); }

    [[nodiscard]] std::size_t count(BatchItemStatus status) const {
        const auto& items = self().all();
        return static_cast<std::size_t>(
            std::ranges::count_if(items, [&](const auto& item) { return item.status == status; }));
    }

    CompletionReason reason_{CompletionReason::allCompleted};
    std::size_t inputCount_{};
};

}  // namespace detail

/// What a map, or a parallel of branches of one type, ended with.
///
/// A failed item is an entry, not an exception. Equal on the first run and on every replay.
template <class T>
class BatchResult : public detail::BatchResultBase<BatchResult<T>> {
    using Base = detail::BatchResultBase<BatchResult<T>>;

public:
    BatchResult() = default;

    /// \param decode from the payload of a succeeded item to its value; called in index order.
    template <class Decode>
    BatchResult(BatchRecord record, Decode decode) : Base{record.reason, record.inputCount} {
        items_.reserve(record.items.size());
        for (auto& recorded : record.items) {
            BatchItem<T> item;
            item.index = recorded.index;
            item.name = std::move(recorded.name);
            item.status = recorded.status;
            if (item.status == BatchItemStatus::failed) {
                item.error = ChildContextError{recorded.error.value_or(ErrorObject{})};
            }
            if constexpr (!std::is_void_v<T>) {
                if (item.status == BatchItemStatus::succeeded) {
                    item.result.emplace(decode(recorded));
                }
            }
            recorded.payload.reset();  // there may be millions, and each is there twice now
            items_.push_back(std::move(item));
        }
    }

    /// Every started item, in the order of the input.
    [[nodiscard]] const std::vector<BatchItem<T>>& all() const& noexcept { return items_; }
    [[nodiscard]] std::vector<BatchItem<T>> all() && noexcept { return std::move(items_); }

    [[nodiscard]] std::vector<BatchItem<T>> succeeded() const {
        return select(BatchItemStatus::succeeded);
    }
    [[nodiscard]] std::vector<BatchItem<T>> failed() const {
        return select(BatchItemStatus::failed);
    }
    [[nodiscard]] std::vector<BatchItem<T>> started() const {
        return select(BatchItemStatus::started);
    }

    /// The results of the items that succeeded, in the order of the input; nothing for `void`.
    /// Throws the error of the failed item with the lowest index if there is one.
    auto getResults() const {
        this->throwFirstFailure();
        if constexpr (!std::is_void_v<T>) {
            std::vector<T> results;
            for (const auto& item : items_) {
                if (item.result) results.push_back(*item.result);
            }
            return results;
        }
    }

    /// Items of the input, started or not.
    using Base::inputCount;

private:
    [[nodiscard]] std::vector<BatchItem<T>> select(BatchItemStatus status) const {
        std::vector<BatchItem<T>> selected;
        std::ranges::copy_if(items_, std::back_inserter(selected),
                             [&](const auto& item) { return item.status == status; });
        return selected;
    }

    std::vector<BatchItem<T>> items_;
};

}  // namespace durable::inline v0
