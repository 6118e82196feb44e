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

/// Whether every run of a handler must ask for the same length.
enum class WaitLength { fixed, drawn };

inline Task<void> runWait(OperationCall call, std::chrono::seconds duration, WaitLength length) {
    co_await call.admitted();
    const Operation& wait = call.operation();
    const bool asked = wait.recorded() && length == WaitLength::drawn;
    if (!asked && call.recordStart([&](OperationUpdate& update) { update.delay = duration; })) {
        co_await call.written();
    }
    while (call.awaitsWorld()) co_await call.changed();
}

[[nodiscard]] inline Task<void> waitFor(DurableContext& context, std::string_view name,
                                        std::chrono::seconds duration, WaitLength length) {
    requireDuration("duration", duration, context.invocation().services().limits);
    return runWait(context.nextCall(OperationType::wait, OperationSubType::wait, name), duration,
                   length);
}

}  // namespace detail

inline Task<void> DurableContext::wait(std::string_view name, std::chrono::seconds duration) {
    return detail::waitFor(*this, name, duration, detail::WaitLength::fixed);
}

inline Task<void> DurableContext::wait(std::chrono::seconds duration) {
    return wait(std::string_view{}, duration);
}

}  // namespace durable::inline v0
