// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/coro/run_loop.hpp>
#include <durable/engine/completion.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// The threads that run handlers and write the journal; or, with none, the threads that wait.
///
/// Thread-safety: all members.
class EngineThreads {
public:
    /// Longer than any process lives, and short enough to be added to any time.
    static constexpr std::chrono::milliseconds forever = std::chrono::hours{24 * 366 * 100};

    explicit EngineThreads(std::size_t count) : count_{count}, work_{io_.get_executor()} {}
    EngineThreads(const EngineThreads&) = delete;
    EngineThreads& operator=(const EngineThreads&) = delete;
    ~EngineThreads() { join(); }

    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }

    void start() {
        for (std::size_t i = 0; i < count_; ++i) {
            threads_.emplace_back([this] { io_.run(); });
        }
    }

    /// Blocks until `promised` is ready, or `longest` is over. Without threads, what is to happen
    /// happens meanwhile on one of the threads that wait.
    /// \return whether it is ready.
    /// \throws EngineStopped if there are no threads, and `join` was called before it was ready.
    template <class T>
    bool await(const Promised<T>& promised, std::chrono::milliseconds longest = forever) {
        longest = std::min(longest, forever);
        if (count_ > 0) return promised.waitFor(longest);
        const auto deadline = std::chrono::steady_clock::now() + longest;
        std::unique_lock lock{mutex_};
        while (!promised.ready() && std::chrono::steady_clock::now() < deadline) {
            const bool othersTurn =
                runner_ != std::thread::id{} && runner_ != std::this_thread::get_id();
            if (othersTurn) {
                changed_.wait_until(lock, deadline);
            } else {
                runSome(lock, deadline, promised);
                if (io_.stopped() && !promised.ready()) {
                    throw EngineStopped{"the engine was stopped"};
                }
            }
        }
        return promised.ready();
    }

    /// Runs what can be run now, on this thread.
    void poll() {
        const RunLoop::Enter outside{nullptr};  // of a handler of another engine
        io_.poll();
        wake();
    }

    /// Runs the first thing that can be run now, on this thread.
    /// \return false if there was nothing.
    bool pollOne() {
        const RunLoop::Enter outside{nullptr};
        const bool ran = io_.poll_one() > 0;
        if (ran) wake();
        return ran;
    }

    /// Lets those who wait look again at what they wait for. Needed after a change that was made
    /// outside these threads.
    void wake() {
        if (count_ > 0) return;  // they wait for what is promised, and nothing else
        const std::scoped_lock lock{mutex_};
        if (runner_ != std::thread::id{}) boost::asio::post(io_, [] {});
        changed_.notify_all();
    }

    /// Ends the threads. What is still queued is dropped or, if somebody waits for it, refused.
    void join() {
        const std::scoped_lock lock{joinMutex_};
        work_.reset();
        io_.stop();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
        // A command that came too late finds its driver retired, and tells who waits for it.
        if (count_ > 0) {
            io_.restart();
            io_.poll();
        }
    }

private:
    /// Some handlers on this thread, until `promised` is ready; the others wait for their turn.
    template <class T>
    void runSome(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point deadline,
                 const Promised<T>& promised) {
        constexpr int handlersMax = 64;
        const RunLoop::Enter outside{nullptr};
        const auto outer = std::exchange(runner_, std::this_thread::get_id());
        lock.unlock();
        io_.run_one_until(deadline);
        for (int i = 0; i < handlersMax && !promised.ready() && io_.poll_one() > 0; ++i) {
        }
        lock.lock();
        runner_ = outer;
        changed_.notify_all();
    }

    std::size_t count_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::mutex joinMutex_;
    std::vector<std::thread> threads_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::thread::id runner_{};  // the waiting thread that runs handlers, if one does
};

}  // namespace durable::inline v0
