// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <chrono>

namespace durable::inline v0 {

/// A moment of civil time, to the millisecond: what the journal stores.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

/// Tells the time to everything that records or waits.
///
/// Thread-safety: `now` is called from several threads at once.
class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    [[nodiscard]] virtual TimePoint now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const override {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now());
    }
};

}  // namespace durable::inline v0
