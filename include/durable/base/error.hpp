// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error_object.hpp>
#include <durable/base/type_name.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

/// \file
/// The exceptions of the library, sorted by who must act: the author of a handler, the operator of
/// a machine, or the workflow itself.

namespace durable::inline v0 {

// --- the author must act ------------------------------------------------------------------------

/// An option is out of range or contradicts another one. Thrown at the call, before anything is
/// recorded. Thrown inside a handler and not caught there, it fails the execution for good.
class InvalidConfig : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/// The library is used in a way that cannot work, such as a durable operation inside a step body.
class MisuseError : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// Replay left the recorded path. Fails the execution; a handler never sees it.
class NonDeterminismError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A value could not be written as text, or recorded text could not be read as a value. Fails the
/// execution when it happens to an operation; a handler never sees it.
class SerdesError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// --- whoever starts executions and completes callbacks must act
// -----------------------------------

/// An execution of that name exists, with another input.
class ExecutionConflict : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/// There is no callback of that id.
class UnknownCallback : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/// The callback was completed before, its time is over, or its execution has ended.
class ClosedCallback : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// --- the operator must act ----------------------------------------------------------------------

/// The journal could not be read or written. What was acknowledged before is not affected. What
/// failed to be written is not there, but see `Store::append` for a disk that fails to sync.
class StoreError : public std::runtime_error {
public:
    enum class Kind {
        permanent,  ///< trying again will not help until someone acts
        retryable,  ///< the same call may succeed later
    };

    explicit StoreError(const std::string& message, Kind kind = Kind::permanent)
        : std::runtime_error{message}, kind_{kind} {}

    [[nodiscard]] bool retryable() const noexcept { return kind_ == Kind::retryable; }

private:
    Kind kind_;
};

/// The engine was stopped while the caller waited. The work is in the journal and goes on with the
/// next engine.
class EngineStopped : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// --- the workflow must act: recorded, thrown into the handler, the same on replay ---------------

/// A durable operation failed.
///
/// Thrown into the handler on the first run and on every replay alike, rebuilt from what was
/// recorded. The body's own exception type is therefore never thrown itself: it is told by
/// `errorType()`.
class DurableError : public std::runtime_error {
public:
    /// Name of this class, as it is recorded when the error escapes an enclosing operation.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// What was recorded of the failure.
    [[nodiscard]] const ErrorObject& error() const noexcept { return *error_; }

    /// Name of the exception type that failed the operation, or empty if it had none.
    [[nodiscard]] std::string errorType() const { return error_->type.value_or(""); }

    /// Text that the failed side attached for programs, or empty.
    [[nodiscard]] std::string errorData() const { return error_->data.value_or(""); }

    /// Whether `type` is the name of this error, of the exception that failed the operation, or of
    /// one that led to it.
    [[nodiscard]] bool isCausedBy(const std::string& type) const {
        if (name_ == type) return true;
        for (const auto* error = error_.get(); error != nullptr; error = error->cause.get()) {
            if (error->type == type) return true;
        }
        return false;
    }

    /// Whether an exception of class `Error`, the library's or the author's, led to this one, by
    /// the name of the class. One that names itself (`ErrorDetails::errorType`) is not found by its
    /// class: ask for that name.
    template <class Error>
    [[nodiscard]] bool isCausedBy() const {
        const auto type = typeName(typeid(Error).name());
        constexpr std::string_view own = "durable::";
        return isCausedBy(type) || (type.starts_with(own) && isCausedBy(type.substr(own.size())));
    }

protected:
    DurableError(std::string name, const std::string& fallbackMessage, ErrorObject error)
        : std::runtime_error{error.messageOr(fallbackMessage)},
          name_{std::move(name)},
          error_{std::make_shared<const ErrorObject>(std::move(error))} {}

private:
    std::string name_;
    std::shared_ptr<const ErrorObject> error_;
};

/// A step failed for good: its retry strategy gave up.
class StepError : public DurableError {
public:
    explicit StepError(ErrorObject error)
        : DurableError{"StepError", "Unknown error", std::move(error)} {}
};

/// Code inside a child context, or an item of a batch, let an error escape.
class ChildContextError : public DurableError {
public:
    explicit ChildContextError(ErrorObject error)
        : DurableError{"ChildContextError", "Child context failed", std::move(error)} {}
};

/// A callback did not deliver a result. Base of the three reasons.
class CallbackError : public DurableError {
public:
    explicit CallbackError(ErrorObject error)
        : CallbackError{"CallbackError", "Callback failed", std::move(error)} {}

protected:
    using DurableError::DurableError;
};

/// Somebody outside reported a failure.
class CallbackExternalError : public CallbackError {
public:
    explicit CallbackExternalError(ErrorObject error)
        : CallbackError{"CallbackExternalError", "Callback failed", std::move(error)} {}
};

/// The callback's timeout or heartbeat timeout passed. `errorType()` tells which:
/// `Callback.Timeout` or `Callback.Heartbeat`.
class CallbackTimeoutError : public CallbackError {
public:
    explicit CallbackTimeoutError(ErrorObject error)
        : CallbackError{"CallbackTimeoutError", "Callback timed out", std::move(error)} {}
};

/// The step that hands out a callback's id failed for good.
class CallbackSubmitterError : public CallbackError {
public:
    explicit CallbackSubmitterError(ErrorObject error)
        : CallbackError{"CallbackSubmitterError", "Callback submitter failed", std::move(error)} {}
};

/// An invoked handler failed, timed out or was stopped.
class InvokeError : public DurableError {
public:
    explicit InvokeError(ErrorObject error)
        : DurableError{"InvokeError", "Invoke failed", std::move(error)} {}
};

/// The check of a `waitForCondition` threw, or its attempts ran out.
class WaitForConditionError : public DurableError {
public:
    explicit WaitForConditionError(ErrorObject error)
        : DurableError{"WaitForConditionError", "waitForCondition failed", std::move(error)} {}
};

/// A batch was completed as failed by its `shouldComplete` although no item failed.
class BatchCompletionError : public DurableError {
public:
    explicit BatchCompletionError(ErrorObject error)
        : DurableError{"BatchCompletionError", "Batch completed as failed by shouldComplete",
                       std::move(error)} {}
};

/// An `all` or `race` was decided by a failure, or every operation of an `any` failed.
///
/// `errorType()` is the class of the error that decided it, such as `StepError`; for an `any` it is
/// `AggregateError`, and the first failure is its cause.
class CombinatorError : public DurableError {
public:
    explicit CombinatorError(ErrorObject error)
        : DurableError{"CombinatorError", "Operations failed", std::move(error)} {}
};

/// An execution ended without a result. Thrown to whoever asks for the result, never into a
/// handler.
class ExecutionError : public DurableError {
public:
    explicit ExecutionError(ErrorObject error)
        : DurableError{"ExecutionError", "Execution failed", std::move(error)} {}
};

/// A step that runs at most once per attempt was interrupted by a crash. Seen by retry strategies
/// only.
class StepInterruptedError : public std::runtime_error {
public:
    StepInterruptedError()
        : std::runtime_error{
              "The step was started, but a crash or restart ended it before its "
              "outcome was recorded."} {}
};

}  // namespace durable::inline v0
