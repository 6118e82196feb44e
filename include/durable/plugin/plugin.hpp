// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/logger.hpp>
#include <durable/plugin/plugin_info.hpp>

#include <functional>
#include <vector>

namespace durable::inline v0 {

/// Watches the executions of an engine: for metrics, traces, audits. Derive, override what is of
/// interest, and put it into `EngineOptions::plugins`.
///
/// A plugin has no effect on what it watches. What a hook throws is logged and otherwise ignored;
/// every plugin gets every hook, in the order of `EngineOptions::plugins`. A hook runs in the way
/// of the execution: what takes long belongs on a thread of the plugin's own.
///
/// **Invocations.** An invocation is one pass of the handler over its journal. An execution that
/// waits with its frames in memory (`EngineOptions::maxParked`) is still in the same invocation.
///
/// **Once.** Each operation gets `onOperationStart` with `isReplay == false` once, and
/// `onOperationEnd` once, over all invocations of an execution. A crash leaves this open for what
/// happened just before it: an end that was written but not told stays untold, one that the world
/// brought may be told again.
///
/// **Threads.** Hooks about one execution run one after another on the thread that runs its
/// handler; those about attempts, and `enrichLogContext`, run on the thread of the body or of the
/// log line, at the same time as others. Several executions run at once. So a plugin protects
/// what it keeps. A hook must not call members of `Engine` that wait.
///
/// **What can be wrapped.** A plain step body runs on one thread from its start to its end:
/// `wrapOperationAttempt` can set thread-local context around it. Handlers, the code of child
/// contexts and `asio::awaitable` bodies are coroutines: they suspend, go on on other threads, and
/// are destroyed when an invocation ends before them. There is nothing that a function could be
/// put around; the start and end hooks tell of them instead, and the end is missing when a
/// coroutine is destroyed.
class Plugin {
public:
    Plugin() = default;
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;
    virtual ~Plugin() = default;

    /// Before the first statement of the handler.
    virtual void onInvocationStart(const InvocationInfo& /*info*/) {}

    /// After what the invocation has recorded is durable, and before anybody is told of the
    /// execution's end.
    virtual void onInvocationEnd(const InvocationEndInfo& /*info*/) {}

    /// An operation begins; or, with `isReplay`, the handler has come again to one that has not
    /// ended. Never called for one that has.
    virtual void onOperationStart(const OperationInfo& /*info*/) {}

    /// The end of an operation is durable. An operation that the world ended between two
    /// invocations is told, with `isReplay`, when the handler comes to it.
    virtual void onOperationEnd(const OperationInfo& /*info*/) {}

    /// A write to the journal has changed the status of at least one operation.
    virtual void onOperationChange(const OperationChangeInfo& /*info*/) {}

    /// The body of a step, or the check of a condition, is about to run. On its thread.
    virtual void onOperationAttemptStart(const AttemptInfo& /*info*/) {}

    /// It has returned or thrown; not yet recorded. On its thread; for an `asio::awaitable` body,
    /// on the handler's thread.
    virtual void onOperationAttemptEnd(const AttemptEndInfo& /*info*/) {}

    /// Around the run of a plain body, on its thread, inside `onOperationAttemptStart` and `End`;
    /// the first plugin is the outermost. `run` runs the body and does not throw. Call it once: the
    /// body runs exactly once however often it is called, and what the body returns or throws is
    /// not changed by what the plugin does.
    virtual void wrapOperationAttempt(const AttemptInfo& /*info*/,
                                      const std::function<void()>& run) {
        run();
    }

    /// The code of a child context, or of an item or branch of a batch, is about to run: for the
    /// first time, or over what it has recorded. Not called for virtual contexts and flat items.
    virtual void onChildContextStart(const ChildContextInfo& /*info*/) {}

    /// It has returned or thrown.
    virtual void onChildContextEnd(const ChildContextEndInfo& /*info*/) {}

    /// Adds fields to a log line. Later plugins win over earlier ones, and fields over what the
    /// record says itself, where a sink writes them under the same name.
    virtual void enrichLogContext(const LogRecord& /*record*/, std::vector<LogField>& /*fields*/) {}
};

}  // namespace durable::inline v0
