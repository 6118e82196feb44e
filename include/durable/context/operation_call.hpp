// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/context/invocation.hpp>
#include <durable/context/step_context.hpp>
#include <durable/journal/operation_id.hpp>
#include <durable/journal/replay_check.hpp>
#include <durable/serdes/serdes.hpp>
#include <durable/serdes/utf8.hpp>

#include <fmt/core.h>

#include <optional>
#include <string>
#include <utility>

namespace durable::inline v0 {

/// One call of a durable operation, with the place in the journal that it took when it was made.
///
/// The three moves of every verb: ask what was recorded (`admitted`, `operation`), record what
/// happens (`record`), wait for the outside (`written`, `changed`, `runBody`).
class OperationCall {
public:
    OperationCall(Invocation& invocation, Operation& place, std::string parentId,
                  OperationType type, OperationSubType subType, std::string name, bool onlyRecorded)
        : invocation_{&invocation},
          place_{&place},
          parentId_{std::move(parentId)},
          name_{std::move(name)},
          type_{type},
          subType_{subType},
          onlyRecorded_{onlyRecorded} {
        if (auto* trace = invocation_->trace()) trace->called(place, identity(), parentId_);
    }

    [[nodiscard]] Invocation& invocation() const noexcept { return *invocation_; }
    [[nodiscard]] const std::string& parentId() const noexcept { return parentId_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::string id() const { return operationIdOf(*place_); }

    /// What is recorded of the operation now.
    [[nodiscard]] Operation& operation() const noexcept { return *place_; }

    /// Whether the call lies inside an operation that has ended: then nothing may be recorded.
    [[nodiscard]] bool onlyRecorded() const noexcept { return onlyRecorded_; }

    /// The operation as an author would call it.
    [[nodiscard]] std::string description() const { return describe(identity()); }

    /// Goes on if this call is what was recorded at its place, or nothing was; else the execution
    /// ends here.
    class Admission : public detail::Awaitable {
    public:
        Admission(const OperationCall& call, bool isVirtual) : call_{call}, isVirtual_{isVirtual} {}
        bool await_ready() const { return isVirtual_ ? call_.admitVirtual() : call_.admit(); }
        void await_suspend(std::coroutine_handle<>) const noexcept {}
        void await_resume() const noexcept {}

    private:
        const OperationCall& call_;
        bool isVirtual_;
    };
    [[nodiscard]] Admission admitted() const { return Admission{*this, false}; }

    /// The same for a context that leaves no record of its own.
    [[nodiscard]] Admission admittedAsVirtual() const { return Admission{*this, true}; }

    /// Records `action` with what `fill` adds to it.
    template <class Fill>
    void record(OperationAction action, Fill fill) const {
        OperationUpdate update{.action = action,
                               .operationId = id(),
                               .type = type_,
                               .subType = subType_,
                               .parentId = parentId_,
                               .name = name_};
        fill(update);
        invocation_->record(std::move(update));
    }
    void record(OperationAction action) const {
        record(action, [](OperationUpdate&) {});
    }

    /// Records the start with what `fill` adds to it, if nothing is recorded yet.
    /// \return whether it did.
    template <class Fill>
    bool recordStart(Fill fill) const {
        if (!place_->recorded()) {
            record(OperationAction::start, fill);
            return true;
        }
        if (auto* trace = invocation_->trace()) {
            OperationUpdate update;
            fill(update);
            trace->starts(*place_, std::move(update));
        }
        return false;
    }

    /// Frees what is known of the operations inside this one. Their frames must be gone.
    void forgetInside() const { invocation_->forgetBelow(*place_); }

    /// Whether the world is still to do its part, or the handler is not to know of it yet: to end
    /// a wait, callback or invoke; to make the next attempt of a step due.
    [[nodiscard]] bool awaitsWorld() const noexcept {
        if (place_->undelivered) return true;
        return type_ == OperationType::step ? place_->status == OperationStatus::pending
                                            : !isTerminal(place_->status);
    }

    [[nodiscard]] auto written() const { return invocation_->written(); }
    [[nodiscard]] auto changed() const { return invocation_->changed(*place_); }

    [[nodiscard]] SerdesContext serdesContext(const std::string& operationId) const {
        return {.executionName = invocation_->identity().name, .operationId = operationId};
    }

    /// The operation's id for a serdes; JSON does not ask for it.
    template <class T>
    [[nodiscard]] std::string idFor(const Codec<T>& codec) const {
        return codec.writesJson() ? std::string{} : id();
    }

    /// Writes `value` as text, or ends the execution: then false, and the caller suspends for good.
    template <class T>
    [[nodiscard]] bool encode(const Codec<T>& codec, const T& value, Payload& payload) const {
        return orHalt("could not be recorded", [&] {
            const auto operationId = idFor(codec);
            payload = codec.encode(value, serdesContext(operationId));
            if (codec.writesJson()) return;
            if (!isUtf8(*payload)) throw SerdesError{"the text is not UTF-8"};
        });
    }

    /// Reads a value from text, or ends the execution: then false, and the caller suspends for
    /// good.
    template <class T>
    [[nodiscard]] bool decode(const Codec<T>& codec, const Payload& payload,
                              Outcome<T>& value) const {
        return orHalt("could not be read back", [&] {
            if constexpr (std::is_void_v<T>) {
                value.setValue();
            } else {
                const auto operationId = idFor(codec);
                value.setValue(codec.decode(payload, serdesContext(operationId)));
            }
        });
    }

    /// Runs `call`; if it throws, the execution ends, and then the result is false.
    template <class Call>
    [[nodiscard]] bool orHalt(std::string_view what, Call call) const {
        const RunLoop::Enter outside{nullptr};
        std::string why;
        try {
            call();
            return true;
        } catch (...) {
            why = errorObjectOf(std::current_exception()).messageOr("Unknown error");
        }
        invocation_->halt({.type = "SerdesError",
                           .message = fmt::format("The result of {} (operation {}) {}: {}",
                                                  description(), id(), what, why)});
        return false;
    }

    /// Whether no body may be started any more: the caller suspends for good.
    [[nodiscard]] bool mustNotRun() const noexcept {
        return invocation_->stopping() || invocation_->halted();
    }

    [[nodiscard]] StepContext stepContext(std::uint32_t attempt,
                                          const std::string& operationId) const {
        return {attempt,
                logger({.operationId = operationId, .operationName = name_, .attempt = attempt})};
    }

    [[nodiscard]] Logger logger(LogRecord fields, Logger::IsReplaying isReplaying = {}) const {
        fields.executionArn = invocation_->identity().arn;
        fields.executionName = invocation_->identity().name;
        fields.handlerName = invocation_->identity().handlerName;
        fields.tenantId = invocation_->identity().tenantId;
        return {invocation_->services().log, invocation_->services().clock, fields,
                std::move(isReplaying)};
    }

    /// Ends the execution: it asks for something that an operation which has ended did without.
    void haltAsMissing() const { leaveRecordedPath(missingFromPast(*place_, identity())); }

    /// Ends the execution: a batch got another number of items than was recorded.
    void haltAtOtherItems(std::string_view recorded, std::string_view requested) const {
        leaveRecordedPath(otherNumber(*place_, identity(), recorded, requested, "items",
                                      "A batch must get the same items on every run."));
    }

    /// The same of the item at a position, which was recorded as another.
    void haltAtOtherItem(std::size_t index, const OperationIdentity& recorded,
                         const OperationIdentity& requested) const {
        leaveRecordedPath(otherCall(fmt::format("{}-{}", id(), index + 1), recorded, requested));
    }

    /// The same of operations that are awaited together.
    void haltAtOtherOperations(std::string_view recorded, std::string_view requested) const {
        leaveRecordedPath(otherNumber(
            *place_, identity(), recorded, requested, "operations",
            "all, allSettled, any and race must get the same operations on every run."));
    }

    /// What was recorded of the failure.
    [[nodiscard]] ErrorObject error() const {
        return place_->error ? *place_->error : ErrorObject{};
    }

private:
    [[nodiscard]] OperationIdentity identity() const {
        return {.type = type_, .subType = subType_, .name = name_};
    }

    [[nodiscard]] bool admit() const {
        if (invocation_->halted()) return false;
        if (auto* trace = invocation_->trace()) trace->awaited(*place_, false);
        auto problem = mismatch(*place_, identity());
        if (!problem && type_ == OperationType::context) {
            problem = nestingMismatch(*place_, identity(), false);
        }
        if (problem) {
            leaveRecordedPath(std::move(*problem));
            return false;
        }
        // To open a callback is all that its call does; waiting for it comes later, or never.
        const bool done =
            isTerminal(place_->status) || (type_ == OperationType::callback && place_->recorded());
        if (onlyRecorded_ && !done) {
            haltAsMissing();
            return false;
        }
        auto* plugins = invocation_->plugins();
        if (plugins != nullptr && place_->recorded()) plugins->reached(*place_);
        return true;
    }

    [[nodiscard]] bool admitVirtual() const {
        if (invocation_->halted()) return false;
        if (auto* trace = invocation_->trace()) trace->awaited(*place_, true);
        auto problem = nestingMismatch(*place_, identity(), true);
        if (!problem) return true;
        leaveRecordedPath(std::move(*problem));
        return false;
    }

    void leaveRecordedPath(std::string problem) const {
        invocation_->halt(
            {.type = "NonDeterministicExecutionError", .message = std::move(problem)});
    }

    Invocation* invocation_;
    Operation* place_;
    std::string parentId_;
    std::string name_;
    OperationType type_;
    OperationSubType subType_;
    bool onlyRecorded_;
};

}  // namespace durable::inline v0
