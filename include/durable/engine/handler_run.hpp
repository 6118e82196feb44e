// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/engine/handler_frames.hpp>
#include <durable/engine/replay_verifier.hpp>
#include <durable/journal/request_id.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace durable::inline v0 {

/// One pass of a handler: its frames, how it and the execution end, and whether a replay of it
/// agrees.
///
/// Thread-safety: none; the strand of its execution.
class HandlerRun {
public:
    explicit HandlerRun(Invocation& invocation) : invocation_{invocation} {
        if (invocation.services().verifyReplay) {
            verifier_ = std::make_unique<ReplayVerifier>(invocation.services());
        }
    }

    /// Queues the handler's first statement.
    void start(const Handler& handler) {
        handler_ = &handler;
        startTime_ = invocation_.services().clock.now();
        frames_.start(invocation_, handler);
    }

    /// Lets the handler go as far as it can, by what it knows and then by what it is told.
    void goOn() {
        do invocation_.loop().run();
        while (started() && invocation_.tellNext());
    }

    [[nodiscard]] bool started() const noexcept { return frames_.started(); }
    [[nodiscard]] bool returned() const noexcept { return frames_.returned(); }

    /// When a replay is compared with the run.
    enum class Moment {
        written,   ///< a write has come back; the handler has not gone on from there
        waiting,   ///< the handler waits for the world
        returned,  ///< the handler has returned or thrown
    };

    /// Compares a replay with the run, where that is wanted; if it differs, halts the invocation.
    /// \return false if it differed.
    bool verifyReplay(Moment moment) {
        const bool runs = invocation_.state().status() == ExecutionStatus::running;
        if (!verifier_ || !started() || !runs || invocation_.halted() || invocation_.stopping()) {
            return true;
        }
        auto difference =
            verifier_->check({invocation_, frames_}, *handler_, moment != Moment::written);
        if (!difference) return true;
        invocation_.halt(std::move(*difference));
        return false;
    }

    /// Records that this pass of the handler ends here, and destroys its frames. No body may refer
    /// to them any more.
    /// \return false if there was no pass.
    bool endPass() {
        if (!started()) return false;
        complete(startTime_, {});
        drop();
        return true;
    }

    /// Records that the pass before this one has ended, if a crash kept it from doing so itself.
    void recordCrash() {
        const auto& state = invocation_.state();
        if (state.status() != ExecutionStatus::running || !state.openInvocation()) return;
        complete(*state.openInvocation(),
                 ErrorObject{.type = "Runtime.ExitError",
                             .message = "The process ended before the invocation did."});
    }

    /// Records how the handler ended: it returned, threw, or was halted. An end that is refused,
    /// such as a result that is too large, fails the execution with the reason.
    void recordEnd() {
        if (returned()) verifyReplay(Moment::returned);
        if (started()) complete(startTime_, {});
        OperationUpdate update{.action = OperationAction::fail, .type = OperationType::execution};
        if (invocation_.halted()) {
            update.error = invocation_.halted();
        } else if (auto& outcome = frames_.outcome(); outcome.succeeded()) {
            update.action = OperationAction::succeed;
            update.payload = outcome.take();
        } else {
            update.error = errorObjectOf(outcome.exception());
        }
        const auto refusal = keep(std::move(update));
        if (!refusal) return;
        keep({.action = OperationAction::fail,
              .type = OperationType::execution,
              .error = ErrorObject{
                  .type = "InvalidParameterValueException",
                  .message = "The end of the handler was refused: " + refusal->message}});
    }

    /// Destroys the frames. No body may refer to them any more.
    void drop() { frames_.drop(); }

private:
    void complete(TimePoint start, std::optional<ErrorObject> error) {
        const auto number = invocation_.state().invocationCount() + 1;
        keep({.action = OperationAction::completeInvocation,
              .details = EntryDetails{.invocationStart = start,
                                      .requestId = requestIdOf(invocation_.identity().id, number)},
              .error = std::move(error)});
    }

    std::optional<Refusal> keep(OperationUpdate update) {
        const auto& services = invocation_.services();
        auto applied =
            apply(invocation_.state(), std::move(update), services.clock.now(), services.limits);
        if (auto* refusal = std::get_if<Refusal>(&applied)) return std::move(*refusal);
        invocation_.keep(std::move(std::get<Entry>(applied)));
        return std::nullopt;
    }

    Invocation& invocation_;
    const Handler* handler_{};
    HandlerFrames frames_;
    std::unique_ptr<ReplayVerifier> verifier_;  ///< null: not wanted
    TimePoint startTime_{};
};

}  // namespace durable::inline v0
