// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// \file
/// Times as columns hold them: 2026-11-23T10:07:00.250Z, which reads well, sorts by time and is
/// what SQLite's own date functions take.

namespace durable::inline v0::sqlite {

/// Exact to the millisecond. A time before year 0 or after 9999 becomes the nearest inside.
[[nodiscard]] inline std::string isoTime(TimePoint time) {
    using namespace std::chrono;
    constexpr TimePoint first = sys_days{year{0} / January / 1};
    constexpr TimePoint last = sys_days{year{10'000} / January / 1} - milliseconds{1};
    time = std::clamp(time, first, last);
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};

    std::string text = "0000-00-00T00:00:00.000Z";
    const auto put = [&](std::size_t end, auto number) {
        for (; number > 0; number /= 10) text[--end] = static_cast<char>('0' + number % 10);
    };
    put(4, static_cast<int>(date.year()));
    put(7, static_cast<unsigned>(date.month()));
    put(10, static_cast<unsigned>(date.day()));
    put(13, clock.hours().count());
    put(16, clock.minutes().count());
    put(19, clock.seconds().count());
    put(23, clock.subseconds().count());
    return text;
}

[[nodiscard]] inline std::optional<std::string> isoTime(const std::optional<TimePoint>& time) {
    if (!time) return std::nullopt;
    return isoTime(*time);
}

/// The time that `isoTime` wrote, or empty if it did not.
[[nodiscard]] inline std::optional<TimePoint> timeFromIso(std::string_view text) {
    using namespace std::chrono;
    constexpr std::string_view form = "0000-00-00T00:00:00.000Z";
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    const auto fits = [&](char c, char wanted) { return wanted == '0' ? isDigit(c) : c == wanted; };
    if (!std::ranges::equal(text, form, fits)) return std::nullopt;

    const auto number = [&](std::size_t begin, std::size_t end) {
        int value = 0;
        for (; begin < end; ++begin) value = value * 10 + (text[begin] - '0');
        return value;
    };
    const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 7))},
                              day{static_cast<unsigned>(number(8, 10))}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date} + hours{number(11, 13)} + minutes{number(14, 16)} +
           seconds{number(17, 19)} + milliseconds{number(20, 23)};
}

}  // namespace durable::inline v0::sqlite
