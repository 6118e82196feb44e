// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/seed.hpp"

#include <durable/policy/retry_strategy.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using durable::ErrorObject;
using durable::errorOfType;
using durable::errorWithMessage;
using durable::FailedAttempt;
using durable::InvalidConfig;
using durable::Jitter;
using durable::RetryableErrors;
using durable::RetryDecision;
using durable::RetryStrategy;
namespace retry = durable::retry;
using namespace std::chrono_literals;

namespace {

const ErrorObject declined{.type = "CardError", .message = "card declined: insufficient funds"};

/// What `strategy` says after attempt `attempt`.
std::optional<std::chrono::seconds> delayAfter(const RetryStrategy& strategy, std::uint32_t attempt,
                                               double random = 0) {
    return strategy({.error = declined, .exception = {}, .attempt = attempt, .random = random})
        .delay();
}

/// The delays after attempts 1, 2, ... until the strategy gives up, in seconds.
std::vector<long> delaysOf(const RetryStrategy& strategy, double random = 0) {
    std::vector<long> delays;
    for (std::uint32_t attempt = 1; attempt < 100; ++attempt) {
        const auto delay = delayAfter(strategy, attempt, random);
        if (!delay) break;
        delays.push_back(static_cast<long>(delay->count()));
    }
    return delays;
}

template <class Exception>
FailedAttempt failedWith(const Exception& exception) {
    return {.error = declined, .exception = std::make_exception_ptr(exception)};
}

struct NetworkError : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Timeout : NetworkError {
    using NetworkError::NetworkError;
};

constexpr double almostOne = 0x1.fffffffffffffp-1;

}  // namespace

TEST_CASE("a retry delay is at least one second") {
    CHECK(RetryDecision::after(0s).delay() == 1s);
    CHECK(RetryDecision::after(-5s).delay() == 1s);
    CHECK(RetryDecision::after(1s).delay() == 1s);
    CHECK(RetryDecision::after(2s).delay() == 2s);
    CHECK(RetryDecision::stop().delay() == std::nullopt);
}

TEST_CASE("an exponential strategy has three attempts, 5 s doubled, by default") {
    CHECK(delaysOf(retry::exponential({.jitter = Jitter::none})) == std::vector<long>{5, 10});
    CHECK(delaysOf(retry::exponential(), almostOne) == std::vector<long>{5, 10});
}

TEST_CASE("exponential delays grow up to their cap") {
    const auto strategy = retry::exponential(
        {.maxAttempts = 8, .initialDelay = 1s, .maxDelay = 20s, .jitter = Jitter::none});

    CHECK(delaysOf(strategy) == std::vector<long>{1, 2, 4, 8, 16, 20, 20});
}

TEST_CASE("an exponential delay stays at its cap for however many attempts") {
    const auto strategy = retry::exponential(
        {.maxAttempts = std::numeric_limits<std::uint32_t>::max(), .jitter = Jitter::none});

    CHECK(delayAfter(strategy, 2000) == 300s);
    CHECK(delayAfter(strategy, 4'000'000'000) == 300s);
}

TEST_CASE("a backoff rate of one keeps the delay") {
    const auto strategy = retry::exponential(
        {.maxAttempts = 4, .initialDelay = 7s, .backoffRate = 1, .jitter = Jitter::none});

    CHECK(delaysOf(strategy) == std::vector<long>{7, 7, 7});
}

TEST_CASE("delays are rounded to the nearest second") {
    const auto strategy = retry::exponential(
        {.maxAttempts = 4, .initialDelay = 1s, .backoffRate = 1.5, .jitter = Jitter::none});

    CHECK(delaysOf(strategy) == std::vector<long>{1, 2, 2});  // 1, 1.5, 2.25
}

TEST_CASE("the last attempt is maxAttempts") {
    const auto strategy = retry::exponential({.maxAttempts = 2, .jitter = Jitter::none});

    CHECK(delayAfter(strategy, 1) == 5s);
    CHECK(delayAfter(strategy, 2) == std::nullopt);
    CHECK(delayAfter(strategy, 3) == std::nullopt);
}

TEST_CASE("full jitter spreads a delay from nothing to all of it, and then makes it a second") {
    const auto strategy = retry::exponential({});

    CHECK(delayAfter(strategy, 1, 0) == 1s);
    CHECK(delayAfter(strategy, 1, 0.09) == 1s);  // 0.45 s
    CHECK(delayAfter(strategy, 1, 0.5) == 3s);   // 2.5 s
    CHECK(delayAfter(strategy, 1, almostOne) == 5s);
    CHECK(delayAfter(strategy, 2, almostOne) == 10s);
}

TEST_CASE("half jitter spreads a delay from half to all of it") {
    const auto strategy = retry::exponential({.jitter = Jitter::half});

    CHECK(delayAfter(strategy, 1, 0) == 3s);  // 2.5 s
    CHECK(delayAfter(strategy, 2, 0) == 5s);
    CHECK(delayAfter(strategy, 2, 0.5) == 8s);  // 7.5 s
    CHECK(delayAfter(strategy, 2, almostOne) == 10s);
}

TEST_CASE("jitter is applied to the capped delay") {
    const auto strategy = retry::exponential({.maxAttempts = 10, .maxDelay = 20s});

    CHECK(delayAfter(strategy, 9, 0.5) == 10s);
    CHECK(delayAfter(strategy, 9, almostOne) == 20s);
}

TEST_CASE("delays stay within their bounds for every random number") {
    const auto seed = newSeed();
    std::mt19937 generator{seed};
    std::uniform_real_distribution<double> random{0, 1};
    const auto full = retry::exponential({.maxAttempts = 12});
    const auto half = retry::exponential({.maxAttempts = 12, .jitter = Jitter::half});

    for (int i = 0; i < 10'000; ++i) {
        const auto attempt = 1 + static_cast<std::uint32_t>(i % 11);
        const double base = std::min(5 * std::pow(2, attempt - 1), 300.0);
        const auto number = random(generator);
        const auto fullDelay = static_cast<double>(delayAfter(full, attempt, number)->count());
        const auto halfDelay = static_cast<double>(delayAfter(half, attempt, number)->count());
        if (fullDelay < 1 || fullDelay > base || halfDelay < base / 2 || halfDelay > base) {
            FAIL("seed " << seed << ", attempt " << attempt << ", random " << number);
        }
    }
    SUCCEED();
}

TEST_CASE("a linear strategy has six attempts, 1 s more each time, by default") {
    CHECK(delaysOf(retry::linear({.jitter = Jitter::none})) == std::vector<long>{1, 2, 3, 4, 5});
}

TEST_CASE("linear delays grow by their increment up to their cap") {
    const auto strategy = retry::linear({.maxAttempts = 6,
                                         .initialDelay = 2s,
                                         .increment = 3s,
                                         .maxDelay = 10s,
                                         .jitter = Jitter::none});

    CHECK(delaysOf(strategy) == std::vector<long>{2, 5, 8, 10, 10});
}

TEST_CASE("linear delays stay at their cap, however large the increment is") {
    const auto strategy = retry::linear({.maxAttempts = 1'000'000,
                                         .initialDelay = 2s,
                                         .increment = std::chrono::seconds::max(),
                                         .maxDelay = 10s,
                                         .jitter = Jitter::none});

    CHECK(delayAfter(strategy, 1, 0) == 2s);
    CHECK(delayAfter(strategy, 2, 0) == 10s);
    CHECK(delayAfter(strategy, 999'999, 0) == 10s);
}

TEST_CASE("a linear delay has jitter") {
    const auto strategy = retry::linear({.initialDelay = 10s, .increment = 0s});

    CHECK(delayAfter(strategy, 1, 0) == 1s);
    CHECK(delayAfter(strategy, 1, 0.5) == 5s);
    CHECK(delayAfter(strategy, 1, almostOne) == 10s);
}

TEST_CASE("fixed delays are equal and have no jitter") {
    const auto strategy = retry::fixed(4, 30s);

    CHECK(delaysOf(strategy, 0) == std::vector<long>{30, 30, 30});
    CHECK(delaysOf(strategy, almostOne) == std::vector<long>{30, 30, 30});
}

TEST_CASE("no retry means one attempt") { CHECK(delayAfter(retry::none(), 1) == std::nullopt); }

TEST_CASE("the standard strategy has six attempts, 5 s doubled up to 60 s, with full jitter") {
    CHECK(delaysOf(retry::standard(), almostOne) == std::vector<long>{5, 10, 20, 40, 60});
    CHECK(delaysOf(retry::standard(), 0) == std::vector<long>{1, 1, 1, 1, 1});
}

TEST_CASE("every error is worth another attempt unless the strategy names some") {
    CHECK(delayAfter(retry::exponential(), 1).has_value());
    CHECK(delayAfter(retry::linear(), 1).has_value());
}

TEST_CASE("an empty list of retryable errors means none") {
    const RetryableErrors none{std::in_place};

    CHECK_FALSE(delayAfter(retry::exponential({.retryableErrors = none}), 1).has_value());
    CHECK_FALSE(delayAfter(retry::linear({.retryableErrors = none}), 1).has_value());
    CHECK_FALSE(delayAfter(retry::fixed(3, 1s, none), 1).has_value());
}

TEST_CASE("errorOfType matches an exception type and those derived from it") {
    const auto matches = errorOfType<NetworkError>();

    CHECK(matches(failedWith(NetworkError{"down"})));
    CHECK(matches(failedWith(Timeout{"slow"})));
    CHECK_FALSE(matches(failedWith(std::runtime_error{"other"})));
    CHECK_FALSE(matches(failedWith(42)));
}

TEST_CASE("errorWithMessage matches a part of the message, and of an absent one only nothing") {
    const ErrorObject silent{.type = "CardError"};

    CHECK(errorWithMessage("declined")({.error = declined, .exception = {}}));
    CHECK(errorWithMessage("")({.error = declined, .exception = {}}));
    CHECK_FALSE(errorWithMessage("Declined")({.error = declined, .exception = {}}));
    CHECK_FALSE(errorWithMessage("declined")({.error = silent, .exception = {}}));
    CHECK(errorWithMessage("")({.error = silent, .exception = {}}));
}

TEST_CASE("an error is retried if one of the retryable errors matches") {
    const auto strategy = retry::exponential(
        {.jitter = Jitter::none,
         .retryableErrors = {{errorOfType<Timeout>(), errorWithMessage("busy")}}});
    const ErrorObject busy{.message = "server busy"};

    CHECK(strategy(failedWith(Timeout{"slow"})).delay() == 5s);
    CHECK(strategy(failedWith(NetworkError{"down"})).delay() == std::nullopt);
    CHECK(strategy({.error = busy,
                    .exception = std::make_exception_ptr(std::runtime_error{"server busy"})})
              .delay() == 5s);
}

TEST_CASE("attempts are counted before the error is looked at") {
    int asked = 0;
    const RetryableErrors counting{{[&](const FailedAttempt&) {
        ++asked;
        return true;
    }}};
    const auto strategy = retry::exponential({.maxAttempts = 2, .retryableErrors = counting});

    CHECK(delayAfter(strategy, 2) == std::nullopt);
    CHECK(asked == 0);
    CHECK(delayAfter(strategy, 1).has_value());
    CHECK(asked == 1);
}

TEST_CASE("any function is a retry strategy") {
    const RetryStrategy strategy = [](const FailedAttempt& failed) {
        return failed.attempt < 3 ? RetryDecision::after(std::chrono::seconds{failed.attempt})
                                  : RetryDecision::stop();
    };

    CHECK(delaysOf(strategy) == std::vector<long>{1, 2});
}

TEST_CASE("a retry strategy out of range is refused, by name and with its bound") {
    CHECK_NOTHROW(retry::exponential({.maxAttempts = 1, .backoffRate = 1}));
    CHECK_THROWS_WITH(retry::exponential({.maxAttempts = 0}),
                      "maxAttempts must be at least 1, got 0");
    CHECK_THROWS_WITH(retry::exponential({.backoffRate = 0.5}),
                      "backoffRate must be at least 1, got 0.5");
    CHECK_THROWS_WITH(retry::exponential({.backoffRate = std::numeric_limits<double>::quiet_NaN()}),
                      "backoffRate must be at least 1, got nan");
    CHECK_THROWS_WITH(retry::linear({.maxAttempts = 0}), "maxAttempts must be at least 1, got 0");
    CHECK_THROWS_WITH(retry::fixed(0, 1s), "maxAttempts must be at least 1, got 0");
    CHECK_THROWS_AS(retry::linear({.maxAttempts = 0}), InvalidConfig);
}

TEST_CASE("delays that no type could hold are cut to the longest") {
    constexpr auto longest = std::chrono::seconds::max();
    const auto steep = retry::linear({.increment = longest, .jitter = Jitter::none});
    const auto late = retry::linear({.initialDelay = longest, .jitter = Jitter::none});
    const auto unlimited =
        retry::exponential({.initialDelay = longest, .maxDelay = longest, .jitter = Jitter::none});

    CHECK(delayAfter(steep, 3) == 300s);
    CHECK(delayAfter(late, 3) == 300s);
    CHECK(delayAfter(unlimited, 2) == 366 * 24h);
}

TEST_CASE("no delay grown by an infinite factor is the shortest delay") {
    CHECK(delayAfter(retry::exponential({.maxAttempts = 9999, .initialDelay = 0s}), 5000) == 1s);
}
