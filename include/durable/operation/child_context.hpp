// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>

/// \file
/// The life of a context: started, its code run, its result recorded. Shared by
/// `runInChildContext`, `waitForCallback` and the items of batches; knows values as text only.

namespace durable::inline v0 {

namespace detail {

/// Runs the code of a context; gives its result as text. Throws what the code throws.
using ContextCode = std::function<Task<Payload>(DurableContext&)>;

struct ContextOptions {
    std::function<std::string(const std::string& result)> summaryGenerator{};
    bool isVirtual{};
};

/// Runs `code` with a context of its own, and keeps how it ended.
inline Task<Outcome<Payload>> runContextCode(const OperationCall& call, const ContextCode& code,
                                             bool onlyRecorded, bool isVirtual) {
    Scope& parent = co_await RunningScope{};
    Scope scope{parent};
    DurableContext context{call, scope, onlyRecorded, isVirtual};
    CallTrace::Visit visit{call.invocation().trace(), call.operation()};
    auto* plugins = isVirtual ? nullptr : call.invocation().plugins();
    std::optional<ChildContextInfo> observed;
    if (plugins != nullptr) observed = plugins->contextStarts(call.operation());
    Outcome<Payload> outcome;
    try {
        auto task = [&] {
            const RunLoop::Enter enter{&scope};
            return code(context);
        }();
        auto result = co_await std::move(task).under(scope);
        outcome.setValue(std::move(result));
    } catch (...) {
        outcome.setException(std::current_exception());
    }
    visit.finished();
    if (observed) plugins->contextEnds(std::move(*observed), outcome.exception());
    co_return outcome;
}

/// Records the end of a context. A summary generator that throws fails the context.
inline void recordContextEnd(const OperationCall& call, const ContextOptions& options,
                             Outcome<Payload>& outcome, const Payload& result) {
    const RunLoop::Enter outside{nullptr};
    const auto& limits = call.invocation().services().limits;
    const bool tooLarge = result && result->size() > limits.inlineResultBytesMax;
    std::string summary;
    if (tooLarge && options.summaryGenerator) {
        try {
            summary = options.summaryGenerator(*result);
        } catch (...) {
            outcome.setException(std::current_exception());
        }
    }
    if (auto failure = outcome.exception()) {
        call.record(OperationAction::fail,
                    [&](OperationUpdate& update) { update.error = errorObjectOf(failure); });
        return;
    }
    call.record(OperationAction::succeed, [&](OperationUpdate& update) {
        update.replayChildren = tooLarge;
        update.payload = tooLarge ? Payload{std::move(summary)} : result;
    });
}

/// The result of the context as text: the recorded one, or that of running `code` now.
/// `ChildContextError` is thrown for what left `code`, on the first run and on replay.
inline Task<Payload> runContext(OperationCall call, ContextOptions options, ContextCode code) {
    co_await (options.isVirtual ? call.admittedAsVirtual() : call.admitted());
    const Operation& context = call.operation();
    if (isTerminal(context.status) && context.status != OperationStatus::succeeded) {
        throw ChildContextError{call.error()};
    }
    const bool ended = context.status == OperationStatus::succeeded;
    if (ended && !context.replayChildren) co_return context.result;

    if (!ended && !options.isVirtual && !context.recorded()) call.record(OperationAction::start);
    auto running = runContextCode(call, code, ended || call.onlyRecorded(), options.isVirtual);
    auto outcome = co_await std::move(running);
    Payload result;
    if (outcome.succeeded()) result = outcome.take();
    if (!ended && !options.isVirtual) {
        recordContextEnd(call, options, outcome, result);
        call.forgetInside();
    }
    if (auto failure = outcome.exception()) throw ChildContextError{recordableErrorOf(failure)};
    co_return result;
}

}  // namespace detail

}  // namespace durable::inline v0
