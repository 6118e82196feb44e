// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

/// \file
/// An intrusive list. Its members live inside coroutine frames and leave the list when their frame
/// is destroyed, so nobody can be told about a frame that is gone.

namespace durable::inline v0 {

/// A member of at most one `LinkedList` at a time. Leaves it when destroyed.
class Link {
public:
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() { unlink(); }

    [[nodiscard]] bool linked() const noexcept { return next_ != this; }

    void unlink() noexcept {
        previous_->next_ = next_;
        next_->previous_ = previous_;
        previous_ = next_ = this;
    }

private:
    template <class>
    friend class LinkedList;

    void linkBefore(Link& other) noexcept {
        previous_ = other.previous_;
        next_ = &other;
        previous_->next_ = this;
        other.previous_ = this;
    }

    Link* previous_{this};
    Link* next_{this};
};

/// A list of `Member`s, each of which is a `Link`. Owns nothing.
template <class Member>
class LinkedList {
public:
    LinkedList() = default;
    LinkedList(const LinkedList&) = delete;
    LinkedList& operator=(const LinkedList&) = delete;
    ~LinkedList() {
        while (!empty()) head_.next_->unlink();
    }

    [[nodiscard]] bool empty() const noexcept { return !head_.linked(); }
    void pushBack(Member& member) noexcept { static_cast<Link&>(member).linkBefore(head_); }
    void pushFront(Member& member) noexcept { static_cast<Link&>(member).linkBefore(*head_.next_); }

    [[nodiscard]] Member& front() noexcept { return static_cast<Member&>(*head_.next_); }

    Member& popFront() noexcept {
        Member& member = front();
        static_cast<Link&>(member).unlink();
        return member;
    }

    /// `visit` must not change the list.
    template <class Visit>
    void forEach(Visit visit) {
        for (Link* link = head_.next_; link != &head_; link = link->next_) {
            visit(static_cast<Member&>(*link));
        }
    }

private:
    Link head_;
};

}  // namespace durable::inline v0
