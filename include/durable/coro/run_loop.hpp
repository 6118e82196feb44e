// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/scope.hpp>

#include <coroutine>
#include <utility>

namespace durable::inline v0 {

/// The ready queue of one execution, and the only place that resumes its coroutines.
///
/// Nothing is resumed inside a resume: awaiting and returning only queue who is next, so that the
/// stack stays flat however many operations are replayed. (Symmetric transfer would need tail
/// calls, which g++ does not make at -O0 or under sanitizers.)
///
/// Thread-safety: none; an execution runs on one thread at a time.
class RunLoop {
public:
    /// Queues behind everything that is ready.
    void post(Resumable& coroutine) noexcept {
        if (!coroutine.linked()) ready_.pushBack(coroutine);
    }

    /// Queues before everything that is ready: for a call or a return, which go on at once.
    void postNext(Resumable& coroutine) noexcept {
        coroutine.unlink();
        ready_.pushFront(coroutine);
    }

    [[nodiscard]] bool idle() const noexcept { return ready_.empty(); }

    /// Resumes until nothing is ready. Coroutines of a frozen scope are dropped from the queue.
    void run() {
        while (!ready_.empty()) {
            Resumable& coroutine = ready_.popFront();
            if (coroutine.scope_->frozen()) continue;
            const Enter enter{coroutine.scope_};
            coroutine.handle_.resume();
        }
    }

    /// The scope of the workflow code that the calling thread runs; null if it runs none, such as
    /// in a step body.
    [[nodiscard]] static Scope* current() noexcept { return current_; }

    /// Makes code that is called as a plain function count as code of `scope`; if that is null, as
    /// no code of a workflow: so durable operations in it are refused.
    class Enter {
    public:
        explicit Enter(Scope* scope) noexcept : before_{std::exchange(current_, scope)} {}
        Enter(const Enter&) = delete;
        Enter& operator=(const Enter&) = delete;
        ~Enter() { current_ = before_; }

    private:
        Scope* before_;
    };

private:
    static inline thread_local Scope* current_{};
    LinkedList<Resumable> ready_;
};

inline void Scope::leave(RunningBody& body) noexcept {
    body.unlink();
    for (Scope* scope = this; scope != nullptr; scope = scope->parent_) {
        --scope->bodies_;
        if (scope->bodies_ == 0 && scope->waiter_ != nullptr) {
            loop_.post(*std::exchange(scope->waiter_, nullptr));
        }
    }
}

}  // namespace durable::inline v0
