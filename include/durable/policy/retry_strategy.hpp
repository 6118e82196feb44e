// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error_object.hpp>
#include <durable/base/require.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// \file
/// Whether a failed attempt is tried again, and when. The decision is recorded, so a strategy is
/// asked once per attempt and never on replay.

namespace durable::inline v0 {

/// What to do after a failed attempt.
class RetryDecision {
public:
    [[nodiscard]] static RetryDecision stop() { return RetryDecision{std::nullopt}; }

    /// \param delay at least 1 s; less counts as 1 s.
    [[nodiscard]] static RetryDecision after(std::chrono::seconds delay) {
        return RetryDecision{std::max(delay, std::chrono::seconds{1})};
    }

    /// Time to the next attempt, or empty for no further attempt.
    [[nodiscard]] std::optional<std::chrono::seconds> delay() const { return delay_; }

    friend bool operator==(const RetryDecision&, const RetryDecision&) = default;

private:
    explicit RetryDecision(std::optional<std::chrono::seconds> delay) : delay_{delay} {}

    std::optional<std::chrono::seconds> delay_;
};

/// One failed attempt, as a retry strategy sees it.
struct FailedAttempt {
    const ErrorObject& error;      ///< what will be recorded
    std::exception_ptr exception;  ///< what was thrown
    std::uint32_t attempt{1};      ///< number of the attempt that failed, from 1
    double random{};               ///< from 0 to below 1, for jitter
};

/// Decides after a failed attempt. Any function will do; those in `durable::retry` are the usual.
using RetryStrategy = std::function<RetryDecision(const FailedAttempt&)>;

/// How a delay is spread, so that many clients do not come back at once.
enum class Jitter {
    none,
    half,  ///< between half the delay and all of it
    full,  ///< between nothing and the delay
};

/// Matches exceptions of type `Exception` and of those derived from it.
template <class Exception>
[[nodiscard]] std::function<bool(const FailedAttempt&)> errorOfType() {
    return [](const FailedAttempt& failed) {
        try {
            std::rethrow_exception(failed.exception);
        } catch (const Exception&) {
            return true;
        } catch (...) {
            return false;
        }
    };
}

/// Matches errors whose message contains `text`.
[[nodiscard]] inline std::function<bool(const FailedAttempt&)> errorWithMessage(std::string text) {
    return [text = std::move(text)](const FailedAttempt& failed) {
        return failed.error.messageOr("").find(text) != std::string::npos;
    };
}

/// Which errors are worth another attempt: those that one of the functions matches. An empty
/// optional means all errors; an empty list means none.
using RetryableErrors = std::optional<std::vector<std::function<bool(const FailedAttempt&)>>>;

namespace retry {

namespace detail {

using Seconds = std::chrono::duration<double>;

/// Nearest whole second after jitter, at least 1 and at most what a delay may be at all. A product
/// that is no number (0 s grown by an infinite factor) counts as 1 s.
[[nodiscard]] inline std::chrono::seconds jittered(Seconds base, Jitter jitter, double random) {
    constexpr double longest = 366.0 * 24 * 60 * 60;  // what a delay may be at all
    double seconds = std::min(base.count(), longest);
    if (jitter == Jitter::full) seconds *= random;
    if (jitter == Jitter::half) seconds = seconds / 2 + seconds / 2 * random;
    return std::chrono::seconds{std::llround(std::min(std::max(1.0, seconds), longest))};
}

[[nodiscard]] inline bool isRetryable(const RetryableErrors& errors, const FailedAttempt& failed) {
    if (!errors) return true;
    return std::ranges::any_of(*errors, [&](const auto& matches) { return matches(failed); });
}

}  // namespace detail

/// Delays that grow by a factor.
struct ExponentialConfig {
    std::uint32_t maxAttempts{3};           ///< the first one included; at least 1
    std::chrono::seconds initialDelay{5};   ///< after the first attempt
    std::chrono::seconds maxDelay{5 * 60};  ///< applied before jitter
    double backoffRate{2};                  ///< at least 1
    Jitter jitter{Jitter::full};
    RetryableErrors retryableErrors{};
};

/// \throws InvalidConfig if a value is out of range.
[[nodiscard]] inline RetryStrategy exponential(ExponentialConfig config = {}) {
    requireAtLeast("maxAttempts", config.maxAttempts, std::uint32_t{1});
    requireAtLeast("backoffRate", config.backoffRate, 1.0);
    return [config = std::move(config)](const FailedAttempt& failed) {
        if (failed.attempt >= config.maxAttempts) return RetryDecision::stop();
        if (!detail::isRetryable(config.retryableErrors, failed)) return RetryDecision::stop();
        const detail::Seconds delay = config.initialDelay;
        const auto base = std::min<detail::Seconds>(
            delay * std::pow(config.backoffRate, failed.attempt - 1), config.maxDelay);
        return RetryDecision::after(detail::jittered(base, config.jitter, failed.random));
    };
}

/// Delays that grow by a constant.
struct LinearConfig {
    std::uint32_t maxAttempts{6};           ///< the first one included; at least 1
    std::chrono::seconds initialDelay{1};   ///< after the first attempt
    std::chrono::seconds increment{1};      ///< added after each further attempt
    std::chrono::seconds maxDelay{5 * 60};  ///< applied before jitter
    Jitter jitter{Jitter::full};
    RetryableErrors retryableErrors{};
};

/// \throws InvalidConfig if a value is out of range.
[[nodiscard]] inline RetryStrategy linear(LinearConfig config = {}) {
    requireAtLeast("maxAttempts", config.maxAttempts, std::uint32_t{1});
    return [config = std::move(config)](const FailedAttempt& failed) {
        if (failed.attempt >= config.maxAttempts) return RetryDecision::stop();
        if (!detail::isRetryable(config.retryableErrors, failed)) return RetryDecision::stop();
        const detail::Seconds delay = config.initialDelay;  // no product of these overflows
        const detail::Seconds increment = config.increment;
        const auto base =
            std::min<detail::Seconds>(delay + increment * (failed.attempt - 1), config.maxDelay);
        return RetryDecision::after(detail::jittered(base, config.jitter, failed.random));
    };
}

/// The same delay each time.
/// \throws InvalidConfig if a value is out of range.
[[nodiscard]] inline RetryStrategy fixed(std::uint32_t maxAttempts, std::chrono::seconds delay,
                                         RetryableErrors retryableErrors = {}) {
    return linear({.maxAttempts = maxAttempts,
                   .initialDelay = delay,
                   .increment = std::chrono::seconds{0},
                   .maxDelay = delay,
                   .jitter = Jitter::none,
                   .retryableErrors = std::move(retryableErrors)});
}

/// One attempt.
[[nodiscard]] inline RetryStrategy none() {
    return [](const FailedAttempt&) { return RetryDecision::stop(); };
}

/// What a step does without a strategy of its own: 6 attempts, 5 s doubled up to 60 s, full
/// jitter. Source: AWS durable execution SDKs, preset "default".
[[nodiscard]] inline RetryStrategy standard() {
    return exponential({.maxAttempts = 6, .maxDelay = std::chrono::seconds{60}});
}

}  // namespace retry

}  // namespace durable::inline v0
