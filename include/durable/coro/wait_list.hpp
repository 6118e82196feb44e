// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/task.hpp>

namespace durable::inline v0 {

/// Coroutines that wait for the same thing. One that is destroyed meanwhile has left the list.
class WaitList {
public:
    class Waiter : public Link, public detail::Awaitable {
    public:
        explicit Waiter(WaitList& list) noexcept : list_{&list} {}

        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
            coroutine_ = &waiting.promise();
            list_->waiters_.pushBack(*this);
        }
        void await_resume() const noexcept {}

    private:
        friend class WaitList;

        WaitList* list_;
        Resumable* coroutine_{};
    };

    /// Suspends until the next `notifyAll`.
    [[nodiscard]] Waiter wait() noexcept { return Waiter{*this}; }

    [[nodiscard]] bool empty() const noexcept { return waiters_.empty(); }

    /// Queues everyone who waits, in the order of their arrival.
    void notifyAll() noexcept {
        while (!waiters_.empty()) {
            Resumable& coroutine = *waiters_.popFront().coroutine_;
            coroutine.scope()->loop().post(coroutine);
        }
    }

private:
    LinkedList<Waiter> waiters_;
};

/// Suspends until no body of `scope` runs.
class BodiesReturned : public detail::Awaitable {
public:
    explicit BodiesReturned(Scope& scope) noexcept : scope_{scope} {}
    BodiesReturned(const BodiesReturned&) = delete;
    BodiesReturned& operator=(const BodiesReturned&) = delete;
    ~BodiesReturned() { scope_.whenBodiesReturned(nullptr); }

    bool await_ready() const noexcept { return scope_.bodies() == 0; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        scope_.whenBodiesReturned(&waiting.promise());
    }
    void await_resume() const noexcept {}

private:
    Scope& scope_;
};

/// The scope of the coroutine that awaits this. Does not suspend.
class RunningScope : public detail::Awaitable {
public:
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> running) noexcept {
        scope_ = running.promise().scope();
        return false;
    }
    Scope& await_resume() const noexcept { return *scope_; }

private:
    Scope* scope_{};
};

/// Suspends for good: the coroutine waits to be destroyed.
struct Never : detail::Awaitable, std::suspend_always {};

}  // namespace durable::inline v0
