// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>
#include <durable/base/logger.hpp>
#include <durable/coro/step_pool.hpp>
#include <durable/journal/limits.hpp>
#include <durable/plugin/plugins.hpp>

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace durable::inline v0 {

/// What every invocation needs of the machine it runs on.
///
/// Thread-safety: everything here is used from several threads at once.
struct Services {
    const Clock& clock;
    StepPool& steps;
    LogSink log{};
    Limits limits{};

    /// A number from 0 to below 1, for jitter.
    std::function<double()> random;

    /// A new id for the callback that is the given operation of the given execution. Unguessable.
    std::function<std::string(std::int64_t execution, std::string_view operationId)> newCallbackId;

    /// Triggered when the engine stops: no body is started any more.
    std::stop_token stop{};

    /// Whether every start of a step is written before its body runs.
    bool writesStartsFirst{};

    /// Null if there are none: then nothing is spent on them.
    const Plugins* plugins{};

    /// Whether passes keep what they call, so that a replay can be compared with them.
    bool verifyReplay{};

    /// Of a pass that is run to be compared only: nobody is told of it.
    bool unseen{};
};

}  // namespace durable::inline v0
