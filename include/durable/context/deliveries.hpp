// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/operation.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// What the world did to operations and the handler has not been told. It is told once that is
/// durable, one thing after the other in the order of the journal, and goes as far as it can by
/// each: so a handler that is run again does what one that stayed in memory did, whatever came at
/// one time.
///
/// An operation says itself that it has news (`Operation::undelivered`).
/// Thread-safety: none.
class Deliveries {
public:
    /// An entry of an earlier engine, or of a pass before this one. What the world did before a
    /// pass ended its handler has been told, unless a crash ended it; so it has if the handler went
    /// on from there.
    void loaded(const Entry& entry, Operation& operation) {
        if (entry.kind == EntryKind::invocationCompleted) {
            if (entry.error) return;
            for (const auto& [told, number] : loaded_) told->undelivered = false;
            loaded_.clear();
        } else if (isNews(entry.kind, operation.type)) {
            hold(operation);
            loaded_.emplace(&operation, ++loadedCount_);
        } else if (operation.undelivered && entry.kind != EntryKind::heartbeat) {
            operation.undelivered = false;
            loaded_.erase(&operation);
        }
    }

    /// The world has changed an operation, which is not durable yet.
    static void hold(Operation& operation) { operation.undelivered = true; }

    /// That is durable: the handler may be told when it has gone as far as it can.
    void add(Operation& operation) { queue_.push_back(&operation); }

    /// What the handler is to be told next, or null. It must have gone as far as it can: at first,
    /// to where its last pass ended.
    [[nodiscard]] Operation* next() {
        if (!loaded_.empty()) queueLoaded();
        if (queue_.empty()) return nullptr;
        auto* operation = queue_.front();
        queue_.pop_front();
        operation->undelivered = false;
        return operation;
    }

private:
    void queueLoaded() {
        std::vector<std::pair<std::uint64_t, Operation*>> inOrder;
        inOrder.reserve(loaded_.size());
        for (const auto& [operation, number] : loaded_) inOrder.emplace_back(number, operation);
        loaded_.clear();
        std::ranges::sort(inOrder, std::ranges::greater{});
        for (const auto& [number, operation] : inOrder) queue_.push_front(operation);
    }

    std::uint64_t loadedCount_{};
    std::unordered_map<Operation*, std::uint64_t> loaded_;  // their order in the journal
    std::deque<Operation*> queue_;
};

}  // namespace durable::inline v0
