// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>
#include <durable/base/logger.hpp>
#include <durable/journal/limits.hpp>
#include <durable/plugin/plugins.hpp>
#include <durable/serdes/log_as_json_lines.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace durable::inline v0 {

struct EngineOptions {
    /// Threads that run handlers and write the journal. 0: none; then the threads that call
    /// `start`, `result`, `run` and the like do it.
    std::size_t workflowThreads{2};

    /// Threads that run step bodies. 0: none; then bodies run where the handlers run, one at a
    /// time.
    std::size_t stepThreads{std::size_t{2} * std::max(std::thread::hardware_concurrency(), 1U)};

    /// Executions that may wait with their frames in memory. When there are more, the least
    /// recently used are dropped, and replayed when the world wakes them. 0: every suspension ends
    /// the invocation, as on AWS. The results are the same.
    std::size_t maxParked{std::numeric_limits<std::size_t>::max()};

    /// A step that has run this long gets its start written, so that it can be seen. 0: every start
    /// is written before the body runs, which costs a write for each step.
    std::chrono::milliseconds startVisibleAfter{5};

    /// Finds handlers that do not make the same calls on every run, on their first run: after each
    /// write the handler is run again, silently, over what is recorded so far, no body runs, and if
    /// it does not come to the same calls, and in the end to the same result, the execution fails
    /// with `NonDeterministicExecutionError`, which names both. For tests and staging: the cost of
    /// an execution grows with the square of its length (measured in memory: 20 steps take 2.5
    /// times as long, 200 steps 19 times), and what a handler does outside of steps it does again
    /// each time. What only differs between machines or days is not found.
    bool verifyReplay{false};

    Limits limits{};

    /// Where log lines of handlers, steps and the engine go: any function, such as one that hands
    /// them to a logging library. `logAsJsonLines` makes one for machines.
    LogSink log{logToStandardError};

    /// Who is told what happens to executions. Kept until the engine is destroyed.
    std::vector<std::shared_ptr<Plugin>> plugins{};

    /// Empty: the machine's clock.
    std::shared_ptr<const Clock> clock{};

    /// Numbers from 0 to below 1, for jitter; called from several threads. Empty: a generator
    /// seeded by the system.
    std::function<double()> random{};
};

/// The options with what is empty filled in.
[[nodiscard]] inline EngineOptions withDefaults(EngineOptions options) {
    options.startVisibleAfter =
        std::min<std::chrono::milliseconds>(options.startVisibleAfter, std::chrono::years{100});
    if (!options.clock) options.clock = std::make_shared<const SystemClock>();
    if (!options.random) {
        options.random = [] {
            thread_local std::mt19937_64 generator{std::random_device{}()};
            return std::uniform_real_distribution<double>{0, 1}(generator);
        };
    }
    return options;
}

/// The plugins of an engine with these options, or null if there are none.
[[nodiscard]] inline std::shared_ptr<const Plugins> pluginsOf(const EngineOptions& options) {
    auto plugins = std::make_shared<const Plugins>(options.plugins, options.log, options.clock);
    return plugins->empty() ? nullptr : plugins;
}

}  // namespace durable::inline v0
