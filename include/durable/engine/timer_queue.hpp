// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>
#include <durable/store/store.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// When each execution next has something due: at most one time for each.
///
/// Times are the clock's, which may jump. So the queue never sleeps long on the strength of one
/// reading: it looks at the clock again after some seconds.
///
/// Thread-safety: all members.
class TimerQueue {
public:
    /// `due` is called on `executor` for each execution whose time has come. Its time is forgotten
    /// before that.
    TimerQueue(const Clock& clock, const boost::asio::any_io_executor& executor,
               std::function<void(ExecutionId)> due,
               std::chrono::milliseconds sleepMax = std::chrono::seconds{10})
        : clock_{clock}, timer_{executor}, due_{std::move(due)}, sleepMax_{sleepMax} {}

    /// Sets, replaces or removes the time of an execution.
    void arm(ExecutionId execution, std::optional<TimePoint> time) {
        if (!time && isEmpty_) return;  // every commit of every execution comes by here
        const std::scoped_lock lock{mutex_};
        if (stopped_) return;
        const auto known = times_.find(execution);
        if (known != times_.end()) {
            if (time == known->second) return;
            queue_.erase({known->second, execution});
            times_.erase(known);
        }
        isEmpty_ = !time && times_.empty();
        if (time) add(execution, *time);
    }

    /// Sets the time of an execution that has none.
    void armIfNone(ExecutionId execution, TimePoint time) {
        const std::scoped_lock lock{mutex_};
        if (stopped_ || times_.contains(execution)) return;
        isEmpty_ = false;
        add(execution, time);
    }

    /// Calls `due` for every execution whose time has come. The queue does so by itself with a
    /// clock that runs; a clock that is set by hand is followed by a call of this.
    void fire() {
        std::vector<ExecutionId> due;
        {
            const std::scoped_lock lock{mutex_};
            const auto now = clock_.now();
            while (!stopped_ && !queue_.empty() && queue_.begin()->first <= now) {
                due.push_back(queue_.begin()->second);
                times_.erase(queue_.begin()->second);
                queue_.erase(queue_.begin());
            }
            isEmpty_ = times_.empty();
            sleep();
        }
        for (const auto execution : due) due_(execution);
    }

    /// The earliest time, or empty.
    [[nodiscard]] std::optional<TimePoint> next() const {
        const std::scoped_lock lock{mutex_};
        if (queue_.empty()) return std::nullopt;
        return queue_.begin()->first;
    }

    /// Fires nothing any more.
    void stop() {
        const std::scoped_lock lock{mutex_};
        stopped_ = true;
        timer_.cancel();
    }

private:
    void add(ExecutionId execution, TimePoint time) {
        times_.emplace(execution, time);
        const auto place = queue_.emplace(time, execution).first;
        if (place == queue_.begin()) sleep();
    }

    void sleep() {
        if (stopped_ || queue_.empty()) return;
        const auto left = std::clamp<std::chrono::milliseconds>(
            queue_.begin()->first - clock_.now(), std::chrono::milliseconds{0}, sleepMax_);
        timer_.expires_after(left);
        timer_.async_wait([this](const boost::system::error_code& cancelled) {
            if (!cancelled) fire();
        });
    }

    const Clock& clock_;
    mutable std::mutex mutex_;
    boost::asio::steady_timer timer_;
    std::function<void(ExecutionId)> due_;
    std::chrono::milliseconds sleepMax_;
    std::set<std::pair<TimePoint, ExecutionId>> queue_;
    std::unordered_map<ExecutionId, TimePoint> times_;
    std::atomic<bool> isEmpty_{true};  // of what is kept for executions
    bool stopped_{};
};

}  // namespace durable::inline v0
