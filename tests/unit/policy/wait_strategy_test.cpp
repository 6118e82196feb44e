// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/policy/wait_strategy.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

using durable::InvalidConfig;
using durable::Jitter;
using durable::polling;
using durable::PollingConfig;
using durable::WaitDecision;
using namespace std::chrono_literals;

namespace {

bool notYet(const int& state) { return state < 10; }

}  // namespace

TEST_CASE("a wait delay is at least one second") {
    CHECK(WaitDecision::again(0s).delay() == 1s);
    CHECK(WaitDecision::again(-1s).delay() == 1s);
    CHECK(WaitDecision::again(2s).delay() == 2s);
    CHECK(WaitDecision::stop().delay() == std::nullopt);
}

TEST_CASE("polling stops when the condition holds") {
    const auto strategy = polling<int>({.shouldContinuePolling = notYet});

    CHECK(strategy(9, 1, 0).delay().has_value());
    CHECK(strategy(10, 1, 0).delay() == std::nullopt);
}

TEST_CASE("polling starts at 5 s and grows by half, with full jitter, by default") {
    const auto strategy = polling<int>({.shouldContinuePolling = notYet});
    const auto most = 0x1.fffffffffffffp-1;

    CHECK(strategy(0, 1, 0).delay() == 1s);
    CHECK(strategy(0, 1, most).delay() == 5s);
    CHECK(strategy(0, 2, most).delay() == 7s);  // 7.5 s less nearly nothing
    CHECK(strategy(0, 3, 0.5).delay() == 6s);   // half of 11.25 s
    CHECK(strategy(0, 59, most).delay() == 300s);
}

TEST_CASE("polling without jitter rounds to the nearest second") {
    const auto strategy = polling<int>({.shouldContinuePolling = notYet, .jitter = Jitter::none});
    std::vector<std::chrono::seconds> delays;
    for (std::uint32_t attempt = 1; attempt <= 4; ++attempt) {
        delays.push_back(strategy(0, attempt, 0).delay().value());
    }

    CHECK(delays == std::vector<std::chrono::seconds>{5s, 8s, 11s, 17s});  // 5, 7.5, 11.25, 16.875
}

TEST_CASE("polling gives up at its last attempt, saying how many there were") {
    const auto strategy = polling<int>({.shouldContinuePolling = notYet, .maxAttempts = 3});

    CHECK_NOTHROW(strategy(0, 2, 0));
    CHECK_THROWS_WITH(strategy(0, 3, 0), "waitForCondition exceeded maximum attempts (3)");
    CHECK_THROWS_AS(strategy(0, 4, 0), std::runtime_error);
}

TEST_CASE("polling has sixty attempts by default") {
    const auto strategy = polling<int>({.shouldContinuePolling = notYet});

    CHECK_NOTHROW(strategy(0, 59, 0));
    CHECK_THROWS_WITH(strategy(0, 60, 0), "waitForCondition exceeded maximum attempts (60)");
}

TEST_CASE("the condition is looked at before the number of attempts") {
    const auto strategy = polling<int>({.shouldContinuePolling = notYet, .maxAttempts = 1});

    CHECK(strategy(10, 1, 0).delay() == std::nullopt);
    CHECK(strategy(10, 100, 0).delay() == std::nullopt);
}

TEST_CASE("a polling config out of range is refused, by name and with its bound") {
    CHECK_THROWS_WITH(polling<int>({.shouldContinuePolling = notYet, .maxAttempts = 0}),
                      "maxAttempts must be at least 1, got 0");
    CHECK_THROWS_WITH(polling<int>({.shouldContinuePolling = notYet, .backoffRate = 0}),
                      "backoffRate must be at least 1, got 0");
    CHECK_THROWS_WITH(polling<int>({}), "shouldContinuePolling must be set");
    CHECK_THROWS_AS(polling<int>({}), InvalidConfig);
}
