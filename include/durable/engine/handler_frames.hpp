// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>
#include <durable/engine/handler_registry.hpp>

#include <optional>

namespace durable::inline v0 {

/// The frames of one pass of a handler, from its first statement until it returns or they are
/// dropped.
///
/// Thread-safety: none; the strand of its execution.
class HandlerFrames {
public:
    /// Queues the handler's first statement. `invocation` must outlive the frames.
    void start(Invocation& invocation, const Handler& handler) {
        const OperationCall self{invocation,
                                 invocation.state().root(),
                                 "",
                                 OperationType::execution,
                                 OperationSubType::none,
                                 "",
                                 false};
        context_.emplace(self, invocation.scope(), false);
        task_.emplace(handler(*context_, invocation.state().input()));
        task_->start(invocation.scope());
    }

    [[nodiscard]] bool started() const noexcept { return task_.has_value(); }
    [[nodiscard]] bool returned() const noexcept { return task_ && task_->done(); }

    /// What the handler returned or threw, once it has `returned`.
    [[nodiscard]] Outcome<Payload>& outcome() noexcept { return task_->outcome(); }

    /// Destroys the frames. No body may refer to them any more.
    void drop() {
        task_.reset();
        context_.reset();
    }

private:
    std::optional<DurableContext> context_;
    std::optional<Task<Payload>> task_;
};

}  // namespace durable::inline v0
