// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

/// Runs `handler` parked and evicted at every suspension, and each again for every commit, as if
/// the process had died after it: the result, which is the same every time.
template <class T, class Function>
T runEveryWay(Function handler, durable::Limits limits = {}) {
    const auto run = [&](std::shared_ptr<RecordingStore> store, std::size_t maxParked) {
        TestEngine engine{[&](durable::Engine& e) { e.registerHandler("handler", handler); },
                          std::move(store), maxParked, limits};
        return engine.finish(engine->start("handler", {.name = "a"})).template result<T>();
    };
    std::optional<T> first;
    for (const std::size_t maxParked : {1000U, 0U}) {
        auto clean = std::make_shared<RecordingStore>();
        const T result = run(clean, maxParked);
        if (!first) first = result;
        REQUIRE(result == *first);
        for (std::size_t crash = 1; crash < clean->transactions(); ++crash) {
            INFO("died after commit " << crash << " of " << clean->transactions());
            CHECK(run(clean->after(crash), maxParked) == *first);
        }
    }
    return *first;
}
