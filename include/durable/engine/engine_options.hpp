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
    /// the invocation, as on AWS. The results are the same, also where several timers are due at
    /// one time: what the world did comes to the handler in the order of the journal.
    std::size_t maxParked{std::numeric_limits<std::size_t>::max()};

    /// A step that has run this long gets its start written, so that it can be seen. 0: every start
    /// is written before the body runs, which costs a write for each step.
    std::chrono::milliseconds startVisibleAfter{5};

    /// Finds handlers that do not make the same calls on every run, on their first run: after each
    /// write the handler is run again, silently, over what is recorded so far, no body runs, and if
    /// it does not come to the same calls, and in the end to the same result, the execution fails
    /// with `NonDeterministicExecutionError`, which names both. Where it waits or ends, it is run
    /// again once more, on a thread that is made for it.
    ///
    /// Found is what differs between two runs in one process, one just after the other: random
    /// numbers, addresses of what the run makes, precise clocks, variables that outlive the run and
    /// change, those of the thread, and locals that are needed after a `co_await` and were never
    /// given a value. What differs in some runs only, such as a choice of two drawn at random, is
    /// found as often as it does.
    ///
    /// Not found is what is the same in both: the date and the time in whole seconds, as a rule;
    /// the order of an unordered container of equal keys, or of addresses that outlive the run; the
    /// process, the machine, the environment; what a body leaves in a variable that outlives the
    /// run. Nor what goes into a call and is not compared, which is all but its kind, its name, the
    /// length of a wait, the timeouts of a callback, and what an invoke sends to whom: so not what
    /// a body captures, the items of a batch whose calls have the same names, or the state that a
    /// condition begins with. Nor, but by luck, other memory that was never given a value.
    ///
    /// Two runs of a handler are alive at the same time, the first waiting for the second: a lock,
    /// or anything else that only one may have, which a handler holds across a `co_await` is never
    /// given to the second, and the engine's thread waits for ever. So it does if a handler blocks
    /// until this engine has done something.
    ///
    /// For tests and staging: the cost of an execution grows with the square of its length
    /// (measured in memory, optimized: 20 steps take 0.3 ms instead of 0.04 ms, of which half is
    /// the making of the thread; 200 steps 8.4 ms instead of 0.2 ms), and what a handler does
    /// outside of steps it does again each time.
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
