// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace durable::inline v0::sqlite {

/// Number of a row of the journal, from 1 and without gaps; 0: none.
using Position = std::int64_t;

/// Where the last row of each unfinished execution is: the beginning of the way back to all its
/// rows. Kept in memory, because an index on disk would cost a page per append.
///
/// Sorted by execution: 16 bytes each, and a new execution, having the greatest number, goes to the
/// end.
class LastPositions {
public:
    [[nodiscard]] std::size_t size() const noexcept { return places_.size() - erasedCount_; }

    [[nodiscard]] std::optional<Position> find(ExecutionId execution) const {
        const auto place = lowerBound(execution);
        if (place == places_.end() || place->execution != execution || place->position == erased) {
            return std::nullopt;
        }
        return place->position;
    }

    /// Makes room for `count` more, so that setting them cannot fail.
    void reserve(std::size_t count) {
        const auto wanted = places_.size() + count;
        if (wanted > places_.capacity()) places_.reserve(std::max(wanted, 2 * places_.size()));
    }

    void set(ExecutionId execution, Position position) {
        const auto place = lowerBound(execution);
        if (place == places_.end() || place->execution != execution) {
            places_.insert(place, {execution, position});
            return;
        }
        if (place->position == erased) --erasedCount_;
        place->position = position;
    }

    void erase(ExecutionId execution) {
        const auto place = lowerBound(execution);
        if (place == places_.end() || place->execution != execution || place->position == erased) {
            return;
        }
        place->position = erased;
        ++erasedCount_;
        if (erasedCount_ > places_.size() / 2) compact();
    }

    /// Calls `visit(execution, position)` for those whose last row is after `position`.
    template <class Visit>
    void forEachAfter(Position position, Visit visit) const {
        for (const auto& place : places_) {
            if (place.position > position) visit(place.execution, place.position);
        }
    }

private:
    struct Place {
        ExecutionId execution{};
        Position position{};
    };
    static constexpr Position erased = -1;

    [[nodiscard]] static bool isBefore(const Place& place, ExecutionId execution) {
        return place.execution < execution;
    }
    [[nodiscard]] std::vector<Place>::const_iterator lowerBound(ExecutionId execution) const {
        return std::lower_bound(places_.begin(), places_.end(), execution, isBefore);
    }
    [[nodiscard]] std::vector<Place>::iterator lowerBound(ExecutionId execution) {
        return std::lower_bound(places_.begin(), places_.end(), execution, isBefore);
    }

    void compact() {
        std::erase_if(places_, [](const Place& place) { return place.position == erased; });
        erasedCount_ = 0;
    }

    std::vector<Place> places_{};
    std::size_t erasedCount_{};
};

}  // namespace durable::inline v0::sqlite
