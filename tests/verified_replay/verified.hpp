// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>
#include <durable/testing.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

/// Another number each time.
inline std::uint64_t drawn() {
    static std::mt19937_64 generator{std::random_device{}()};
    return generator();
}

/// A step's body.
inline int nothing() { return 0; }

/// A counter that outlives the run, as a static or a member of a service would.
inline std::shared_ptr<int> counter() { return std::make_shared<int>(0); }

/// How a handler went that was given to a runner.
struct Went {
    durable::ExecutionStatus status{};
    durable::ErrorObject error{};
};

using Prepare = std::function<void(durable::testing::LocalRunner&)>;

/// Runs the handler that `make` makes to its end, with its frames in memory all the time, so that
/// nothing but the verification ever replays it.
template <class Make>
Went runOnce(Make make, bool verifyReplay, const Prepare& prepare = {}) {
    durable::testing::LocalRunner runner{make(), {.parked = true, .verifyReplay = verifyReplay}};
    if (prepare) prepare(runner);
    auto execution = runner.run();
    return {execution.status(), execution.error().value_or(durable::ErrorObject{})};
}

/// What is said of a handler that is wrong, on its first run. Without verification it is not found:
/// `status` is how the handler ends then.
template <class Make>
std::string accusation(Make make, const Prepare& prepare = {},
                       durable::ExecutionStatus status = durable::ExecutionStatus::succeeded) {
    CHECK(runOnce(make, false, prepare).status == status);

    const auto verified = runOnce(make, true, prepare);
    CHECK(verified.status == durable::ExecutionStatus::failed);
    CHECK(verified.error.type == "NonDeterministicExecutionError");
    return verified.error.message.value_or("");
}
