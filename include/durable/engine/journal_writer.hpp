// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/store.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/defer.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// Group commit: one transaction for everything that all executions have handed over since the
/// last one. While it commits, the next group gathers; there is no delay.
///
/// Thread-safety: all members.
class JournalWriter {
public:
    /// One execution's part of a group. `written` is called when it is durable, or with the error
    /// that kept it from being written; on the committing thread.
    struct Submission {
        Commit commit{};  ///< its entries are those below
        std::vector<Entry> entries{};
        std::function<void(std::exception_ptr)> written{};
    };

    JournalWriter(std::shared_ptr<Store> store, boost::asio::any_io_executor executor)
        : store_{std::move(store)}, executor_{std::move(executor)} {}

    void submit(Submission&& submission) {
        {
            const std::scoped_lock lock{mutex_};
            queue_.push_back(std::move(submission));
            if (std::exchange(committing_, true)) return;
        }
        // A commit that takes its time begins behind everything that is ready: that may belong to
        // it.
        store_->isInstant() ? commitGroups() : defer();
    }

    [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
    [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }

private:
    void defer() {
        boost::asio::defer(executor_, [this] {
            if (commitGroup()) defer();
        });
    }

    void commitGroups() {
        while (commitGroup()) {
        }
    }

    /// \return whether another group has gathered meanwhile.
    bool commitGroup() {
        std::vector<Submission> group;
        {
            const std::scoped_lock lock{mutex_};
            group.swap(queue_);
        }
        const auto error = write(group);
        const bool more = hasMore();
        for (auto& submission : group) submission.written(error);
        return more;
    }

    bool hasMore() {
        const std::scoped_lock lock{mutex_};
        committing_ = !queue_.empty();
        return committing_;
    }

    std::exception_ptr write(std::vector<Submission>& group) {
        group_.clear();
        std::uint64_t entryCount = 0;
        for (auto& submission : group) {
            submission.commit.entries = submission.entries;
            entryCount += submission.entries.size();
            group_.push_back(std::move(submission.commit));
        }
        try {
            store_->append(group_);
        } catch (...) {
            return std::current_exception();
        }
        ++commits_;
        entries_ += entryCount;
        return nullptr;
    }

    std::shared_ptr<Store> store_;
    boost::asio::any_io_executor executor_;
    std::mutex mutex_;
    std::vector<Submission> queue_;
    bool committing_{};
    std::vector<Commit> group_;  // of who commits
    std::atomic<std::uint64_t> commits_{};
    std::atomic<std::uint64_t> entries_{};
};

}  // namespace durable::inline v0
