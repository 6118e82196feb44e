// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/logger.hpp>
#include <durable/journal/limits.hpp>
#include <durable/plugin/plugin.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/manual_clock.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace durable::inline v0 {

namespace testing {

struct LocalRunnerOptions {
    /// Name of the handler that the runner is made with.
    std::string handlerName{"handler"};

    /// Whether executions wait with their frames in memory. false: every suspension ends the
    /// invocation and the handler is replayed, as on AWS; that finds handlers that do not make the
    /// same calls on every run.
    bool parked{false};

    /// As in `EngineOptions`, which says what is found and what is not: finds such handlers on
    /// their first run, without a suspension too.
    bool verifyReplay{false};

    /// Where journals are kept. Empty: in memory.
    std::shared_ptr<Store> store{};

    /// Moved by the runner. Empty: one that starts in 2026.
    std::shared_ptr<ManualClock> clock{};

    /// As in `EngineOptions`. With 0, a start is in the journal when a body ends the process.
    std::chrono::milliseconds startVisibleAfter{5};

    Limits limits{};

    /// Gets log lines too; they are captured anyway. Empty: nobody.
    LogSink log{};

    /// As in `EngineOptions`.
    std::vector<std::shared_ptr<Plugin>> plugins{};

    /// Numbers from 0 to below 1, for jitter. Empty: always 0.5.
    std::function<double()> random{};

    /// How often `run` may move the clock before it gives up: for handlers that poll for ever.
    std::size_t timersMax{100'000};
};

}  // namespace testing

}  // namespace durable::inline v0
