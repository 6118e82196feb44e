// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/require.hpp>
#include <durable/concurrency/batch_result.hpp>
#include <durable/concurrency/parallel_result.hpp>
#include <durable/concurrency/settled.hpp>
#include <durable/context/body_traits.hpp>
#include <durable/context/config.hpp>
#include <durable/context/operation_call.hpp>

#include <fmt/core.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace durable::inline v0 {

template <class T>
class Callback;
template <class Body>
struct Branch;

/// The durable operations of a handler: the table of contents of this library.
///
/// Each operation takes its place in the journal when it is called, and does its work when its
/// task is awaited: what an earlier run recorded is given back, and only what is new happens. So a
/// handler must make the same calls in the same order on every run; whatever may differ between
/// runs belongs in a step.
///
/// Names are for people and for checking replay; every operation may go without one. A name is at
/// most 256 printable ASCII characters.
///
/// Callables and arguments are kept until the returned task is done, so a capturing lambda is safe
/// even when it is a coroutine. What they refer to must live that long: it does when the handler
/// awaits the task in the same statement. A task is awaited in the code that its context was passed
/// to, before that code returns: afterwards it refers to freed memory.
///
/// Every operation throws `MisuseError` when it is called on a context other than the one that was
/// passed to the running code, inside a step body or a callback such as a retry strategy, on
/// another thread, after 10,000,000 others in the same context, or inside more than 1,000 contexts;
/// and `InvalidConfig`, before anything is recorded, if an argument is out of range.
///
/// Thread-safety: none; a context is used by its own handler's code only.
class DurableContext {
public:
    DurableContext(const DurableContext&) = delete;
    DurableContext& operator=(const DurableContext&) = delete;
    ~DurableContext() = default;

    // --- step: runs code once and keeps its result ------------------------------------------

    /// Runs `body` and records its result; on replay gives the recorded result without running it.
    ///
    /// `body` is `T()` or `T(StepContext&)`, a plain function or one that returns
    /// `boost::asio::awaitable<T>`. It runs on the engine's step threads. If it throws, the retry
    /// strategy decides; delays are durable. The result is what was recorded, read back.
    /// \throws StepError (from the task) when the strategy gives up.
    template <class Body>
    Task<detail::StepResult<Body>> step(std::string_view name, Body body, StepConfig config = {});
    template <class Body>
        requires(!std::convertible_to<Body, std::string_view>)
    Task<detail::StepResult<Body>> step(Body body, StepConfig config = {});

    // --- map and parallel: many branches, one result ----------------------------------------

    /// Runs `body` on every item, at most `config.maxConcurrency` at once.
    ///
    /// `body` is `Task<T>(DurableContext&, const Item&)`, or takes the index and the items too. It
    /// gets a context of its own. The result holds one entry per started item, in the order of
    /// `items`. A failed item is an entry, not an exception; `BatchResult::throwIfError` makes it
    /// one. Without a `completionConfig` the first failure ends the batch.
    ///
    /// When the batch is decided, no further item starts, items that wait are destroyed, running
    /// step bodies get their stop token, and the task is done when those have returned.
    ///
    /// Write `body` as a coroutine. One that only returns `item.step(…)` has ended before the step
    /// runs: what the step's lambda captured of it by reference is gone.
    ///
    /// Replay: recorded items give their recorded results; `body` is not called for them.
    /// \throws ChildContextError (from the task) if `shouldComplete` or `summaryGenerator` throws.
    template <std::ranges::sized_range Items, class Body>
    auto map(std::string_view name, Items&& items, Body body, MapConfig config = {});
    template <std::ranges::sized_range Items, class Body>
        requires(!std::convertible_to<Items, std::string_view>)
    auto map(Items&& items, Body body, MapConfig config = {});

    /// Runs differently typed branches side by side; the result's `getResults` is a tuple.
    ///
    /// `branches` are `branch("name", body)`, or bodies: `Task<T>(DurableContext&)`. The last
    /// argument may be a `ParallelConfig`. Otherwise as `map`.
    template <class... Branches>
    auto parallel(std::string_view name, Branches... branches);
    template <class First, class... Branches>
        requires(!std::convertible_to<First, std::string_view>)
    auto parallel(First first, Branches... branches);

    /// Runs branches of one type side by side; the result is a `BatchResult`.
    template <class Body>
    auto parallel(std::string_view name, std::vector<Branch<Body>> branches,
                  ParallelConfig config = {});
    template <class Body>
    auto parallel(std::vector<Branch<Body>> branches, ParallelConfig config = {});

    // --- all, allSettled, any, race: operations that run side by side ------------------------

    /// Awaits operations of this context together; the results are a tuple, in their order
    /// (`std::monostate` for `void`), or a vector, or nothing for a vector of `void`.
    ///
    ///     auto both = ctx.all("both", ctx.step("a", a), ctx.invoke<int>("b", "handler", 1));
    ///     auto [x, y] = co_await both;
    ///
    /// This and the three below take tasks of operations, which have their places in the journal
    /// already; a coroutine of your own that calls several operations goes in
    /// `runInChildContext`. Results must have JSON. What was decided is recorded in a child
    /// context: on replay it is given back and the operations are not awaited.
    ///
    /// When it is decided, operations that are in flight are stopped as those of a batch are:
    /// waiting ones are destroyed, running step bodies get their stop token, and the task is done
    /// when those have returned. What they had recorded stays in the journal, unfinished: a timer
    /// or an invoked execution of theirs still ends, and nobody is told.
    /// \throws CombinatorError (from the task) with the first failure.
    template <class... Ts>
        requires(sizeof...(Ts) > 0)
    Task<std::tuple<detail::Combined<Ts>...>> all(std::string_view name, Task<Ts>... operations);
    template <class... Ts>
        requires(sizeof...(Ts) > 0)
    Task<std::tuple<detail::Combined<Ts>...>> all(Task<Ts>... operations);
    template <class T>
    Task<detail::ListOf<T, std::vector<detail::Combined<T>>>> all(std::string_view name,
                                                                  std::vector<Task<T>> operations);
    template <class T>
    Task<detail::ListOf<T, std::vector<detail::Combined<T>>>> all(std::vector<Task<T>> operations);

    /// Awaits operations until all have ended; a failure is a result. Otherwise as `all`.
    template <class... Ts>
        requires(sizeof...(Ts) > 0)
    Task<std::tuple<Settled<Ts>...>> allSettled(std::string_view name, Task<Ts>... operations);
    template <class... Ts>
        requires(sizeof...(Ts) > 0)
    Task<std::tuple<Settled<Ts>...>> allSettled(Task<Ts>... operations);
    template <class T>
    Task<std::vector<Settled<T>>> allSettled(std::string_view name,
                                             std::vector<Task<T>> operations);
    template <class T>
    Task<std::vector<Settled<T>>> allSettled(std::vector<Task<T>> operations);

    /// The result of the first operation that succeeds: its value if all have one type, else a
    /// variant with a place for each. Otherwise as `all`.
    /// \throws CombinatorError (from the task) of type `AggregateError` if all fail.
    template <class First, class... Rest>
    Task<detail::OneOf<First, Rest...>> any(std::string_view name, Task<First> first,
                                            Task<Rest>... rest);
    template <class First, class... Rest>
    Task<detail::OneOf<First, Rest...>> any(Task<First> first, Task<Rest>... rest);
    template <class T>
    Task<T> any(std::string_view name, std::vector<Task<T>> operations);
    template <class T>
    Task<T> any(std::vector<Task<T>> operations);

    /// The result of the first operation that ends. Otherwise as `any`.
    /// \throws CombinatorError (from the task) if it fails.
    template <class First, class... Rest>
    Task<detail::OneOf<First, Rest...>> race(std::string_view name, Task<First> first,
                                             Task<Rest>... rest);
    template <class First, class... Rest>
    Task<detail::OneOf<First, Rest...>> race(Task<First> first, Task<Rest>... rest);
    template <class T>
    Task<T> race(std::string_view name, std::vector<Task<T>> operations);
    template <class T>
    Task<T> race(std::vector<Task<T>> operations);

    // --- waiting ----------------------------------------------------------------------------

    /// Waits at least `duration`, from 1 s to 366 days, across restarts.
    Task<void> wait(std::string_view name, std::chrono::seconds duration);
    Task<void> wait(std::chrono::seconds duration);

    /// Calls `check` with the last state until `config.waitStrategy` says stop; gives the last
    /// state. `check` is `State(const State&)` or `State(const State&, StepContext&)` and runs like
    /// a step body.
    /// \throws WaitForConditionError (from the task) if `check` or the strategy throws.
    template <class State, class Check>
    Task<State> waitForCondition(std::string_view name, Check check,
                                 WaitForConditionConfig<State> config);
    template <class State, class Check>
    Task<State> waitForCondition(Check check, WaitForConditionConfig<State> config);

    // --- callbacks: results from outside ----------------------------------------------------

    /// Opens a callback. Whoever gets its `id()` completes it through the engine; `result()` waits
    /// for that.
    template <class T = std::string>
    Task<Callback<T>> createCallback(std::string_view name, CallbackConfig config = {});
    template <class T = std::string>
    Task<Callback<T>> createCallback(CallbackConfig config = {});

    /// Opens a callback, hands its id out in a step, and waits for the result. `submitter` is
    /// `void(std::string callbackId)`, or takes a `StepContext&` too.
    /// \throws CallbackTimeoutError, CallbackExternalError, CallbackSubmitterError (from the task).
    template <class T = std::string, class Submitter>
    Task<T> waitForCallback(std::string_view name, Submitter submitter,
                            WaitForCallbackConfig config = {});
    template <class T = std::string, class Submitter>
        requires(!std::convertible_to<Submitter, std::string_view>)
    Task<T> waitForCallback(Submitter submitter, WaitForCallbackConfig config = {});

    // --- other handlers and child contexts --------------------------------------------------

    /// Starts an execution of another registered handler with `input` and waits for its result.
    /// For a handler that takes no input, `input` is `nullptr`.
    /// \throws InvokeError (from the task) if it fails, times out, is stopped, or is not
    /// registered.
    template <class T, class Input>
    Task<T> invoke(std::string_view name, std::string_view handlerName, Input input,
                   InvokeConfig config = {});
    template <class T, class Input>
    Task<T> invoke(std::string_view handlerName, Input input, InvokeConfig config = {});

    /// Runs `body`, `Task<T>(DurableContext&)`, with a context of its own and records its result:
    /// once it has ended, nothing inside it runs again.
    /// \throws ChildContextError (from the task) with what left `body` as its cause.
    template <class Body>
    Task<detail::ContextResult<Body>> runInChildContext(std::string_view name, Body body,
                                                        ChildContextConfig config = {});
    template <class Body>
        requires(!std::convertible_to<Body, std::string_view>)
    Task<detail::ContextResult<Body>> runInChildContext(Body body, ChildContextConfig config = {});

    /// Runs `body`, `Task<T>(DurableContext&)` or `Task<T>(DurableContext&, std::uint32_t attempt)`
    /// with attempts from 1, again and again until it succeeds or `config.retryStrategy` gives up,
    /// with durable waits named `<name>-backoff-<attempt>` in between (a name too long for
    /// that is cut there). For a block of operations that must be repeated together; a step alone
    /// retries by itself.
    ///
    /// Use the context that `body` gets. Each attempt's operations are new ones.
    /// \throws ChildContextError (from the task) with what left the last attempt as its cause; with
    ///     `wrapWithRunInChildContext = false` what left it.
    template <class Body>
    detail::RetryTask<Body> withRetry(std::string_view name, Body body, WithRetryConfig config);
    template <class Body>
        requires(!std::convertible_to<Body, std::string_view>)
    detail::RetryTask<Body> withRetry(Body body, WithRetryConfig config);

    // --- looking around ---------------------------------------------------------------------

    /// Writes log lines that carry the execution; silent while passing through the recorded past.
    [[nodiscard]] Logger logger() const {
        return self_.logger({.operationId = recordedId_, .operationName = self_.name()},
                            [this] { return isReplaying(); });
    }

    /// Whether the next operation is already recorded.
    [[nodiscard]] bool isReplaying() const noexcept {
        if (onlyRecorded_) return true;
        const auto* next = node_.child(calls_ + 1);
        return next != nullptr && (next->recorded() || !next->children.empty());
    }

    /// The execution's name.
    [[nodiscard]] const std::string& executionName() const noexcept {
        return self_.invocation().identity().name;
    }

    // --- for the library --------------------------------------------------------------------

    /// The context inside `self`, whose code belongs to `scope`. With `isVirtual`, `self` groups
    /// ids only and is not recorded itself.
    DurableContext(const OperationCall& self, Scope& scope, bool onlyRecorded,
                   bool isVirtual = false)
        : self_{self},
          node_{self.operation()},
          scope_{scope},
          recordedId_{isVirtual ? self.parentId() : self.id()},
          depth_{depthOf(node_) + 1},
          onlyRecorded_{onlyRecorded} {}

    /// Takes the place of the next operation.
    [[nodiscard]] OperationCall nextCall(OperationType type, OperationSubType subType,
                                         std::string_view name) {
        const OperationIdentity identity{.type = type, .subType = subType, .name = name};
        requireOwnCode(identity);
        requireName("name", name);
        requireRoom(identity);
        return {self_.invocation(), node_.place(++calls_), recordedId_, type, subType,
                std::string{name},  onlyRecorded_};
    }

    /// Takes the place of the next operation that groups others.
    [[nodiscard]] OperationCall nextGroup(std::string_view name) {
        return nextCall(OperationType::context, OperationSubType::runInChildContext, name);
    }

    /// Throws unless the code that runs is the code this context was passed to.
    void requireOwnCode(const OperationIdentity& identity) const;

    /// Throws if the journal could not be read back with one more operation here.
    void requireRoom(const OperationIdentity& identity) const;

    [[nodiscard]] Scope& scope() const noexcept { return scope_; }
    [[nodiscard]] Invocation& invocation() const noexcept { return self_.invocation(); }

private:
    OperationCall self_;
    Operation& node_;
    Scope& scope_;
    std::string recordedId_;
    std::size_t depth_;
    std::uint32_t calls_{};
    bool onlyRecorded_;
};

inline void DurableContext::requireOwnCode(const OperationIdentity& identity) const {
    if (RunLoop::current() == &scope_) return;
    if (RunLoop::current() == nullptr) {
        throw MisuseError{describe(identity) +
                          " was called outside the code of its handler: inside a step body, which "
                          "has no durable operations (runInChildContext groups them), in a "
                          "callback such as a retry strategy, in a destructor, or on another "
                          "thread."};
    }
    throw MisuseError{describe(identity) + " was called on the context of " +
                      (recordedId_.empty() ? "the handler" : "operation " + recordedId_) +
                      ", but the code that runs was given another one. Use the context that was "
                      "passed to the innermost function."};
}

inline void DurableContext::requireRoom(const OperationIdentity& identity) const {
    if (calls_ == operationNumberMax) {
        throw MisuseError{fmt::format("{} is one operation too many: a context has at most {}.",
                                      describe(identity), operationNumberMax)};
    }
    const bool hasOperations = identity.subType == OperationSubType::waitForCallback;
    if (depth_ + (hasOperations ? 1 : 0) > contextDepthMax) {
        throw MisuseError{fmt::format("{} lies too deep: at most {} contexts lie in each other.",
                                      describe(identity), contextDepthMax)};
    }
}

}  // namespace durable::inline v0
