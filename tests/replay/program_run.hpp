// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>
#include <durable/testing/manual_clock.hpp>

#include <replay/program_handler.hpp>
#include <replay/witness.hpp>
#include <support/recording_store.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace program {

/// The first execution of a store: the one that runs the program itself.
inline constexpr durable::ExecutionId root = 1;

/// Runs the program of `witness` on `store` from `start` on, until its execution has ended. What
/// it did is told to the witness, and is in the store.
inline void runToEnd(Witness& witness, const std::shared_ptr<RecordingStore>& store,
                     std::size_t maxParked, durable::TimePoint start, bool verifyReplay = false) {
    const auto clock = std::make_shared<durable::testing::ManualClock>(start);
    Interpreter interpreter{witness, *clock};
    durable::Engine engine{
        store,
        {.workflowThreads = 0,
         .stepThreads = 0,
         .maxParked = maxParked,
         .startVisibleAfter = std::chrono::hours{1},  // no write because of the machine's clock
         .verifyReplay = verifyReplay,
         .limits = {.inlineResultBytesMax = witness.program().inlineResultBytesMax},
         .log = [&witness](const durable::LogRecord& record) { witness.line(record.message); },
         .clock = clock,
         .random = [] { return 0.5; }}};
    engine.registerHandler("program",
                           [&](durable::DurableContext& ctx) { return interpreter.runRoot(ctx); });
    engine.registerHandler("block", [&](durable::DurableContext& ctx, std::string path) {
        return interpreter.run(ctx, std::move(path));
    });

    const auto execution = engine.start("program", {.name = "x"});
    engine.poll();
    while (execution.status() == durable::ExecutionStatus::running) {
        const auto timer = engine.nextTimer();
        const auto callback = witness.nextCallback();
        if (!timer && !callback) {
            witness.complain("the execution waits for nothing");
            return;
        }
        const bool isTimer = timer && (!callback || *timer <= *callback);
        clock->set(std::max(clock->now(), isTimer ? *timer : *callback));
        if (isTimer) {
            engine.fireTimers();
        } else {
            const auto [id, node, heartbeat] = witness.takeCallback();
            try {
                if (heartbeat) {
                    engine.heartbeatCallback(id);
                } else if (node->end == CallbackEnd::fail) {
                    engine.failCallback(id, {.type = "Refused", .message = "no", .data = "why"});
                } else {
                    engine.completeCallback(id, padded("delivered", node->padding));
                }
            } catch (const durable::ClosedCallback&) {
                // Of an execution that has ended, or of an earlier life of this one.
            }
        }
        engine.poll();
    }
    witness.setEnd(outcomeOf([&] { return execution.result<std::string>(); }));
}

/// The attempts of bodies whose end is in the store.
[[nodiscard]] inline std::set<Attempt> recordedAttempts(durable::Store& store) {
    std::set<Attempt> attempts;
    for (const auto& record : store.list({})) {
        std::map<std::string, std::string> names;
        for (const auto& entry : store.load(record.id)) {
            if (entry.kind == durable::EntryKind::started) {
                // The submitter of a waitForCallback has no name; its context has.
                names[entry.operationId] = entry.name.empty() ? names[entry.parentId] : entry.name;
            } else if (entry.attempt > 0) {
                attempts.emplace(names[entry.operationId], entry.attempt);
            }
        }
    }
    return attempts;
}

/// Tells `witness` of the callbacks that are open in the store, as the world knew of them.
inline void expectCallbacks(Witness& witness, durable::Store& store, durable::TimePoint now) {
    for (const auto& record : store.list({})) {
        std::map<std::string, std::string> names;
        std::map<std::string, std::string> open;
        for (const auto& entry : store.load(record.id)) {
            if (entry.kind == durable::EntryKind::started) {
                names[entry.operationId] = entry.name.empty() ? names[entry.parentId] : entry.name;
                const auto& callbackId = entry.details.orDefault().callbackId;
                if (!callbackId.empty()) open[entry.operationId] = callbackId;
            } else if (entry.kind != durable::EntryKind::heartbeat) {
                open.erase(entry.operationId);
            }
        }
        for (const auto& [operation, id] : open) {
            const auto& path = names[operation];
            witness.opened(path, id, witness.node(path), now);
        }
    }
}

/// The time of the last entry of the store.
[[nodiscard]] inline durable::TimePoint lastTime(durable::Store& store) {
    auto last = durable::testing::ManualClock{}.now();
    for (const auto& record : store.list({})) {
        for (const auto& entry : store.load(record.id)) last = std::max(last, entry.time);
    }
    return last;
}

}  // namespace program
