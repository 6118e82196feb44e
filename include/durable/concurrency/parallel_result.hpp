// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/concurrency/batch_result.hpp>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace durable::inline v0 {

/// What a parallel of differently typed branches ended with: a `BatchResult` whose results are a
/// tuple, in the order of the branches. A `void` branch gives `std::monostate`.
template <class... Ts>
class ParallelResult : public detail::BatchResultBase<ParallelResult<Ts...>> {
    using Base = detail::BatchResultBase<ParallelResult<Ts...>>;

    template <class T>
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    using Tuple = std::tuple<Value<Ts>...>;

    /// \param decode called as `decode(std::integral_constant<std::size_t, I>, recorded)` for each
    ///     branch that succeeded, in order.
    template <class Decode>
    ParallelResult(const BatchRecord& record, Decode decode)
        : Base{record.reason, record.inputCount} {
        for (const auto& recorded : record.items) {
            BatchItem<void> item{.index = recorded.index,
                                 .name = recorded.name,
                                 .status = recorded.status,
                                 .error = {}};
            if (item.status == BatchItemStatus::failed) {
                item.error = ChildContextError{recorded.error.value_or(ErrorObject{})};
            }
            items_.push_back(std::move(item));
        }
        read(record, decode, std::index_sequence_for<Ts...>{});
    }

    /// Every started branch, without its result.
    [[nodiscard]] const std::vector<BatchItem<void>>& all() const noexcept { return items_; }

    [[nodiscard]] std::vector<BatchItem<void>> succeeded() const {
        return select(BatchItemStatus::succeeded);
    }
    [[nodiscard]] std::vector<BatchItem<void>> failed() const {
        return select(BatchItemStatus::failed);
    }
    [[nodiscard]] std::vector<BatchItem<void>> started() const {
        return select(BatchItemStatus::started);
    }

    /// The result of branch `I`, or empty if it did not succeed.
    template <std::size_t I>
    [[nodiscard]] const auto& result() const noexcept {
        return std::get<I>(results_);
    }

    /// The results of all branches. Throws the first failure; if no branch failed, but one has no
    /// result because the batch ended before it, `BatchCompletionError`.
    [[nodiscard]] Tuple getResults() const {
        this->throwFirstFailure();
        return std::apply(
            [this](const auto&... results) {
                if (!(results.has_value() && ...)) {
                    throw BatchCompletionError{
                        {.type = "BatchCompletionError",
                         .message = "A branch has no result: the batch ended before it (" +
                                    std::string{toString(this->completionReason())} + ")"}};
                }
                return Tuple{*results...};
            },
            results_);
    }

private:
    template <class Decode, std::size_t... Is>
    void read(const BatchRecord& record, Decode& decode, std::index_sequence<Is...>) {
        (readOne<Is>(record, decode), ...);
    }

    template <std::size_t I, class Decode>
    void readOne(const BatchRecord& record, Decode& decode) {
        const auto recorded = std::ranges::find(record.items, I, &BatchRecord::Item::index);
        if (recorded == record.items.end()) return;
        if (recorded->status != BatchItemStatus::succeeded) return;
        std::get<I>(results_).emplace(decode(std::integral_constant<std::size_t, I>{}, *recorded));
    }

    [[nodiscard]] std::vector<BatchItem<void>> select(BatchItemStatus status) const {
        std::vector<BatchItem<void>> selected;
        std::ranges::copy_if(items_, std::back_inserter(selected),
                             [&](const auto& item) { return item.status == status; });
        return selected;
    }

    std::vector<BatchItem<void>> items_;
    std::tuple<std::optional<Value<Ts>>...> results_;
};

}  // namespace durable::inline v0
