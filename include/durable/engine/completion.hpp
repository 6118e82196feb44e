// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/store.hpp>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace durable::inline v0 {

/// A value that comes once, from another thread, or an error in its place.
///
/// Thread-safety: all members.
template <class T>
class Promised {
public:
    void set(T value) {
        finish([&] { value_.emplace(std::move(value)); });
    }

    void fail(std::exception_ptr error) {
        finish([&] { error_ = std::move(error); });
    }

    [[nodiscard]] bool ready() const {
        const std::scoped_lock lock{mutex_};
        return value_ || error_;
    }

    /// \return whether it is ready, at the latest when `duration` is over.
    [[nodiscard]] bool waitFor(std::chrono::milliseconds duration) const {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, duration, [&] { return value_ || error_; });
    }

    /// The value, or the error, thrown. Only once `ready`.
    [[nodiscard]] T get() const {
        const std::scoped_lock lock{mutex_};
        if (error_) std::rethrow_exception(error_);
        return *value_;
    }

    /// The value, or empty while there is none.
    [[nodiscard]] std::optional<T> peek() const {
        const std::scoped_lock lock{mutex_};
        return value_;
    }

private:
    template <class Set>
    void finish(Set set) {
        const std::scoped_lock lock{mutex_};
        if (value_ || error_) return;
        set();
        changed_.notify_all();
    }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::optional<T> value_;
    std::exception_ptr error_;
};

/// Fails what was promised when nobody is left to keep the promise: the command that was to do it
/// has been dropped.
template <class T>
class Promise {
public:
    Promise(std::shared_ptr<Promised<T>> promised, std::exception_ptr ifDropped)
        : promised_{std::move(promised)}, ifDropped_{std::move(ifDropped)} {}
    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;
    ~Promise() { promised_->fail(ifDropped_); }

    [[nodiscard]] Promised<T>& operator*() const noexcept { return *promised_; }

private:
    std::shared_ptr<Promised<T>> promised_;
    std::exception_ptr ifDropped_;
};

/// The end of an execution, for everyone who waits for it.
using Completion = Promised<ExecutionEnd>;

/// The completions of the executions that somebody has asked for and that have not ended.
///
/// Thread-safety: all members.
class Completions {
public:
    /// The completion of an execution. `find` looks the execution up as it is now.
    template <class Find>
    [[nodiscard]] std::shared_ptr<const Completion> of(ExecutionId id, Find find) {
        const std::scoped_lock lock{mutex_};
        if (const auto known = open_.find(id); known != open_.end()) return known->second;
        auto completion = std::make_shared<Completion>();
        if (const std::optional<ExecutionEnd> end = find()) {
            completion->set(*end);
        } else if (failure_) {
            completion->fail(failure_);
        } else {
            open_.emplace(id, completion);
        }
        return completion;
    }

    /// The completion of an execution that has ended, for the caller to set; null if nobody asked.
    [[nodiscard]] std::shared_ptr<Completion> take(ExecutionId id) {
        const std::scoped_lock lock{mutex_};
        auto node = open_.extract(id);
        return node ? std::move(node.mapped()) : nullptr;
    }

    /// Fails those that are open, and those that are asked for later.
    void failAll(const std::exception_ptr& error) {
        const std::scoped_lock lock{mutex_};
        failure_ = error;
        for (auto& [id, completion] : std::exchange(open_, {})) completion->fail(error);
    }

private:
    std::mutex mutex_;
    std::exception_ptr failure_;
    std::unordered_map<ExecutionId, std::shared_ptr<Completion>> open_;
};

}  // namespace durable::inline v0
