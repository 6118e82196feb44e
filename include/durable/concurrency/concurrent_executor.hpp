// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/wait_list.hpp>
#include <durable/policy/completion_policy.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// How far a batch is, for people who watch it.
struct BatchProgress {
    std::size_t succeeded{};
    std::size_t failed{};
    std::size_t inFlight{};
    std::size_t total{};  ///< all items of the input
};

/// Runs the branches of one batch, at most so many at once, until its policy says stop.
///
/// Branches start in index order. From the moment the policy decides, nothing of them is resumed;
/// `stopBranches` then destroys them. Knows nothing of journals: who starts a branch, and what it
/// does, is given from outside, and each branch tells its own end by `settle`.
class ConcurrentExecutor {
public:
    struct Config {
        std::size_t maxConcurrency{std::numeric_limits<std::size_t>::max()};
        std::function<void(const BatchProgress&)> onProgress{};
    };

    /// Makes the coroutine of the branch at an index. It calls `settle` as its last act.
    using Branch = std::function<Task<void>(std::size_t index)>;

    /// \param names one for each item; must outlive the executor.
    ConcurrentExecutor(Scope& parent, const CompletionPolicy& policy,
                       const std::vector<std::string>& names, Config config)
        : branches_{parent}, policy_{policy}, config_{std::move(config)}, items_(names.size()) {
        for (std::size_t i = 0; i < names.size(); ++i)
            items_[i] = {.index = i, .name = names[i], .status = {}};
    }
    ConcurrentExecutor(const ConcurrentExecutor&) = delete;
    ConcurrentExecutor& operator=(const ConcurrentExecutor&) = delete;
    ~ConcurrentExecutor() = default;

    /// The scope that branches belong to.
    [[nodiscard]] Scope& branches() noexcept { return branches_; }

    /// Counts an item whose start, or end, is in the journal from an earlier run. Before `run`.
    ///
    /// The policy is asked about all of them at once, when the batch runs: the order in which they
    /// ended is not recorded, and another order may decide otherwise.
    void settleRecorded(std::size_t index, BatchItemStatus status) {
        items_[index].status = status;
        if (status != BatchItemStatus::started) count(status);
    }

    /// Runs until the policy decides. Call once.
    /// \throws whatever a `shouldComplete` predicate throws.
    Task<CompletionReason> run(Branch branch) {
        const bool anyEnded = succeeded_ + failed_ > 0;
        if (policy_.asksPredicate() || items_.empty() || anyEnded) decide();
        for (;;) {
            while (!stopped() && next_ < items_.size() && tasks_.size() < config_.maxConcurrency) {
                startNext(branch);
            }
            if (stopped()) break;
            co_await settled_.wait();
            for (const auto index : std::exchange(finished_, {})) tasks_.erase(index);
        }
        if (failure_) std::rethrow_exception(failure_);
        co_return *decision_;
    }

    /// Called by a branch when it has ended.
    void settle(std::size_t index, BatchItemStatus status) {
        items_[index].status = status;
        --inFlight_;
        count(status);
        finished_.push_back(index);
        decide();
        reportProgress();
        settled_.notifyAll();
    }

    /// Waits for the bodies of the branches that are still in flight, and destroys the branches.
    /// After it nothing of the batch is alive.
    Task<void> stopBranches() {
        branches_.freeze();
        co_await BodiesReturned{branches_};
        tasks_.clear();
    }

    /// Empty for an item that was never started.
    [[nodiscard]] std::optional<BatchItemStatus> status(std::size_t index) const {
        return items_[index].status;
    }

private:
    [[nodiscard]] bool stopped() const noexcept { return decision_ || failure_; }

    void startNext(const Branch& branch) {
        const auto index = next_++;
        auto& status = items_[index].status;
        if (status && *status != BatchItemStatus::started) return;  // recorded by an earlier run
        status = BatchItemStatus::started;
        ++inFlight_;
        auto task = branch(index);
        task.start(branches_);
        tasks_.emplace(index, std::move(task));
        reportProgress();
    }

    void count(BatchItemStatus status) {
        ++(status == BatchItemStatus::succeeded ? succeeded_ : failed_);
    }

    /// Asks the policy, once it has not decided yet, and stops the branches when it has.
    void decide() noexcept {
        if (stopped()) return;
        const RunLoop::Enter outside{nullptr};
        try {
            decision_ = policy_.asksPredicate()
                            ? policy_.decide({.successCount = succeeded_,
                                              .failureCount = failed_,
                                              .completedCount = succeeded_ + failed_,
                                              .totalCount = items_.size(),
                                              .items = items_})
                            : policy_.decide(succeeded_, failed_);
        } catch (...) {
            failure_ = std::current_exception();
        }
        if (stopped()) branches_.freeze();
    }

    void reportProgress() noexcept {
        if (!config_.onProgress) return;
        const RunLoop::Enter outside{nullptr};
        try {
            config_.onProgress({.succeeded = succeeded_,
                                .failed = failed_,
                                .inFlight = inFlight_,
                                .total = items_.size()});
        } catch (...) {
            // Watching has no effect on what is watched.
        }
    }

    Scope branches_;
    const CompletionPolicy& policy_;
    Config config_;
    std::vector<ItemProgress> items_;
    std::size_t next_{};
    std::size_t succeeded_{};
    std::size_t failed_{};
    std::size_t inFlight_{};
    std::optional<CompletionReason> decision_;
    std::exception_ptr failure_;
    WaitList settled_;
    std::vector<std::size_t> finished_;
    std::unordered_map<std::size_t, Task<void>> tasks_;
};

}  // namespace durable::inline v0
