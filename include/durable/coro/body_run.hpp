// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/mailbox.hpp>
#include <durable/coro/step_pool.hpp>
#include <durable/coro/task.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

/// \file
/// One run of one step body, from the workflow to the step pool and back.

namespace durable::inline v0 {

namespace detail {

template <class Returned>
struct BodyResult {
    using type = Returned;
    static constexpr bool isAsync = false;
};

template <class T, class Executor>
struct BodyResult<boost::asio::awaitable<T, Executor>> {
    using type = T;
    static constexpr bool isAsync = true;
};

}  // namespace detail

/// Runs `call(stop token)` on the step pool and resumes the awaiting coroutine with its outcome. If
/// its scope is frozen before a thread was free, `call` is not called.
///
/// `call` is a plain function or one that returns an `asio::awaitable`. It may refer to the
/// awaiting coroutine's frame: whoever wants to destroy the frame waits for `Scope::bodies`.
template <class Call>
class BodyRun final : public detail::Awaitable,
                      private StepPool::Job,
                      private Message,
                      private RunningBody {
    using Returned = std::invoke_result_t<Call&, std::stop_token>;
    using Shape = detail::BodyResult<Returned>;

public:
    using Result = typename Shape::type;

    /// \param canWait whether it is not called either if the engine stops before a thread was free;
    ///     then the coroutine is not resumed any more.
    BodyRun(StepPool& pool, std::shared_ptr<Mailbox> mailbox, std::stop_token engineStop, Call call,
            bool canWait = false)
        : pool_{pool},
          mailbox_{std::move(mailbox)},
          engineStop_{std::move(engineStop)},
          canWait_{canWait},
          call_{std::move(call)} {}
    BodyRun(const BodyRun&) = delete;
    BodyRun& operator=(const BodyRun&) = delete;
    ~BodyRun() = default;

    /// A plain body without a pool runs here and now.
    bool await_ready() {
        if constexpr (!Shape::isAsync) {
            if (pool_.runsInline()) {
                StepPool::Ticket ticket{pool_};
                ticket.runs();
                run(engineStop_);
                return true;
            }
        }
        return false;
    }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) {
        coroutine_ = &waiting.promise();
        coroutine_->scope()->enter(*this);
        ticket_.emplace(pool_);
        stop_.emplace();
        stopWithEngine_.emplace(engineStop_, StopWithEngine{*stop_});
        if constexpr (Shape::isAsync) {
            spawn();
        } else {
            pool_.post(*this);
        }
    }

    Outcome<Result> await_resume() { return std::move(outcome_); }

private:
    struct StopWithEngine {
        std::stop_source& source;
        void operator()() const { source.request_stop(); }
    };

    void runJob() override {
        if constexpr (!Shape::isAsync) {
            const auto mailbox = mailbox_;  // once it is pushed, this may be gone
            if (begins()) run(stop_->get_token());
            mailbox->push(*this);
        }
    }

    /// On the body's thread, before its first statement.
    bool begins() {
        ticket_->runs();
        skipped_ = unwanted_ || (canWait_ && engineStop_.stop_requested());
        return !skipped_;
    }

    void run(std::stop_token stop) {
        const RunLoop::Enter outside{nullptr};  // without step threads it is the loop's own
        outcome_.capture([&]() -> Result { return call_(std::move(stop)); });
    }

    void spawn() {
        namespace asio = boost::asio;
        auto strand = asio::make_strand(pool_.executor());
        auto signal = std::make_shared<asio::cancellation_signal>();
        const auto slot = signal->slot();
        const std::weak_ptr<asio::cancellation_signal> weak = signal;
        auto body = [this]() -> asio::awaitable<void> {
            if (!begins()) co_return;
            if constexpr (std::is_void_v<Result>) {
                co_await call_(stop_->get_token());
                outcome_.setValue();
            } else {
                auto value = co_await call_(stop_->get_token());
                outcome_.setValue(std::move(value));
            }
        };
        auto finished = [this, mailbox = mailbox_,
                         signal = std::move(signal)](std::exception_ptr failure) {
            if (failure) outcome_.setException(std::move(failure));
            mailbox->push(*this);
        };
        const RunLoop::Enter outside{nullptr};  // the body may begin at once
        asio::co_spawn(strand, std::move(body),
                       asio::bind_cancellation_slot(slot, std::move(finished)));
        // After the spawn: a cancellation that came before the coroutine would end the process.
        cancel_.emplace(stop_->get_token(), Cancel{strand, weak});
    }

    /// The signal belongs to the body and dies with it, on the body's thread.
    struct Cancel {
        boost::asio::strand<boost::asio::any_io_executor> strand;
        std::weak_ptr<boost::asio::cancellation_signal> signal;

        void operator()() const {
            boost::asio::post(strand, [weak = signal] {
                if (const auto alive = weak.lock()) {
                    alive->emit(boost::asio::cancellation_type::terminal);
                }
            });
        }
    };

    void requestStop() override {
        unwanted_ = true;
        stop_->request_stop();
    }

    void deliver() override {
        cancel_.reset();
        stopWithEngine_.reset();
        ticket_.reset();
        Resumable& coroutine = *coroutine_;
        Scope& scope = *coroutine.scope();
        if (!skipped_) scope.loop().post(coroutine);
        scope.leave(*this);
    }

    StepPool& pool_;
    std::shared_ptr<Mailbox> mailbox_;
    std::stop_token engineStop_;
    bool canWait_;
    bool skipped_{};
    std::atomic<bool> unwanted_{};  ///< its scope is frozen
    Call call_;
    Outcome<Result> outcome_;
    Resumable* coroutine_{};
    std::optional<StepPool::Ticket> ticket_;
    std::optional<std::stop_source> stop_;
    std::optional<std::stop_callback<StopWithEngine>> stopWithEngine_;
    std::optional<std::stop_callback<Cancel>> cancel_;
};

}  // namespace durable::inline v0
