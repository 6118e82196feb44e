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
#include <vector>

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

/// The completions of the executions that somebody waits for and that have not ended. One that
/// nobody holds any more is forgotten.
///
/// Thread-safety: all members.
class Completions {
public:
    /// The completion of an execution. `find` looks the execution up as it is now.
    template <class Find>
    [[nodiscard]] std::shared_ptr<const Completion> of(ExecutionId id, Find find) {
        const auto own = std::make_shared<Completion>();
        const std::shared_ptr<Completion> completion{own.get(), Forget{open_, id, own}};
        const std::scoped_lock lock{open_->mutex};  // let go before the completion is
        if (auto known = open_->find(id)) return known;
        if (const std::optional<ExecutionEnd> end = find()) {
            completion->set(*end);
        } else if (const auto lost = givenUp_.find(id); lost != givenUp_.end()) {
            completion->fail(lost->second);
        } else if (failure_) {
            completion->fail(failure_);
        } else {
            open_->byId[id] = completion;
        }
        return completion;
    }

    /// The completion of an execution that has ended, for the caller to set; null if nobody waits.
    [[nodiscard]] std::shared_ptr<Completion> take(ExecutionId id) {
        const std::scoped_lock lock{open_->mutex};
        auto completion = open_->find(id);
        open_->byId.erase(id);
        return completion;
    }

    /// The completion of an execution that was given up, for the caller to fail; null if nobody
    /// waits. Those that are asked for until `goesOn` have failed with `error`.
    [[nodiscard]] std::shared_ptr<Completion> giveUp(ExecutionId id,
                                                     const std::exception_ptr& error) {
        {
            const std::scoped_lock lock{open_->mutex};
            givenUp_[id] = error;
        }
        return take(id);
    }
    void goesOn(ExecutionId id) {
        const std::scoped_lock lock{open_->mutex};
        givenUp_.erase(id);
    }

    /// Fails those that are open, and those that are asked for later.
    void failAll(const std::exception_ptr& error) {
        std::vector<std::shared_ptr<Completion>> failed;  // let go without the lock
        {
            const std::scoped_lock lock{open_->mutex};
            failure_ = error;
            for (const auto& [id, completion] : std::exchange(open_->byId, {})) {
                failed.push_back(completion.lock());
            }
        }
        for (const auto& completion : failed) {
            if (completion) completion->fail(error);
        }
    }

private:
    struct Open {
        [[nodiscard]] std::shared_ptr<Completion> find(ExecutionId id) const {
            const auto found = byId.find(id);
            return found == byId.end() ? nullptr : found->second.lock();
        }

        std::mutex mutex;
        std::unordered_map<ExecutionId, std::weak_ptr<Completion>> byId;
    };

    /// Whoever holds a completion may do so for longer than the engine lives.
    struct Forget {
        std::weak_ptr<Open> open;
        ExecutionId id{};
        std::shared_ptr<Completion> completion;

        void operator()(const Completion*) const {
            const auto alive = open.lock();
            if (!alive) return;
            const std::scoped_lock lock{alive->mutex};
            const auto found = alive->byId.find(id);
            // Another one may have been asked for meanwhile.
            if (found != alive->byId.end() && found->second.expired()) alive->byId.erase(found);
        }
    };

    std::shared_ptr<Open> open_ = std::make_shared<Open>();
    std::unordered_map<ExecutionId, std::exception_ptr> givenUp_;
    std::exception_ptr failure_;
};

}  // namespace durable::inline v0
