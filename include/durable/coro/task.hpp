// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/frame_pool.hpp>
#include <durable/coro/outcome.hpp>
#include <durable/coro/run_loop.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace durable::inline v0 {

template <class T = void>
class Task;

namespace detail {

/// Base of everything but tasks that the library's own coroutines may await.
struct Awaitable {};

template <class>
inline constexpr bool isTask = false;
template <class T>
inline constexpr bool isTask<Task<T>> = true;

template <class Awaited>
inline constexpr bool canAwait = isTask<std::remove_cvref_t<Awaited>> ||
                                 std::derived_from<std::remove_cvref_t<Awaited>, Awaitable>;

/// What the promises of all tasks share.
class PromiseBase : public Resumable {
public:
    static void* operator new(std::size_t size) { return FramePool::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        FramePool::deallocate(frame, size);
    }

    std::suspend_always initial_suspend() noexcept { return {}; }

    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
            const PromiseBase& promise = finished.promise();
            if (promise.continuation_ != nullptr) {
                promise.scope()->loop().postNext(*promise.continuation_);
            }
        }
        void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() noexcept { return {}; }

    template <class Awaited>
    Awaited&& await_transform(Awaited&& awaited) noexcept {
        static_assert(canAwait<Awaited>,
                      "A workflow can co_await durable operations and durable::Task only. "
                      "Put this in a step: ctx.step(name, [&]() -> boost::asio::awaitable<T> ...)");
        return std::forward<Awaited>(awaited);
    }

private:
    template <class>
    friend class durable::Task;

    Resumable* continuation_{};
};

template <class T>
class Promise final : public PromiseBase {
public:
    Task<T> get_return_object() noexcept;
    void unhandled_exception() noexcept { outcome.setException(std::current_exception()); }

    template <class Value = T>
        requires std::convertible_to<Value, T>
    void return_value(Value&& value) {
        outcome.setValue(std::forward<Value>(value));
    }

    Outcome<T> outcome;
};

template <>
class Promise<void> final : public PromiseBase {
public:
    Task<void> get_return_object() noexcept;
    void unhandled_exception() noexcept { outcome.setException(std::current_exception()); }
    void return_void() noexcept { outcome.setValue(); }

    Outcome<void> outcome;
};

}  // namespace detail

/// A coroutine of a workflow: what durable operations return and what handlers are.
///
/// Lazy: it runs when it is awaited, once. A task that is never awaited never runs; what it would
/// have done is not recorded. It owns its frame: destroying a suspended task runs the destructors
/// of its locals and no other code of its author.
template <class T>
class [[nodiscard("co_await the task; it does not run by itself")]] Task {
public:
    using promise_type = detail::Promise<T>;
    using value_type = T;

    Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, {})} {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Task() { destroy(); }

    /// Runs the task and gives its value, or throws what it threw.
    [[nodiscard]] auto operator co_await() && { return Awaiter{std::move(*this), nullptr}; }

    /// The same for a task that has a name; it is used up.
    [[nodiscard]] auto operator co_await() & { return Awaiter{std::move(*this), nullptr}; }

    /// Awaits the task as a member of `scope` instead of the awaiting coroutine's own.
    [[nodiscard]] auto under(Scope& scope) && { return Awaiter{std::move(*this), &scope}; }

    /// Queues the task as a coroutine that nobody awaits; `outcome` tells its end.
    void start(Scope& scope) noexcept {
        handle_.promise().scope_ = &scope;
        scope.loop().post(handle_.promise());
    }

    [[nodiscard]] bool done() const noexcept { return handle_ && handle_.done(); }
    [[nodiscard]] Outcome<T>& outcome() noexcept { return handle_.promise().outcome; }

private:
    friend promise_type;

    class Awaiter : public detail::Awaitable {
    public:
        Awaiter(Task task, Scope* scope) : task_{std::move(task)}, scope_{scope} {
            if (!task_.handle_) throw std::logic_error{"a task can be awaited once"};
        }

        bool await_ready() const noexcept { return false; }

        template <class Parent>
        void await_suspend(std::coroutine_handle<Parent> parent) noexcept {
            auto& promise = task_.handle_.promise();
            promise.scope_ = scope_ != nullptr ? scope_ : parent.promise().scope();
            promise.continuation_ = &parent.promise();
            promise.scope_->loop().postNext(promise);
        }

        T await_resume() { return task_.handle_.promise().outcome.take(); }

    private:
        Task task_;
        Scope* scope_;
    };

    explicit Task(promise_type& promise) noexcept
        : handle_{std::coroutine_handle<promise_type>::from_promise(promise)} {
        promise.handle_ = handle_;
    }

    void destroy() noexcept {
        if (handle_) std::exchange(handle_, {}).destroy();
    }

    std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
    return Task<T>{*this};
}

inline Task<void> detail::Promise<void>::get_return_object() noexcept { return Task<void>{*this}; }

}  // namespace durable::inline v0
