// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/boxed.hpp>
#include <durable/context/call_trace.hpp>
#include <durable/context/deliveries.hpp>
#include <durable/context/services.hpp>
#include <durable/coro/body_run.hpp>
#include <durable/coro/wait_list.hpp>
#include <durable/journal/execution_state.hpp>
#include <durable/journal/service.hpp>
#include <durable/plugin/plugin_dispatch.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace durable::inline v0 {

/// Which execution an invocation belongs to.
struct ExecutionIdentity {
    std::int64_t id{};
    std::string handlerName{};
    std::string name{};
    std::string tenantId{};
    std::string arn{};

    /// What plugins are told of it.
    [[nodiscard]] ExecutionInfo info() const {
        ExecutionInfo told;
        told.arn = arn;
        told.id = id;
        told.name = name;
        told.handlerName = handlerName;
        told.tenantId = tenantId;
        return told;
    }
};

/// One pass of a handler over its journal: the frames that run, what they recorded and is not
/// written yet, and whom to tell when it is, or when the world changes an operation.
///
/// Operations use it to record and to wait; the engine drives it. No I/O happens here.
/// Thread-safety: none; an execution runs on one thread at a time.
class Invocation {
public:
    Invocation(const Services& services, const ExecutionIdentity& identity, ExecutionState& state,
               std::shared_ptr<Mailbox> mailbox)
        : services_{services},
          identity_{identity},
          state_{state},
          mailbox_{std::move(mailbox)},
          scope_{loop_} {
        if (services.plugins != nullptr) {
            plugins_ = std::make_unique<PluginDispatch>(*services.plugins, state);
        }
        if (services.verifyReplay) trace_ = std::make_unique<CallTrace>();
    }
    Invocation(const Invocation&) = delete;
    Invocation& operator=(const Invocation&) = delete;
    ~Invocation() = default;

    [[nodiscard]] const Services& services() const noexcept { return services_; }
    [[nodiscard]] const ExecutionIdentity& identity() const noexcept { return identity_; }
    [[nodiscard]] ExecutionState& state() noexcept { return state_; }
    [[nodiscard]] RunLoop& loop() noexcept { return loop_; }
    [[nodiscard]] Scope& scope() noexcept { return scope_; }
    [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }

    /// Whom to tell what happens, or null.
    [[nodiscard]] PluginDispatch* plugins() noexcept { return plugins_.get(); }

    /// What this pass has called, or null if nobody wants to know.
    [[nodiscard]] CallTrace* trace() noexcept { return trace_.get(); }

    // --- for operations ---------------------------------------------------------------------

    /// Records an update. It counts at once; it is durable when `written()` says so.
    void record(OperationUpdate&& update) {
        if (halted_) return;
        auto applied = apply(state_, std::move(update), services_.clock.now(), services_.limits);
        if (auto* refusal = std::get_if<Refusal>(&applied)) {
            halt({.type = "InvalidParameterValueException",
                  .message = fmt::format("Operation {} was refused: {}", refusal->operationId,
                                         refusal->message)});
            return;
        }
        keep(std::move(std::get<Entry>(applied)));
    }

    /// Frees what is known of the operations inside `ended`, if that is a context which has ended
    /// and nobody can ask for them. Their frames must be gone.
    void forgetBelow(Operation& ended) {
        if (!plugins_ && !trace_) state_.forgetBelow(ended);  // both refer to operations
    }

    /// Suspends until everything that was recorded so far is durable.
    class Written : public Link, public detail::Awaitable {
    public:
        explicit Written(Invocation& invocation)
            : invocation_{invocation}, upTo_{invocation.recorded_} {}

        bool await_ready() const noexcept { return upTo_ <= invocation_.written_; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
            coroutine_ = &waiting.promise();
            invocation_.awaitingWrite_.pushBack(*this);
        }
        void await_resume() const noexcept {}

    private:
        friend class Invocation;

        Invocation& invocation_;
        std::uint64_t upTo_;
        Resumable* coroutine_{};
    };
    [[nodiscard]] Written written() { return Written{*this}; }

    /// Suspends until the handler is told that the world has changed `operation`: its time has
    /// come, or someone completed it.
    class Changed : public detail::Awaitable {
    public:
        Changed(Invocation& invocation, const Operation& operation)
            : invocation_{invocation}, operation_{operation} {}
        Changed(const Changed&) = delete;
        Changed& operator=(const Changed&) = delete;
        ~Changed() {
            if (suspended_) invocation_.awaited_.erase(place_);
        }

        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> waiting) {
            place_ = invocation_.awaited_.emplace(&operation_, &waiting.promise());
            suspended_ = true;
        }
        void await_resume() const noexcept {}

    private:
        Invocation& invocation_;
        const Operation& operation_;
        std::multimap<const Operation*, Resumable*>::iterator place_{};
        bool suspended_{};
    };
    [[nodiscard]] Changed changed(const Operation& operation) { return Changed{*this, operation}; }

    /// Runs a step body: `call(stop token)`.
    /// \param canWait for the next engine, if this one stops before the body has begun.
    template <class Call>
    [[nodiscard]] BodyRun<Call> runBody(Call call, bool canWait) {
        return BodyRun<Call>{services_.steps, mailbox_, services_.stop, std::move(call), canWait};
    }

    /// Ends the execution with `error`. Nothing of the handler is resumed any more; in particular
    /// it does not see the error. The first call counts.
    void halt(ErrorObject error) {
        if (halted_) return;
        halted_ = std::move(error);
        scope_.freeze();
    }

    /// Whether no further body may be started.
    [[nodiscard]] bool stopping() const noexcept { return services_.stop.stop_requested(); }

    // --- for the engine ---------------------------------------------------------------------

    [[nodiscard]] const Boxed<ErrorObject>& halted() const noexcept { return halted_; }

    /// Takes over the next entry that the store holds.
    /// \throws std::invalid_argument if it is damaged.
    void load(const Entry& entry) {
        Operation& operation = state_.fold(entry);
        if (plugins_) plugins_->loaded(entry, operation);
        if (trace_) trace_->recorded(entry);
        deliveries_.loaded(entry, operation);
        forgetBelow(operation);
    }

    /// Adds an entry that is already decided, of the world's or of the handler's doing.
    Operation& keep(Entry&& entry) {
        const bool isNew = plugins_ && state_.find(entry.operationId) == nullptr;
        Operation& changed = state_.fold(entry);
        ++recorded_;
        if (plugins_) plugins_->recorded(entry, changed, recorded_, isNew);
        if (trace_) trace_->recorded(entry);
        constexpr std::size_t entriesOfStep = 2;
        if (unwritten_.capacity() == 0) unwritten_.reserve(entriesOfStep);
        unwritten_.push_back(std::move(entry));
        return changed;
    }

    /// The same of what the world did. The handler does not go by it before it is told.
    Operation& keepChange(Entry&& entry) {
        const auto kind = entry.kind;
        Operation& changed = keep(std::move(entry));
        if (isNews(kind, changed.type)) Deliveries::hold(changed);
        return changed;
    }

    /// What the world did to `operation` is durable.
    void deliver(Operation& operation) { deliveries_.add(operation); }

    /// Tells the handler, which has gone as far as it can, the next thing that the world did.
    /// \return whether there was any.
    bool tellNext() {
        const auto* operation = deliveries_.next();
        if (operation == nullptr) return false;
        const auto [first, last] = awaited_.equal_range(operation);
        for (auto waiting = first; waiting != last; ++waiting) loop_.post(*waiting->second);
        return true;
    }

    /// Whether a coroutine waits for what was recorded to be written.
    [[nodiscard]] bool awaitsWrite() const noexcept { return !awaitingWrite_.empty(); }

    /// Whether a coroutine waits for the world.
    [[nodiscard]] bool awaitsWorld() const noexcept { return !awaited_.empty(); }

    [[nodiscard]] bool hasUnwritten() const noexcept { return !unwritten_.empty(); }
    [[nodiscard]] std::uint64_t recordedCount() const noexcept { return recorded_; }
    [[nodiscard]] std::uint64_t writtenCount() const noexcept { return written_; }

    /// The entries to write next, in order. They count as on their way from now on.
    [[nodiscard]] std::vector<Entry> takeUnwritten() { return std::exchange(unwritten_, {}); }

    /// Tells that the first `count` entries of this invocation are durable.
    void acknowledge(std::uint64_t count) {
        written_ = count;
        if (plugins_) plugins_->written(count);
        while (!awaitingWrite_.empty() && awaitingWrite_.front().upTo_ <= written_) {
            loop_.post(*awaitingWrite_.popFront().coroutine_);
        }
    }

private:
    const Services& services_;
    const ExecutionIdentity& identity_;
    ExecutionState& state_;
    std::shared_ptr<Mailbox> mailbox_;
    RunLoop loop_;
    Scope scope_;
    std::vector<Entry> unwritten_;
    std::uint64_t recorded_{};
    std::uint64_t written_{};
    LinkedList<Written> awaitingWrite_;
    std::multimap<const Operation*, Resumable*> awaited_;
    Deliveries deliveries_;
    Boxed<ErrorObject> halted_;
    std::unique_ptr<PluginDispatch> plugins_;  // null where nobody listens
    std::unique_ptr<CallTrace> trace_;         // null where nobody compares
};

}  // namespace durable::inline v0
