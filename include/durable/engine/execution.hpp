// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/engine/completion.hpp>
#include <durable/serdes/json_serdes.hpp>
#include <durable/store/store.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace durable::inline v0 {

/// An execution, as whoever started it or looked it up sees it.
///
/// Lifetime: once it has ended, what it tells outlives its engine; until then it must not be used
///     after its engine is gone.
/// Thread-safety: all members, except inside a handler or step body, where waiting would block it.
class Execution {
public:
    /// Blocks until the completion is ready, at most for so long; tells whether it is.
    using Await = std::function<bool(const Completion&, std::optional<std::chrono::milliseconds>)>;

    /// For the library.
    Execution(ExecutionId id, ExecutionStart start, std::shared_ptr<const Completion> completion,
              Await await)
        : id_{id},
          start_{std::move(start)},
          completion_{std::move(completion)},
          await_{std::move(await)} {}

    [[nodiscard]] ExecutionId id() const noexcept { return id_; }
    [[nodiscard]] const std::string& name() const noexcept { return start_.name; }
    [[nodiscard]] const std::string& handlerName() const noexcept { return start_.handlerName; }

    [[nodiscard]] ExecutionStatus status() const {
        const auto end = completion_->peek();
        return end ? end->status : ExecutionStatus::running;
    }

    /// Waits for the end, perhaps for days.
    /// \throws EngineStopped if the engine stops before; StoreError if the journal could not be
    ///     written: the execution then goes on with the next engine, or when it is started again.
    void wait() const {
        (void)await(std::nullopt);
        (void)completion_->get();
    }

    /// Waits for the end, at most for `duration` (of the machine's steady clock).
    /// \return whether the execution has ended.
    /// \throws as `wait`.
    [[nodiscard]] bool waitFor(std::chrono::milliseconds duration) const {
        if (!await(duration)) return false;
        (void)completion_->get();
        return true;
    }

    /// Waits for the end and gives the result.
    /// \throws ExecutionError if the execution failed, timed out or was stopped; else as `wait`.
    template <class T>
    [[nodiscard]] T result() const {
        (void)await(std::nullopt);
        const auto end = completion_->get();
        if (end.status != ExecutionStatus::succeeded) {
            throw ExecutionError{end.error.value_or(ErrorObject{})};
        }
        if constexpr (!std::is_void_v<T>) return fromJsonText<T>(end.result.value_or("null"));
    }

    /// The error, if the execution has ended with one.
    [[nodiscard]] std::optional<ErrorObject> error() const {
        const auto end = completion_->peek();
        return end ? end->error.toOptional() : std::nullopt;
    }

private:
    [[nodiscard]] bool await(std::optional<std::chrono::milliseconds> longest) const {
        return completion_->ready() || await_(*completion_, longest);
    }

    ExecutionId id_;
    ExecutionStart start_;
    std::shared_ptr<const Completion> completion_;
    Await await_;
};

}  // namespace durable::inline v0
