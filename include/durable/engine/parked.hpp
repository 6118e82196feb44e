// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/store.hpp>

#include <cstddef>
#include <iterator>
#include <list>
#include <optional>
#include <unordered_map>

namespace durable::inline v0 {

/// The executions that wait with their frames in memory, least recently used first, and how many
/// of them there may be.
///
/// Thread-safety: none.
class Parked {
public:
    explicit Parked(std::size_t limit) : limit_{limit} {}

    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }

    /// \return the execution that has to go for it, if there are too many now.
    std::optional<ExecutionId> add(ExecutionId execution) {
        remove(execution);
        order_.push_back(execution);
        places_.emplace(execution, std::prev(order_.end()));
        if (places_.size() <= limit_) return std::nullopt;
        const auto oldest = order_.front();
        remove(oldest);
        return oldest;
    }

    void remove(ExecutionId execution) {
        const auto place = places_.find(execution);
        if (place == places_.end()) return;
        order_.erase(place->second);
        places_.erase(place);
    }

private:
    std::size_t limit_;
    std::list<ExecutionId> order_;
    std::unordered_map<ExecutionId, std::list<ExecutionId>::iterator> places_;
};

}  // namespace durable::inline v0
