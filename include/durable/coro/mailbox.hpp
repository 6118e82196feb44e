// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <functional>
#include <mutex>
#include <utility>

namespace durable::inline v0 {

/// Something that another thread tells an execution.
class Message {
public:
    /// Called on the execution's own thread. May destroy the message.
    virtual void deliver() = 0;

protected:
    Message() = default;
    ~Message() = default;
    Message(const Message&) = default;
    Message& operator=(const Message&) = default;

private:
    friend class Mailbox;

    Message* next_{};
};

/// A message that calls a member function of `target`, which must outlive it.
template <class Target, void (Target::*call)()>
class MessageTo final : public Message {
public:
    explicit MessageTo(Target& target) : target_{target} {}
    void deliver() override { (target_.*call)(); }

private:
    Target& target_;
};

/// The way from other threads into one execution: messages in the order of their arrival.
class Mailbox {
public:
    /// `wake` is called, on the sender's thread, whenever a message arrives in an empty mailbox
    /// that nobody attends to.
    explicit Mailbox(std::function<void()> wake) : wake_{std::move(wake)} {}

    /// Thread-safety: any thread. The message must live until it is delivered.
    void push(Message& message) {
        {
            const std::scoped_lock lock{mutex_};
            message.next_ = nullptr;
            const bool wasEmpty = first_ == nullptr;
            (wasEmpty ? first_ : last_->next_) = &message;
            last_ = &message;
            if (!wasEmpty || attended_) return;
        }
        wake_();
    }

    /// Calls `turn`, and again while messages have arrived during it, but lets others go on after
    /// some turns. On the execution's own thread.
    template <class Turn>
    void attend(Turn turn) {
        constexpr int turnsMax = 64;
        const Attendance attendance{*this};
        turn();
        for (int turns = 1; turns < turnsMax && !empty(); ++turns) turn();
    }

    [[nodiscard]] bool empty() const {
        const std::scoped_lock lock{mutex_};
        return first_ == nullptr;
    }

    /// Delivers what has arrived. On the execution's own thread.
    void deliverAll() {
        Message* message = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            message = std::exchange(first_, nullptr);
        }
        while (message != nullptr) std::exchange(message, message->next_)->deliver();
    }

private:
    /// Attends until its end, however that comes; then whoever came last has the owner woken.
    class Attendance {
    public:
        explicit Attendance(Mailbox& mailbox) : mailbox_{mailbox} { set(true); }
        Attendance(const Attendance&) = delete;
        Attendance& operator=(const Attendance&) = delete;
        ~Attendance() {
            if (set(false)) mailbox_.wake_();
        }

    private:
        /// \return whether messages are there.
        bool set(bool attended) {
            const std::scoped_lock lock{mailbox_.mutex_};
            mailbox_.attended_ = attended;
            return mailbox_.first_ != nullptr;
        }

        Mailbox& mailbox_;
    };

    std::function<void()> wake_;
    mutable std::mutex mutex_;
    bool attended_{};
    Message* first_{};
    Message* last_{};
};

}  // namespace durable::inline v0
