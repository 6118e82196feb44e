// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>

#include <atomic>
#include <chrono>

namespace durable::inline v0 {

namespace testing {

/// A clock that moves only when it is told to.
///
/// Thread-safety: all members.
class ManualClock final : public Clock {
public:
    /// \param start the first reading; by default a fixed moment of 2026.
    explicit ManualClock(TimePoint start = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1})
        : now_{start} {}

    [[nodiscard]] TimePoint now() const override { return now_; }

    void set(TimePoint time) { now_ = time; }

    void advance(std::chrono::milliseconds duration) {
        auto before = now_.load();
        while (!now_.compare_exchange_weak(before, before + duration)) {
        }
    }

private:
    std::atomic<TimePoint> now_;
};

}  // namespace testing

}  // namespace durable::inline v0
