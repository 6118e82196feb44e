// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/replay_check.hpp>
#include <durable/plugin/plugin.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// Counts the calls of step bodies over the lives of a process, and knows which were not allowed.
///
/// Thread-safety: none; for engines without threads.
class BodyCalls final : public Plugin {
public:
    /// Whether the end of that attempt has been written.
    using IsRecorded = std::function<bool(std::int64_t execution, const std::string& operationId,
                                          std::uint32_t attempt)>;

    /// An execution by name, and the id of an operation.
    using Place = std::pair<std::string, std::string>;

    struct Calls {
        std::string step{};                       ///< such as `step "charge" (1)`
        std::map<std::uint32_t, int> attempts{};  ///< how often the body was called for each
        int returned{};                           ///< how often it did not throw
    };

    explicit BodyCalls(IsRecorded isRecorded) : isRecorded_{std::move(isRecorded)} {}

    /// The process has died, or lost what it had in memory: what was not recorded is called again.
    void beginLife() { calledInThisLife_.clear(); }

    /// Nothing that happens from now on counts.
    void close() noexcept { closed_ = true; }

    [[nodiscard]] const std::map<Place, Calls>& calls() const noexcept { return calls_; }
    [[nodiscard]] const std::vector<std::string>& violations() const noexcept {
        return violations_;
    }

    [[nodiscard]] std::size_t total() const {
        std::size_t count = 0;
        for (const auto& [place, calls] : calls_) {
            for (const auto& [attempt, times] : calls.attempts) {
                count += static_cast<std::size_t>(times);
            }
        }
        return count;
    }

    void onOperationAttemptStart(const AttemptInfo& info) override {
        if (closed_) return;
        const auto& operation = info.operation;
        auto& calls = calls_[placeOf(operation)];
        if (calls.step.empty()) calls.step = describeStep(operation);
        const auto times = ++calls.attempts[info.attempt];
        const auto violation = [&](std::string_view what) {
            violations_.push_back(fmt::format("the body of {} was called {}", calls.step, what));
        };
        if (isRecorded_(operation.execution->id, operation.id, info.attempt)) {
            violation(fmt::format("although the end of attempt {} is recorded", info.attempt));
        } else if (!calledInThisLife_.emplace(std::pair{placeOf(operation), info.attempt}).second) {
            violation(fmt::format("twice in attempt {}, without a crash", info.attempt));
        } else if (info.atMostOnce && times > 1) {
            violation(fmt::format("twice in attempt {}, although its semantics are at most once",
                                  info.attempt));
        }
    }

    void onOperationAttemptEnd(const AttemptEndInfo& info) override {
        if (closed_ || info.outcome != AttemptOutcome::succeeded) return;
        ++calls_[placeOf(info.attempt.operation)].returned;
    }

private:
    [[nodiscard]] static Place placeOf(const OperationInfo& operation) {
        return {operation.execution->name, operation.id};
    }

    [[nodiscard]] static std::string describeStep(const OperationInfo& operation) {
        return fmt::format(
            "{} ({})",
            describe(
                {.type = operation.type, .subType = operation.subType, .name = operation.name}),
            operation.id);
    }

    IsRecorded isRecorded_;
    std::map<Place, Calls> calls_;
    std::set<std::pair<Place, std::uint32_t>> calledInThisLife_;
    std::vector<std::string> violations_;
    bool closed_{};
};

}  // namespace testing

}  // namespace durable::inline v0
