// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/concurrency/batch_record.hpp>
#include <durable/concurrency/concurrent_executor.hpp>
#include <durable/policy/completion_config.hpp>
#include <durable/policy/retry_strategy.hpp>
#include <durable/policy/wait_strategy.hpp>
#include <durable/serdes/serdes.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>

/// \file
/// Every knob of every durable operation. A member that is left out has the value written here.

namespace durable::inline v0 {

/// What a crash in the middle of a step means.
enum class StepSemantics {
    /// The attempt runs again after a crash: a body may run more than once per attempt.
    atLeastOncePerRetry,

    /// The start of an attempt is recorded before the body runs. After a crash the attempt counts
    /// as failed with `StepInterruptedError`, and the retry strategy is asked.
    atMostOncePerRetry,
};

struct StepConfig {
    /// Asked after each failed attempt. Empty: `retry::standard()`.
    RetryStrategy retryStrategy{};

    StepSemantics semantics{StepSemantics::atLeastOncePerRetry};

    /// For the result. Empty: JSON.
    AnySerdes serdes{};
};

struct CallbackConfig {
    /// From the start of the callback; at least 1 s. Empty: no limit.
    std::optional<std::chrono::seconds> timeout{};

    /// Between two heartbeats, or the start and the first; at least 1 s. Empty: no limit.
    std::optional<std::chrono::seconds> heartbeatTimeout{};

    /// For the result. Empty: text as it was delivered if the result is a `std::string`, else JSON.
    AnySerdes serdes{};
};

struct WaitForCallbackConfig {
    std::optional<std::chrono::seconds> timeout{};           ///< as in `CallbackConfig`
    std::optional<std::chrono::seconds> heartbeatTimeout{};  ///< as in `CallbackConfig`
    RetryStrategy retryStrategy{};  ///< of the submitter; empty: `retry::standard()`
    AnySerdes serdes{};             ///< as in `CallbackConfig`
};

template <class State>
struct WaitForConditionConfig {
    /// Given to the first check.
    State initialState;

    /// Asked after each check with the state that it returned. Must be set.
    WaitStrategy<State> waitStrategy;

    /// For the state. Empty: JSON.
    AnySerdes serdes{};
};

struct InvokeConfig {
    AnySerdes payloadSerdes{};  ///< for what is sent; empty: JSON
    AnySerdes resultSerdes{};   ///< for what comes back; empty: JSON
    std::string tenantId{};     ///< empty: the invoking execution's
};

struct ChildContextConfig {
    /// For the result. Empty: JSON.
    AnySerdes serdes{};

    /// Makes, of the result's text, what is recorded in its place when it is over the size limit.
    /// For people who read the journal; never read back.
    std::function<std::string(const std::string& result)> summaryGenerator{};

    /// Makes the exception that the caller gets, of the error that left the child context. Called
    /// on replay too. What it throws the caller gets as well. Empty, or null: `ChildContextError`.
    std::function<std::exception_ptr(const ErrorObject& error)> errorMapper{};

    /// Groups ids only: the context itself is not recorded, and its code runs again on each replay.
    bool virtualContext{};
};

struct WithRetryConfig {
    /// Asked after each failed attempt, and again when the attempt is replayed: it must decide by
    /// the error and the number of the attempt only. Its delay may be random. Must be set.
    RetryStrategy retryStrategy{};

    /// Whether all attempts together are a child context of their own. If not, the operations of
    /// the block are operations of the calling context, and the block's own error reaches the
    /// caller. The block is no operation then: nothing that `all` and its like take.
    bool wrapWithRunInChildContext{true};

    ChildContextConfig childContext{};  ///< of that child context
};

/// Whether each item of a batch is an operation of its own in the journal.
enum class Nesting {
    nested,  ///< each item's outcome is recorded: a finished item never runs again

    /// Items leave no record but their own operations: fewer entries, but the items' code runs
    /// again on each replay until the batch has ended. Items that had ended then end again, in the
    /// order of the input, and a `shouldComplete` that goes by the order of ends may decide
    /// otherwise. The other criteria decide the same.
    flat,
};

/// How a parallel runs its branches.
struct ParallelConfig {
    /// Branches in flight at once, those that wait for a timer or callback included. At least 1.
    /// Empty: all.
    std::optional<std::int64_t> maxConcurrency{};

    /// When to stop. Left empty: at the first failure.
    CompletionConfig completionConfig{};

    Nesting nesting{Nesting::nested};

    /// For the result of each branch. Empty: JSON.
    AnySerdes itemSerdes{};

    /// For the batch as a whole: `Serdes<BatchRecord>`. Names that it reads back must be those of
    /// the items, or empty. Empty: JSON as the AWS SDKs write it.
    AnySerdes serdes{};

    /// Adds a text to the summary that is recorded when the result is over the size limit.
    std::function<std::string(const BatchRecord&)> summaryGenerator{};

    /// Called whenever a branch starts or ends while the batch runs; not on replay of a batch that
    /// has ended, nor for branches that an earlier run has recorded: the next call counts them. On
    /// the workflow's thread; what it throws is dropped.
    std::function<void(const BatchProgress&)> onProgress{};
};

/// How a map runs its items. The same knobs as for a parallel, and names for the items.
struct MapConfig {
    std::optional<std::int64_t> maxConcurrency{};  ///< as in `ParallelConfig`
    CompletionConfig completionConfig{};           ///< as in `ParallelConfig`

    /// Gives the item at an index of the input its name; the same name on every run. Empty, or an
    /// empty name: `map-item-0` and so on.
    std::function<std::string(std::size_t index)> itemNamer{};

    Nesting nesting{Nesting::nested};                                   ///< as in `ParallelConfig`
    AnySerdes itemSerdes{};                                             ///< as in `ParallelConfig`
    AnySerdes serdes{};                                                 ///< as in `ParallelConfig`
    std::function<std::string(const BatchRecord&)> summaryGenerator{};  ///< as in `ParallelConfig`
    std::function<void(const BatchProgress&)> onProgress{};             ///< as in `ParallelConfig`
};

}  // namespace durable::inline v0
