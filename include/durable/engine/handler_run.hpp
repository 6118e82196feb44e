// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/context/durable_context.hpp>
#include <durable/engine/handler_registry.hpp>

#include <optional>
#include <string>
#include <utility>

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
                                 invocation_.scope(),
                                 "",
                                 OperationType::execution,
                                 OperationSubType::none,
                                 "",
                                 false};
        context_.emplace(self, invocation_.scope(), false);
        task_.emplace(handler(*context_, invocation_.state().input()));
        task_->start(invocation_.scope());
    }

    [[nodiscard]] bool started() const noexcept { return task_.has_value(); }
    [[nodiscard]] bool returned() const noexcept { return task_ && task_->done(); }

    /// How the handler ended: it returned, threw, or was halted.
    [[nodiscard]] OperationUpdate end() {
        OperationUpdate update{.action = OperationAction::fail, .type = OperationType::execution};
        if (invocation_.halted()) {
            update.error = invocation_.halted();
        } else if (auto& outcome = task_->outcome(); outcome.succeeded()) {
            update.action = OperationAction::succeed;
            update.payload = outcome.take();
        } else {
            update.error = errorObjectOf(outcome.exception());
        }
        return update;
    }

    /// Destroys the frames. No body may refer to them any more.
    void drop() {
        task_.reset();
        context_.reset();
    }

private:
    Invocation& invocation_;
    std::optional<DurableContext> context_;
    std::optional<Task<Payload>> task_;
};

}  // namespace durable::inline v0
