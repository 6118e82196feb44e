// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/frame_pool.hpp>
#include <durable/coro/outcome.hpp>
#include <durable/engine/replay_comparison.hpp>
#include <durable/engine/replay_forecast.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace durable::inline v0 {

/// Runs a handler again over what is recorded of it, beside its run, and compares.
///
/// The replay has a state of its own, made from the entries; what it records there is dropped with
/// it. It reaches nobody: no body runs, nothing is written, no timer is set, no line is logged, no
/// plugin is told. Only what the handler does outside of operations it does again.
///
/// Where the run has gone as far as it can, it is replayed twice, the second time on a thread of
/// its own: then what the replays find in a variable of the thread has changed since the run, or is
/// that of another thread. And the frames of the two are full of other bytes, of which every bit
/// differs: a local variable that was never given a value, and lies in its frame since it is needed
/// after a `co_await`, is not what it was in the run in one of them.
///
/// Cost: each check folds and replays all entries of the execution.
/// Thread-safety: none; the strand of its execution.
class ReplayVerifier {
public:
    explicit ReplayVerifier(const Services& services) : services_{services} {
        std::stop_source stopped;
        stopped.request_stop();
        services_.stop = stopped.get_token();  // so no body is started
        services_.log = {};
        services_.plugins = nullptr;
        services_.random = [] { return 0.5; };
        services_.newCallbackId = [](auto, auto) { return std::string{"replayed"}; };
        services_.unseen = true;
    }

    /// \param exact whether the run has gone as far as it can.
    /// \return what is wrong, or empty if the replay does what the run did.
    [[nodiscard]] std::optional<ErrorObject> check(ComparedPass run, const Handler& handler,
                                                   bool exact) {
        const auto& trace = *run.invocation.trace();
        const Progress progress{trace.entries().size(), trace.calls().size(), exact};
        if (!progress.isNews(checked_)) return std::nullopt;
        checked_ = progress;
        indexStarts(trace);

        auto difference = replayHere(run, handler, exact);
        if (!difference && exact) difference = replayElsewhere(run, handler);
        if (!difference) return std::nullopt;
        return ErrorObject{.type = "NonDeterministicExecutionError",
                           .message = std::move(difference)};
    }

private:
    /// How far the run was when it was checked.
    struct Progress {
        std::size_t entries{};
        std::size_t calls{};
        bool exact{};

        [[nodiscard]] bool isNews(const Progress& last) const {
            return entries != last.entries || calls != last.calls || (exact && !last.exact);
        }
    };

    /// A pass over the entries of `run`, as far as it gets without anything new.
    struct Replay {
        Replay(const Services& services, Invocation& run, const Handler& handler,
               std::optional<std::byte> filling)
            : mailbox{std::make_shared<Mailbox>([] {})},
              invocation{services, run.identity(), state, mailbox} {
            if (filling) filled.emplace(*filling);
            for (const auto& entry : run.trace()->entries()) state.fold(entry);
            frames.start(invocation, handler);
            invocation.loop().run();
        }

        std::optional<FramePool::Filled> filled{};
        ExecutionState state;
        std::shared_ptr<Mailbox> mailbox;
        Invocation invocation;
        HandlerFrames frames;  // last: goes first
    };

    [[nodiscard]] std::optional<std::string> replayHere(ComparedPass run, const Handler& handler,
                                                        bool exact) {
        Replay replay{services_, run.invocation, handler,
                      exact ? std::optional{std::byte{0xA5}} : std::nullopt};
        auto difference = compare(run, replay, exact);
        if (!difference) difference = forecast_.brokenBy(run.invocation, exact);
        forecast_.keep(replay.invocation);
        return difference;
    }

    /// Only where the run has gone as far as it can, where every call comes by in the end: to make
    /// a thread costs as much as to replay a hundred steps.
    [[nodiscard]] std::optional<std::string> replayElsewhere(ComparedPass run,
                                                             const Handler& handler) {
        Outcome<std::optional<std::string>> difference;
        const auto replayed = [&] {
            difference.capture([&] {
                Replay replay{services_, run.invocation, handler, std::byte{0x5A}};
                return compare(run, replay, true);
            });
        };
        try {
            std::thread{replayed}.join();
        } catch (const std::system_error&) {
            replayed();  // no thread is to be had
        }
        return difference.take();
    }

    [[nodiscard]] std::optional<std::string> compare(ComparedPass run, Replay& replay, bool exact) {
        const auto& entries = run.invocation.trace()->entries();
        ReplayComparison comparison{run,
                                    {replay.invocation, replay.frames},
                                    [&](const Operation& operation) -> const Entry* {
                                        const auto found = starts_.find(operationIdOf(operation));
                                        if (found == starts_.end()) return nullptr;
                                        return &entries[found->second];
                                    }};
        return comparison.difference(exact);
    }

    /// Remembers where the entries are that tell what an operation was asked for.
    void indexStarts(const CallTrace& trace) {
        for (; indexed_ < trace.entries().size(); ++indexed_) {
            const auto& entry = trace.entries()[indexed_];
            if (entry.kind != EntryKind::started) continue;
            if (entry.type == OperationType::wait || entry.type == OperationType::callback ||
                entry.type == OperationType::chainedInvoke) {
                starts_.emplace(entry.operationId, indexed_);
            }
        }
    }

    Services services_;
    Progress checked_{};
    ReplayForecast forecast_;
    std::size_t indexed_{};
    std::unordered_map<std::string, std::size_t> starts_;
};

}  // namespace durable::inline v0
