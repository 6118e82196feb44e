// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/operation_update.hpp>
#include <durable/journal/replay_check.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// What one pass of a handler called, in order, and what is recorded: for comparing two passes.
/// Kept only where replays are verified.
///
/// Thread-safety: none; the strand of its execution.
class CallTrace {
public:
    struct Call {
        const Operation* place{};
        OperationType type{OperationType::step};
        OperationSubType subType{OperationSubType::step};
        std::string name{};
        std::string parentId{};  ///< the nearest recorded context; empty: the execution
        bool wasRecorded{};      ///< when the call was made
        bool isVirtual{};        ///< a context that leaves no record of its own
        bool awaited{};
        std::optional<OperationUpdate> start{};  ///< what its start holds, if that tells more

        [[nodiscard]] OperationIdentity identity() const {
            return {.type = type, .subType = subType, .name = name};
        }
    };

    /// Tells a trace, which may be null, that the code of a context runs, and that it was dropped
    /// unless it has `finished`. Lives in the frame that awaits the code.
    class Visit {
    public:
        Visit(CallTrace* trace, const Operation& context) : trace_{trace}, context_{context} {
            if (trace_ != nullptr) trace_->runs_.insert(&context_);
        }
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        ~Visit() {
            if (trace_ != nullptr) trace_->runs_.erase(&context_);
        }

        /// The code has made all its calls.
        void finished() noexcept { trace_ = nullptr; }

    private:
        CallTrace* trace_;
        const Operation& context_;
    };

    void called(const Operation& place, const OperationIdentity& identity,
                const std::string& parentId) {
        if (place.parent == nullptr) return;
        const auto [at, isNew] = index_.try_emplace(&place, calls_.size());
        if (!isNew) return;
        calls_.push_back({.place = &place,
                          .type = identity.type,
                          .subType = identity.subType,
                          .name = std::string{identity.name},
                          .parentId = parentId,
                          .wasRecorded = place.recorded()});
    }

    void awaited(const Operation& place, bool isVirtual) {
        auto& call = calls_[index_.at(&place)];
        call.awaited = true;
        call.isVirtual = isVirtual;
    }

    /// The start of the operation holds, or would hold, `update`.
    void starts(const Operation& place, OperationUpdate update) {
        calls_[index_.at(&place)].start = std::move(update);
    }

    void recorded(const Entry& entry) { entries_.push_back(entry); }

    [[nodiscard]] const std::deque<Call>& calls() const noexcept { return calls_; }
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

    /// The call that took `place`, or null.
    [[nodiscard]] const Call* find(const Operation* place) const {
        const auto found = index_.find(place);
        return found == index_.end() ? nullptr : &calls_[found->second];
    }

    /// Whether the code of `context` ran and was not dropped before its end: then it has made every
    /// call that it can make.
    [[nodiscard]] bool ran(const Operation& context) const {
        return context.parent == nullptr || runs_.contains(&context);
    }

private:
    std::deque<Call> calls_;
    std::unordered_map<const Operation*, std::size_t> index_;
    std::unordered_set<const Operation*> runs_;
    std::vector<Entry> entries_;
};

}  // namespace durable::inline v0
