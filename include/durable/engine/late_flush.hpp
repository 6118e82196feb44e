// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace durable::inline v0 {

/// Lets what is recorded wait a while for company before it is written on its own.
///
/// Thread-safety: none; the strand.
class LateFlush {
public:
    using Strand = boost::asio::strand<boost::asio::io_context::executor_type>;

    LateFlush(boost::asio::io_context& io, Strand strand, std::chrono::milliseconds after)
        : io_{io}, strand_{std::move(strand)}, after_{after} {}

    /// Calls `owner->*flush` on the strand after the delay, if the owner lives then. Does nothing
    /// while such a call is on its way.
    template <class Owner>
    void schedule(std::weak_ptr<Owner> owner, void (Owner::*flush)()) {
        if (timer_) return;
        timer_ = std::make_unique<boost::asio::steady_timer>(io_, after_);
        timer_->async_wait(boost::asio::bind_executor(
            strand_, [this, owner = std::move(owner), flush](const boost::system::error_code&) {
                const auto alive = owner.lock();  // and so is this, its member
                if (!alive) return;
                timer_.reset();
                std::invoke(flush, *alive);
            }));
    }

    void cancel() { timer_.reset(); }

private:
    boost::asio::io_context& io_;
    Strand strand_;
    std::chrono::milliseconds after_;
    std::unique_ptr<boost::asio::steady_timer> timer_;  // while such a call is on its way
};

}  // namespace durable::inline v0
