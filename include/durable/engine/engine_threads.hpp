// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/completion.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <mutex>
#include <thread>
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

    /// Blocks until `promised` is ready. Without
    /// threads, what is to happen happens on the calling thread meanwhile.
    template <class T>
    void await(const Promised<T>& promised) {
        if (count_ > 0) {
            promised.wait();
            return;
        }
        while (!promised.ready() && io_.run_one() > 0) {
        }
    }

    /// Ends the threads, whatever is still queued.
    void join() {
        const std::scoped_lock lock{mutex_};
        work_.reset();
        io_.stop();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

private:
    std::size_t count_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::mutex mutex_;
    std::vector<std::thread> threads_;
};

}  // namespace durable::inline v0
