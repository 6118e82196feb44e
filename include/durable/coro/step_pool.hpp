// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/linked_list.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace durable::inline v0 {

/// Where step bodies run: threads of their own, so that a blocking body never stops a workflow, or
/// none, and then bodies run on the workflow's thread.
///
/// Waking a thread costs more than a short body. So at most one is on its way at a time; it wakes
/// the next one if bodies are left when it comes, and those that are awake take more meanwhile.
///
/// Thread-safety: all members.
class StepPool {
public:
    /// A plain body that waits for a thread. Must live until it has run.
    class Job : public Link {
    public:
        /// Runs the body, on a thread of the pool. May destroy the job.
        virtual void runJob() = 0;

    protected:
        ~Job() = default;
    };

    /// \param threads 0 runs plain bodies inline, and `asio::awaitable` bodies on `workflows`.
    StepPool(std::size_t threads, boost::asio::any_io_executor workflows)
        : workflows_{std::move(workflows)} {
        if (threads > 0) pool_.emplace(threads);
    }

    [[nodiscard]] bool runsInline() const noexcept { return !pool_; }

    [[nodiscard]] boost::asio::any_io_executor executor() {
        return pool_ ? boost::asio::any_io_executor{pool_->get_executor()} : workflows_;
    }

    /// Lets a thread run `job`, after those that were posted before. Not if bodies run inline.
    void post(Job& job) {
        {
            const std::scoped_lock lock{mutex_};
            jobs_.pushBack(job);
            if (std::exchange(threadComes_, true)) return;
        }
        callThread();
    }

    /// Waits until every body has returned. No body may be posted after this.
    void join() {
        const std::scoped_lock lock{joinMutex_};
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
    void callThread() {
        boost::asio::post(*pool_, [this] { runJobs(); });
    }

    /// On a thread that has come: runs what waits, but lets asynchronous bodies go on after some.
    void runJobs() {
        constexpr int jobsMax = 16;
        Job* job = take(true);
        for (int done = 0; job != nullptr; job = ++done < jobsMax ? take(false) : nullptr) {
            job->runJob();
        }
    }

    /// \return the next job, or null. Whenever jobs are left, a thread comes.
    Job* take(bool hasCome) {
        Job* job = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            if (hasCome) threadComes_ = false;
            if (!jobs_.empty()) job = &jobs_.popFront();
            if (jobs_.empty() || std::exchange(threadComes_, true)) return job;
        }
        callThread();
        return job;
    }

    boost::asio::any_io_executor workflows_;
    std::optional<boost::asio::thread_pool> pool_;
    std::mutex joinMutex_;
    std::mutex mutex_;
    LinkedList<Job> jobs_;
    bool threadComes_{};
    std::atomic<std::uint64_t> queued_{};
    std::atomic<std::uint64_t> running_{};
};

}  // namespace durable::inline v0
