// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/execution_state.hpp>
#include <durable/journal/names.hpp>
#include <durable/serdes/json_serdes.hpp>
#include <durable/testing/test_failure.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// The operations of one execution at one moment, in the order in which they began.
class JournalView {
public:
    explicit JournalView(std::span<const Entry> entries) {
        std::set<const Operation*> seen{&state.root()};
        for (const auto& entry : entries) {
            const auto& operation = state.fold(entry);
            if (seen.insert(&operation).second) order.push_back(&operation);
        }
    }

    ExecutionState state;
    std::vector<const Operation*> order;
};

/// One operation of an execution, as it was when the test asked for it.
class TestOperation {
public:
    TestOperation(std::shared_ptr<const JournalView> view, const Operation& operation)
        : view_{std::move(view)}, operation_{&operation} {}

    [[nodiscard]] std::string id() const { return operationIdOf(*operation_); }
    [[nodiscard]] const std::string& name() const noexcept { return operation_->name; }
    [[nodiscard]] OperationType type() const noexcept { return operation_->type; }
    [[nodiscard]] OperationSubType subType() const noexcept { return operation_->subType; }
    [[nodiscard]] OperationStatus status() const noexcept { return operation_->status; }

    [[nodiscard]] bool ended() const noexcept { return isTerminal(status()); }
    [[nodiscard]] bool succeeded() const noexcept { return status() == OperationStatus::succeeded; }

    /// Attempts of a step that have ended, in success or failure; 0 for other operations.
    [[nodiscard]] std::uint32_t attempts() const noexcept { return operation_->attempt; }

    /// The result, read from what was recorded as JSON; for a callback and `std::string` the text
    /// that was delivered.
    /// \throws TestFailure if the operation has not succeeded.
    template <class T>
    [[nodiscard]] T result() const {
        if (!succeeded()) throw TestFailure{description() + " has no result"};
        if constexpr (std::same_as<T, std::string>) {
            if (type() == OperationType::callback) return operation_->result.value_or("");
        }
        if constexpr (!std::is_void_v<T>) {
            return fromJsonText<T>(operation_->result.value_or("null"));
        }
    }

    /// The result as it was recorded, or the state of a condition; empty if there is none.
    [[nodiscard]] const std::optional<std::string>& resultText() const noexcept {
        return operation_->result;
    }

    /// What failed the operation, or its last attempt.
    [[nodiscard]] std::optional<ErrorObject> error() const {
        if (!operation_->error) return std::nullopt;
        return *operation_->error;
    }

    [[nodiscard]] TimePoint startTime() const noexcept { return operation_->startTime; }
    [[nodiscard]] std::optional<TimePoint> endTime() const {
        if (!ended()) return std::nullopt;
        return operation_->endTime;
    }

    /// From its start to its end, by the clock of the runner; empty if it has not ended.
    [[nodiscard]] std::optional<std::chrono::milliseconds> duration() const {
        if (!ended()) return std::nullopt;
        return operation_->endTime - operation_->startTime;
    }

    /// When a wait or retry delay ends, or when a callback times out; empty if never.
    [[nodiscard]] std::optional<TimePoint> dueTime() const {
        auto due = operation_->due;
        const auto* details = operation_->details.get();
        if (details != nullptr && details->heartbeatDue) {
            due = due ? std::min(*due, *details->heartbeatDue) : details->heartbeatDue;
        }
        return due;
    }

    /// The context around it; empty if that is the handler.
    [[nodiscard]] std::optional<TestOperation> parent() const {
        for (const auto* at = operation_->parent; at != nullptr; at = at->parent) {
            if (at->recorded() && at != &view_->state.root()) return TestOperation{view_, *at};
        }
        return std::nullopt;
    }

    /// The operations that have this one as their parent, in the order in which they began.
    [[nodiscard]] std::vector<TestOperation> children() const {
        std::vector<TestOperation> found;
        for (const auto* candidate : view_->order) {
            const TestOperation child{view_, *candidate};
            const auto above = child.parent();
            if (above && above->operation_ == operation_) found.push_back(child);
        }
        return found;
    }

    /// The id by which a callback is completed, of this operation or of the callback in a
    /// `waitForCallback`; empty if it has none.
    [[nodiscard]] std::string callbackId() const {
        if (operation_->details) return operation_->details->callbackId;
        if (subType() != OperationSubType::waitForCallback) return "";
        for (const auto& child : children()) {
            if (child.type() == OperationType::callback) return child.callbackId();
        }
        return "";
    }

    /// The handler that an `invoke` called; empty for other operations.
    [[nodiscard]] std::string invokedHandler() const {
        return operation_->details ? operation_->details->handlerName : "";
    }

    /// Such as `step "charge" (1-2), FAILED`.
    [[nodiscard]] std::string description() const {
        auto text = std::string{wireName(subType())};
        if (!name().empty()) text += fmt::format(" \"{}\"", name());
        return text + fmt::format(" ({}), {}", id(), wireName(status()));
    }

private:
    std::shared_ptr<const JournalView> view_;
    const Operation* operation_;
};

}  // namespace testing

}  // namespace durable::inline v0
