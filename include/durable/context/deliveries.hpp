// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/operation.hpp>

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// What the world did to operations and the handler has not been told: it is told once that is
/// durable, in the order of the journal, and not before it has come to where its last pass ended.
/// So a handler that is run again does what one that stayed in memory does, even if what it waits
/// for comes at one time.
///
/// An operation says itself that it has news (`Operation::undelivered`).
/// Thread-safety: none.
class Deliveries {
public:
    /// Whether an entry of that kind is news: the handler waits for it and does not record it.
    [[nodiscard]] static bool isNews(EntryKind kind, OperationType type) {
        switch (kind) {
            case EntryKind::becameReady: return true;
            case EntryKind::succeeded:
            case EntryKind::failed:
            case EntryKind::timedOut:
            case EntryKind::cancelled:
            case EntryKind::stopped:
                return type == OperationType::wait || type == OperationType::callback ||
                       type == OperationType::chainedInvoke;
            case EntryKind::started:
            case EntryKind::retried:
            case EntryKind::heartbeat:
            case EntryKind::invocationCompleted: return false;
        }
        return false;
    }

    /// An entry of an earlier engine, or of a pass before this one. What the world did before a
    /// pass ended its handler has been told; so it has if the handler went on from there.
    void loaded(EntryKind kind, Operation& operation) {
        if (kind == EntryKind::invocationCompleted) {
            for (const auto& [told, number] : waiting_) told->undelivered = false;
            waiting_.clear();
        } else if (isNews(kind, operation.type)) {
            hold(operation);
            add(operation);
        } else if (operation.undelivered && kind != EntryKind::heartbeat) {
            operation.undelivered = false;
            waiting_.erase(&operation);
        }
    }

    /// The world has changed an operation, which is not durable yet.
    static void hold(Operation& operation) { operation.undelivered = true; }

    /// That is durable. \return whether the handler may be told: else it is when it has caught up.
    [[nodiscard]] bool mayDeliver(Operation& operation) {
        if (!caughtUp_) add(operation);
        return caughtUp_;
    }

    /// The handler has come to where its last pass ended.
    /// \return what it is to be told now, in order.
    [[nodiscard]] std::vector<Operation*> catchUp() {
        caughtUp_ = true;
        std::vector<std::pair<std::uint64_t, Operation*>> inOrder;
        inOrder.reserve(waiting_.size());
        for (const auto& [operation, number] : waiting_) inOrder.emplace_back(number, operation);
        waiting_.clear();
        std::ranges::sort(inOrder);
        std::vector<Operation*> operations;
        operations.reserve(inOrder.size());
        for (const auto& [number, operation] : inOrder) operations.push_back(operation);
        return operations;
    }

private:
    void add(Operation& operation) { waiting_[&operation] = ++count_; }

    bool caughtUp_{};
    std::uint64_t count_{};
    std::unordered_map<Operation*, std::uint64_t> waiting_;  // by the order of the journal
};

}  // namespace durable::inline v0
