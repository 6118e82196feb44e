// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/request_id.hpp>
#include <durable/plugin/plugins.hpp>

#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// Tells plugins of one invocation: which entry means which hook, and when.
///
/// Thread-safety: none; the thread of its execution.
class PluginDispatch {
public:
    PluginDispatch(const Plugins& plugins, const ExecutionState& state)
        : plugins_{plugins}, state_{state} {}

    [[nodiscard]] const Plugins& plugins() const noexcept { return plugins_; }

    // --- from the engine ------------------------------------------------------------------------

    /// Hears of what earlier invocations have left, entry by entry. `operation`: what it is of.
    /// What a pass has told that died is not known: the next one tells it again.
    void loaded(const Entry& entry, const Operation& operation) {
        if (entry.kind == EntryKind::invocationCompleted) {
            begunBefore_ = true;
            if (entry.error) return;
            updated_.clear();
            untold_.clear();
        } else if (&operation != &state_.root()) {
            begunBefore_ = true;
            noteUpdate(entry.kind, operation);
        }
    }

    /// Before the handler's first statement.
    void begin(ExecutionInfo execution) {
        execution.input = state_.input();
        execution.startTime = state_.root().startTime;
        auto requestId = requestIdOf(execution.id, state_.invocationCount() + 1);
        execution_ = std::make_shared<const ExecutionInfo>(std::move(execution));
        invocation_.emplace(InvocationInfo{.execution = execution_,
                                           .requestId = std::move(requestId),
                                           .isFirstInvocation = !begunBefore_,
                                           .operations = {execution_, state_}});
        for (const auto* operation : updated_) {
            if (!isTerminal(operation->status)) untold_.erase(operation);
            auto info = infoOf(*operation, true);
            auto id = info.id;
            invocation_->updatedOperations.emplace(std::move(id), std::move(info));
        }
        phase_ = Phase::running;
        plugins_.each("onInvocationStart",
                      [&](Plugin& plugin) { plugin.onInvocationStart(*invocation_); });
    }

    /// The invocation is over. What it recorded is durable, unless it was lost; `repeated`: it was
    /// lost, or did not come to where it waits.
    void end(bool repeated) {
        if (!invocation_) return;
        for (const auto* operation : updated_) tellUpdatedEnd(*operation);
        InvocationEndInfo info{.invocation = std::move(*invocation_)};
        invocation_.reset();
        const auto& root = state_.root();
        if (repeated || (phase_ == Phase::running && !isTerminal(root.status))) {
            info.status = InvocationStatus::retrying;
        } else if (root.status == OperationStatus::succeeded) {
            info.status = InvocationStatus::succeeded;
            info.result = root.result;
        } else if (isTerminal(root.status)) {
            info.status = InvocationStatus::failed;
            info.error = root.error ? *root.error : ErrorObject{};
        }
        plugins_.each("onInvocationEnd", [&](Plugin& plugin) { plugin.onInvocationEnd(info); });
    }

    // --- from the invocation --------------------------------------------------------------------

    /// An entry was recorded as number `count`; `isNew`: it is the operation's first.
    void recorded(const Entry& entry, const Operation& operation, std::uint64_t count, bool isNew) {
        const bool over = entry.kind == EntryKind::invocationCompleted && phase_ == Phase::running;
        if (over) phase_ = Phase::over;
        if (&operation == &state_.root()) return;
        if (phase_ == Phase::waiting) return noteUpdate(entry.kind, operation);
        if (entry.kind == EntryKind::heartbeat) return;
        auto info = infoOf(operation, false);
        if (isNew) {
            begunHere_.insert(&operation);
            tellStart(info);
        }
        const bool tellEnd = isTerminal(operation.status) && phase_ == Phase::running;
        unwritten_.push_back({count, std::move(info), tellEnd});
    }

    /// The first `count` entries are durable.
    void written(std::uint64_t count) {
        std::size_t known = 0;
        while (known < unwritten_.size() && unwritten_[known].count <= count) ++known;
        if (known == 0) return;
        const auto middle = unwritten_.begin() + static_cast<std::ptrdiff_t>(known);
        std::vector<Unwritten> changes{std::make_move_iterator(unwritten_.begin()),
                                       std::make_move_iterator(middle)};
        unwritten_.erase(unwritten_.begin(), middle);

        OperationChangeInfo change{.execution = execution_, .operations = {execution_, state_}};
        for (const auto& each : changes) change.updatedOperations[each.info.id] = each.info;
        plugins_.each("onOperationChange",
                      [&](Plugin& plugin) { plugin.onOperationChange(change); });
        for (const auto& each : changes) {
            if (each.tellEnd) tellEnd(each.info);
        }
    }

    // --- from operations ------------------------------------------------------------------------

    /// The handler has come to an operation that is recorded.
    void reached(const Operation& operation) {
        if (!isTerminal(operation.status)) {
            tellStart(infoOf(operation, true));
        } else {
            tellUpdatedEnd(operation);
        }
    }

    /// An attempt that is about to run.
    [[nodiscard]] AttemptInfo attemptOf(const Operation& operation, std::uint32_t attempt) const {
        return {.operation = infoOf(operation, !begunHere_.contains(&operation)),
                .attempt = attempt};
    }

    /// The code of a context that is about to run.
    [[nodiscard]] ChildContextInfo contextStarts(const Operation& operation) const {
        ChildContextInfo info{.operation = infoOf(operation, !begunHere_.contains(&operation))};
        info.isReplayingChildren = hasRecorded(operation);
        plugins_.each("onChildContextStart",
                      [&](Plugin& plugin) { plugin.onChildContextStart(info); });
        return info;
    }

    void contextEnds(ChildContextInfo context, const std::exception_ptr& failure) const {
        ChildContextEndInfo info{.context = std::move(context)};
        if (failure) {
            info.outcome = AttemptOutcome::failed;
            info.error = errorObjectOf(failure);
        }
        plugins_.each("onChildContextEnd", [&](Plugin& plugin) { plugin.onChildContextEnd(info); });
    }

private:
    enum class Phase {
        waiting,  ///< the handler does not run yet
        running,
        over,  ///< what the world changes now is news for the next invocation
    };

    /// A change of status that is not durable yet.
    struct Unwritten {
        std::uint64_t count{};
        OperationInfo info{};
        bool tellEnd{};
    };

    /// Keeps what the world did while no handler ran. What a handler did that died before its
    /// invocation ended is not the world's doing.
    void noteUpdate(EntryKind kind, const Operation& operation) {
        if (!isNews(kind, operation.type)) return;
        if (untold_.insert(&operation).second) updated_.push_back(&operation);
    }

    [[nodiscard]] OperationInfo infoOf(const Operation& operation, bool isReplay) const {
        return detail::infoOf(execution_, operation, isReplay);
    }

    [[nodiscard]] static bool hasRecorded(const Operation& parent) {
        for (const auto& child : parent.children) {
            if (child && (child->recorded() || hasRecorded(*child))) return true;
        }
        return false;
    }

    void tellStart(const OperationInfo& info) const {
        plugins_.each("onOperationStart", [&](Plugin& plugin) { plugin.onOperationStart(info); });
    }

    void tellEnd(const OperationInfo& info) const {
        plugins_.each("onOperationEnd", [&](Plugin& plugin) { plugin.onOperationEnd(info); });
    }

    void tellUpdatedEnd(const Operation& operation) {
        if (!isTerminal(operation.status) || untold_.erase(&operation) == 0) return;
        tellEnd(infoOf(operation, true));
    }

    const Plugins& plugins_;
    const ExecutionState& state_;
    std::shared_ptr<const ExecutionInfo> execution_;
    std::optional<InvocationInfo> invocation_;
    Phase phase_{Phase::waiting};
    bool begunBefore_{};
    std::vector<const Operation*> updated_;        // by the world, before the handler runs
    std::unordered_set<const Operation*> untold_;  // those whose end no hook has told
    std::unordered_set<const Operation*> begunHere_;
    std::vector<Unwritten> unwritten_;
};

}  // namespace durable::inline v0
