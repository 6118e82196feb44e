// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>

#include <chrono>

namespace durable::inline v0 {

namespace detail {

/// \throws InvalidConfig unless `duration` is from 1 s to what the service allows.
inline void requireDuration(std::string_view field, std::chrono::seconds duration,
                            const Limits& limits) {
    requireRange<std::int64_t>(fmt::format("{} in seconds", field), duration.count(), 1,
                               limits.durationMax.count());
}

inline Task<void> runWait(OperationCall call, std::chrono::seconds duration) {
    co_await call.admitted();
    const Operation& wait = call.operation();
    if (!wait.recorded()) {
        call.record(OperationAction::start,
                    [&](OperationUpdate& update) { update.delay = duration; });
        co_await call.written();
    }
    while (!isTerminal(wait.status)) co_await call.changed();
}

}  // namespace detail

inline Task<void> DurableContext::wait(std::string_view name, std::chrono::seconds duration) {
    detail::requireDuration("duration", duration, invocation().services().limits);
    return detail::runWait(nextCall(OperationType::wait, OperationSubType::wait, name), duration);
}

inline Task<void> DurableContext::wait(std::chrono::seconds duration) {
    return wait(std::string_view{}, duration);
}

}  // namespace durable::inline v0
