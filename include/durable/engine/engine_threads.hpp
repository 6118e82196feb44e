// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/engine/completion.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

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

    /// Blocks until `promised` is ready. Without threads, what is to happen happens meanwhile on
    /// one of the threads that wait.
    /// \throws EngineStopped if there are no threads, and `join` was called before it was ready.
    template <class T>
    void await(const Promised<T>& promised) {
        if (count_ > 0) {
            promised.wait();
            return;
        }
        std::unique_lock lock{mutex_};
        while (!promised.ready()) {
            const bool othersTurn =
                runner_ != std::thread::id{} && runner_ != std::this_thread::get_id();
            if (othersTurn) {
                changed_.wait(lock);
            } else if (!runOne(lock) && !promised.ready()) {
                throw EngineStopped{"the engine was stopped"};
            }
        }
    }

    /// Runs what can be run now, on this thread.
    void poll() {
        io_.poll();
        const std::scoped_lock lock{mutex_};
        if (runner_ != std::thread::id{}) wake();
        changed_.notify_all();
    }

    /// Lets those who wait look again at what they wait for. Needed after a change that was made
    /// outside these threads.
    void wake() {
        boost::asio::post(io_, [] {});
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
    /// One handler on this thread; the others wait for their turn.
    bool runOne(std::unique_lock<std::mutex>& lock) {
        const auto outer = std::exchange(runner_, std::this_thread::get_id());
        lock.unlock();
        const bool ran = io_.run_one() > 0;
        lock.lock();
        runner_ = outer;
        changed_.notify_all();
        return ran;
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
