// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

/// The seed of a randomized test: that of the environment's DURABLE_SEED, to repeat a run, or a new
/// one. Printed.
inline std::uint32_t newSeed() {
    const char* given = std::getenv("DURABLE_SEED");
    const auto seed = given != nullptr
                          ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))
                          : static_cast<std::uint32_t>(std::random_device{}());
    std::printf("DURABLE_SEED=%u\n", seed);
    std::fflush(stdout);
    return seed;
}
