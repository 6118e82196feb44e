// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/handler_frames.hpp>
#include <durable/engine/replay_report.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace durable::inline v0 {

/// One pass of a handler, as the comparison sees it.
struct ComparedPass {
    Invocation& invocation;
    HandlerFrames& frames;
};

/// Finds where the replay of a run differs from the run itself.
///
/// Both know the same entries, but the run may not have gone on yet from the latest of them: the
/// replay may be further. Then branches may end in another order, so that a batch or combination
/// that the run has not decided yet is decided otherwise: what was dropped there is not compared.
class ReplayComparison {
public:
    /// Gives the entry with which an operation started.
    using StartOf = std::function<const Entry*(const Operation&)>;

    ReplayComparison(ComparedPass run, ComparedPass replay, StartOf startOf)
        : run_{run}, replay_{replay}, startOf_{std::move(startOf)} {}

    /// \param exact whether the run has gone as far as it can, so that the replay may not be ahead.
    /// \return what an author is told, or empty if they agree.
    [[nodiscard]] std::optional<std::string> difference(bool exact) {
        if (decidesFlatBatch()) exact = false;
        for (const auto& call : replayed().calls()) {
            if (auto found = differs(call)) return found;
            if (auto found = exact ? isAhead(call) : std::nullopt) return found;
        }
        if (const auto& halted = replay_.invocation.halted()) {
            return "Verified replay failed where the run before it did not: " +
                   detail::describeError(*halted);
        }
        for (const auto& call : made().calls()) {
            if (auto found = isMissing(call)) return found;
        }
        return exact ? endsDiffer() : std::nullopt;
    }

private:
    using Call = CallTrace::Call;

    [[nodiscard]] const CallTrace& made() const { return *run_.invocation.trace(); }
    [[nodiscard]] const CallTrace& replayed() const { return *replay_.invocation.trace(); }

    /// The place of `operation` in the other pass, or null if nothing was there yet.
    [[nodiscard]] static const Operation* placeIn(const ComparedPass& pass,
                                                  const Operation& operation) {
        if (operation.parent == nullptr) return &pass.invocation.state().root();
        const auto* parent = placeIn(pass, *operation.parent);
        return parent != nullptr ? parent->child(operation.number) : nullptr;
    }

    /// Whether the call is a batch's, which calls no item again that has ended.
    [[nodiscard]] static bool isItem(const Call& call) {
        return call.subType == OperationSubType::mapIteration ||
               call.subType == OperationSubType::parallelBranch;
    }

    /// Whether a flat batch was decided in the replay and not yet in the run. That is no mistake:
    /// nothing tells in which order its items ended, and a predicate may have gone by that.
    [[nodiscard]] bool decidesFlatBatch() const {
        return std::ranges::any_of(replayed().calls(), [&](const Call& call) {
            if (!isItem(call) || !call.isVirtual || !isTerminal(call.place->parent->status))
                return false;
            const auto* batch = placeIn(run_, *call.place->parent);
            return batch == nullptr || !isTerminal(batch->status);
        });
    }

    [[nodiscard]] static std::string at(const Call& call) {
        return "operation " + operationIdOf(*call.place);
    }

    /// Whether the call is not the one that was made, or recorded, at its place.
    [[nodiscard]] std::optional<std::string> differs(const Call& call) const {
        const auto* place = placeIn(run_, *call.place);
        const auto* before = made().find(place);
        if (call.wasRecorded) {
            Call recorded = before != nullptr ? *before : call;
            recorded.type = place->type;
            recorded.subType = place->subType;
            recorded.name = place->name;
            if (!same(recorded, call)) return report(call, detail::describeCall(recorded));
            return call.start ? startDiffers(call, *place) : std::nullopt;
        }
        if (before == nullptr || same(*before, call)) return std::nullopt;
        return report(call, detail::describeCall(*before) + ", not recorded yet");
    }

    /// The parent is not compared: the place, and which contexts around it are virtual, say it.
    [[nodiscard]] static bool same(const Call& recorded, const Call& requested) {
        const bool bothAwaited = recorded.awaited && requested.awaited;
        return recorded.type == requested.type && recorded.subType == requested.subType &&
               recorded.name == requested.name &&
               (!bothAwaited || recorded.isVirtual == requested.isVirtual);
    }

    [[nodiscard]] std::optional<std::string> startDiffers(const Call& call,
                                                          const Operation& place) const {
        const auto* recorded = startOf_(place);
        if (recorded == nullptr || detail::sameStart(*recorded, *call.start)) return std::nullopt;
        const auto text = detail::describeCall(call);
        return detail::replayReport(
            at(call), text + detail::describeStart(call.type, *recorded, *call.start),
            text + detail::describeStart(call.type, *call.start, *recorded));
    }

    /// Whether the run, which has gone as far as it can, has not come to this call.
    [[nodiscard]] std::optional<std::string> isAhead(const Call& call) const {
        if (call.wasRecorded) return std::nullopt;
        const auto* before = made().find(placeIn(run_, *call.place));
        if (before != nullptr && (before->awaited || !call.awaited)) return std::nullopt;
        if (before != nullptr) return report(call, detail::describeCall(*before) + ", not awaited");
        const auto* context = placeIn(run_, *call.place->parent);
        const bool ran = context != nullptr && made().ran(*context);
        if (!ran && (!call.awaited || call.isVirtual)) return std::nullopt;
        return report(call, "nothing");
    }

    /// Whether the replay passed by a call that the run has made.
    [[nodiscard]] std::optional<std::string> isMissing(const Call& call) const {
        const auto* place = placeIn(replay_, *call.place);
        if (replayed().find(place) != nullptr) return std::nullopt;
        if (place != nullptr && isItem(call) && isTerminal(place->status)) return std::nullopt;
        const auto* context = placeIn(replay_, *call.place->parent);
        if (context == nullptr || !replayed().ran(*context)) return std::nullopt;
        return detail::replayReport(at(call), detail::describeCall(call), "nothing");
    }

    [[nodiscard]] std::optional<std::string> endsDiffer() {
        const bool ended = run_.frames.returned();
        if (ended != replay_.frames.returned()) {
            auto& pass = ended ? run_ : replay_;
            const auto& end = pass.frames.outcome();
            const auto text = "the handler " + detail::describeEnd(end, end);
            const std::string waits = "the handler waits";
            return detail::replayReport("the end of the handler", ended ? text : waits,
                                        ended ? waits : text);
        }
        if (!ended) return std::nullopt;
        const auto& recorded = run_.frames.outcome();
        const auto& requested = replay_.frames.outcome();
        if (sameEnd(recorded, requested)) return std::nullopt;
        return detail::replayReport("the end of the handler",
                                    "the handler " + detail::describeEnd(recorded, requested),
                                    "the handler " + detail::describeEnd(requested, recorded));
    }

    [[nodiscard]] static bool sameEnd(const Outcome<Payload>& recorded,
                                      const Outcome<Payload>& requested) {
        if (recorded.succeeded() != requested.succeeded()) return false;
        if (recorded.succeeded()) return recorded.value() == requested.value();
        const auto first = errorObjectOf(recorded.exception());
        const auto second = errorObjectOf(requested.exception());
        return first.type == second.type && first.message == second.message &&
               first.data == second.data;
    }

    [[nodiscard]] static std::string report(const Call& call, const std::string& recorded) {
        return detail::replayReport(at(call), recorded, detail::describeCall(call));
    }

    ComparedPass run_;
    ComparedPass replay_;
    StartOf startOf_;
};

}  // namespace durable::inline v0
