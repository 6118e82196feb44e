// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/linked_list.hpp>

#include <coroutine>
#include <cstddef>

namespace durable::inline v0 {

class RunLoop;
class Scope;

/// A suspended coroutine that can be queued for resumption: the base of every promise.
class Resumable : public Link {
public:
    [[nodiscard]] Scope* scope() const noexcept { return scope_; }

protected:
    ~Resumable() = default;

private:
    friend class RunLoop;
    template <class>
    friend class Task;

    std::coroutine_handle<> handle_;
    Scope* scope_{};
};

/// A body that runs outside the workflow and holds references into a frame of it.
class RunningBody : public Link {
public:
    /// Asks the body to return early, or not to begin: nobody wants what it gives. Called on the
    /// workflow's thread.
    virtual void requestStop() = 0;

protected:
    ~RunningBody() = default;

private:
    friend class Scope;

    Scope* scope_{};
};

/// A group of coroutines of one execution that can be stopped together: those of one durable
/// context, or the branches of one batch. Scopes form a tree.
///
/// Once frozen, none of its coroutines is resumed again; they wait to be destroyed. They may be
/// destroyed as soon as `bodies()` is 0.
class Scope {
public:
    explicit Scope(RunLoop& loop) : loop_{loop}, root_{this} {}
    explicit Scope(Scope& parent) : loop_{parent.loop_}, parent_{&parent}, root_{parent.root_} {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() = default;

    [[nodiscard]] RunLoop& loop() const noexcept { return loop_; }

    [[nodiscard]] bool frozen() const noexcept {
        for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
            if (scope->frozen_) return true;
        }
        return false;
    }

    [[nodiscard]] bool isInside(const Scope& other) const noexcept {
        for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
            if (scope == &other) return true;
        }
        return false;
    }

    /// Stops the group: resumes nothing of it any more, and asks its running bodies to return.
    void freeze() {
        frozen_ = true;
        root_->running_.forEach([this](RunningBody& body) {
            if (body.scope_->isInside(*this)) body.requestStop();
        });
    }

    /// Bodies of this group that have not returned.
    [[nodiscard]] std::size_t bodies() const noexcept { return bodies_; }

    void enter(RunningBody& body) noexcept {
        body.scope_ = this;
        root_->running_.pushBack(body);
        for (Scope* scope = this; scope != nullptr; scope = scope->parent_) ++scope->bodies_;
    }

    void leave(RunningBody& body) noexcept;

    /// Whom to queue when the last body has returned, or null.
    void whenBodiesReturned(Resumable* waiter) noexcept { waiter_ = waiter; }

private:
    RunLoop& loop_;
    Scope* parent_{};
    Scope* root_;
    bool frozen_{};
    std::size_t bodies_{};
    Resumable* waiter_{};
    LinkedList<RunningBody> running_;  // used in the root only
};

}  // namespace durable::inline v0
