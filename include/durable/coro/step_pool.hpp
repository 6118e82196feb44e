// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace durable::inline v0 {

/// Where step bodies run: threads of their own, so that a blocking body never stops a workflow, or
/// none, and then bodies run on the workflow's thread.
///
/// Thread-safety: all members.
class StepPool {
public:
    /// \param threads 0 runs plain bodies inline, and `asio::awaitable` bodies on `workflows`.
    StepPool(std::size_t threads, boost::asio::any_io_executor workflows)
        : workflows_{std::move(workflows)} {
        if (threads > 0) pool_.emplace(threads);
    }

    [[nodiscard]] bool runsInline() const noexcept { return !pool_; }

    [[nodiscard]] boost::asio::any_io_executor executor() {
        return pool_ ? boost::asio::any_io_executor{pool_->get_executor()} : workflows_;
    }

    /// Waits until every body has returned. No body may be posted after this.
    void join() {
        if (pool_) pool_->join();
    }

    /// Counts one body from its posting to its return.
    class Ticket {
    public:
        explicit Ticket(StepPool& pool) : pool_{&pool} { ++pool.queued_; }
        Ticket(const Ticket&) = delete;
        Ticket& operator=(const Ticket&) = delete;
        ~Ticket() { --(running_ ? pool_->running_ : pool_->queued_); }

        void runs() {
            running_ = true;
            ++pool_->running_;
            --pool_->queued_;
        }

    private:
        StepPool* pool_;
        bool running_{};
    };

    [[nodiscard]] std::uint64_t queued() const noexcept { return queued_; }
    [[nodiscard]] std::uint64_t running() const noexcept { return running_; }

private:
    boost::asio::any_io_executor workflows_;
    std::optional<boost::asio::thread_pool> pool_;
    std::atomic<std::uint64_t> queued_{};
    std::atomic<std::uint64_t> running_{};
};

}  // namespace durable::inline v0
