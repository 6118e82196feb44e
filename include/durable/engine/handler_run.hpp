// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/context/durable_context.hpp>
#include <durable/engine/handler_registry.hpp>
#include <durable/journal/request_id.hpp>

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace durable::inline v0 {

/// The frames of one pass of a handler, from its first statement until it returns or they are
/// dropped.
///
/// Thread-safety: none; the strand of its execution.
class HandlerRun {
public:
    explicit HandlerRun(Invocation& invocation) : invocation_{invocation} {}

    /// Queues the handler's first statement.
    void start(const Handler& handler) {
        const OperationCall self{invocation_,
                                 invocation_.state().root(),
                                 "",
                                 OperationType::execution,
                                 OperationSubType::none,
                                 "",
                                 false};
        startTime_ = invocation_.services().clock.now();
        context_.emplace(self, invocation_.scope(), false);
        task_.emplace(handler(*context_, invocation_.state().input()));
        task_->start(invocation_.scope());
    }

    [[nodiscard]] bool started() const noexcept { return task_.has_value(); }
    [[nodiscard]] bool returned() const noexcept { return task_ && task_->done(); }

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
        if (started()) complete(startTime_, {});
        OperationUpdate update{.action = OperationAction::fail, .type = OperationType::execution};
        if (invocation_.halted()) {
            update.error = invocation_.halted();
        } else if (auto& outcome = task_->outcome(); outcome.succeeded()) {
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
    void drop() {
        task_.reset();
        context_.reset();
    }

private:
    void complete(TimePoint start, std::optional<ErrorObject> error) {
        const auto number = invocation_.state().invocationCount() + 1;
        keep({.action = OperationAction::completeInvocation,
              .error = std::move(error),
              .invocationStart = start,
              .requestId = requestIdOf(invocation_.identity().id, number)});
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
    std::optional<DurableContext> context_;
    std::optional<Task<Payload>> task_;
    TimePoint startTime_{};
};

}  // namespace durable::inline v0
