// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>
#include <durable/engine/completion.hpp>
#include <durable/engine/handler_registry.hpp>
#include <durable/engine/journal_writer.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace durable::inline v0 {

class ExecutionDriver;

/// What a driver needs of its engine. Called on the driver's strand.
class DriverHost {
public:
    DriverHost() = default;
    DriverHost(const DriverHost&) = delete;
    DriverHost& operator=(const DriverHost&) = delete;

    virtual void submit(JournalWriter::Submission submission) = 0;

    /// Gives a command to the execution's driver; makes one if there is none.
    virtual void dispatch(ExecutionId execution,
                          std::function<void(ExecutionDriver&)> command) = 0;
    virtual void arm(ExecutionId execution, std::optional<TimePoint> time) = 0;

    /// Whether executions may wait with their frames in memory.
    [[nodiscard]] virtual bool mayPark() const = 0;

    /// The execution waits for the world with its frames in memory, and this is recorded.
    virtual void parked(ExecutionDriver& driver) = 0;

    /// The execution is about to go on.
    virtual void resumed(ExecutionDriver& driver) = 0;

    /// The frames are gone; the execution waits in the store.
    /// \param wake the world has changed it meanwhile: it is to go on at once.
    virtual void retired(ExecutionDriver& driver, bool wake) = 0;

    /// The execution's end is durable.
    virtual void ended(ExecutionDriver& driver, const ExecutionEnd& end) = 0;

    /// The execution could not be written.
    virtual void lost(ExecutionDriver& driver, std::exception_ptr error) = 0;

    /// The execution asked for another one, durably. May be called again for the same one.
    virtual void invoke(ExecutionDriver& driver, const Operation& operation) = 0;

protected:
    ~DriverHost() = default;
};

/// One execution in memory: its state, its frames, and the moves between running, waiting for the
/// journal, parked and ended.
///
/// Thread-safety: `post` from any thread; everything else on the driver's strand.
class ExecutionDriver : public std::enable_shared_from_this<ExecutionDriver> {
public:
    using Command = std::function<void(ExecutionDriver&)>;
    using Done = std::function<void(const Refusal*, std::exception_ptr)>;

    [[nodiscard]] static std::shared_ptr<ExecutionDriver> make(
        DriverHost& host, const Services& services, boost::asio::io_context& io, ExecutionId id,
        std::chrono::milliseconds startVisibleAfter) {
        auto driver =
            std::make_shared<ExecutionDriver>(host, services, io, id, startVisibleAfter);
        std::weak_ptr<ExecutionDriver> weak = driver;
        driver->mailbox_ = std::make_shared<Mailbox>([weak, strand = driver->strand_] {
            boost::asio::post(strand, [weak] {
                if (auto self = weak.lock()) self->drive();
            });
        });
        return driver;
    }

    ExecutionDriver(DriverHost& host, const Services& services, boost::asio::io_context& io,
                    ExecutionId id, std::chrono::milliseconds startVisibleAfter)
        : host_{host},
          services_{services},
          strand_{boost::asio::make_strand(io)},
          flushTimer_{io},
          startVisibleAfter_{startVisibleAfter},
          identity_{.id = id} {}
    ExecutionDriver(const ExecutionDriver&) = delete;
    ExecutionDriver& operator=(const ExecutionDriver&) = delete;
    ~ExecutionDriver() = default;

    [[nodiscard]] const ExecutionIdentity& identity() const noexcept { return identity_; }
    [[nodiscard]] const ExecutionRecord& record() const noexcept { return record_; }
    [[nodiscard]] ExecutionState& state() noexcept { return state_; }
    [[nodiscard]] bool retired() const noexcept { return phase_ == Phase::retired; }

    /// Runs `command` on the strand, then drives on; if the driver has retired meanwhile, the
    /// command goes to the execution's next driver. Thread-safety: any thread.
    void post(Command command) {
        boost::asio::post(strand_, [self = shared_from_this(), command = std::move(command)] {
            if (self->retired()) {
                self->host_.dispatch(self->identity_.id, command);
                return;
            }
            command(*self);
            self->drive();
        });
    }

    /// Takes over what the store holds. The first command of a driver is this or `create`.
    /// \param handler null: the execution is looked at and changed, but does not run.
    /// \throws std::exception if the entries are damaged.
    void load(ExecutionRecord record, const std::vector<Entry>& entries, const Handler* handler) {
        open(std::move(record), handler);
        for (const auto& entry : entries) state_.fold(entry);
        storedSuspension_ = record_.suspension;
        if (handler != nullptr) findOpenInvokes(state_.root());
        for (const auto* open : std::exchange(invokes_, {})) host_.invoke(*this, *open);
    }

    /// Ends a driver that could not be loaded.
    void abandon(std::exception_ptr error) {
        open({}, nullptr);
        lose(error);
    }

    /// Starts a new execution. `done` is called when that is durable, or with what kept it from
    /// being so.
    void create(ExecutionRecord record, const Handler* handler, OperationUpdate start, Done done) {
        newStart_ = record.start;
        open(std::move(record), handler);
        change(std::move(start), std::move(done));
    }

    /// Applies an update of the world's doing. `done` is called when it is durable, or with what
    /// kept it from being so; a refused update calls it with a `Refusal`.
    void change(OperationUpdate update, Done done = {}) {
        if (lostTo_) {
            if (done) done(nullptr, lostTo_);
            return;
        }
        auto applied = apply(state_, std::move(update), services_.clock.now(), services_.limits);
        if (const auto* refusal = std::get_if<Refusal>(&applied)) {
            if (done) done(refusal, nullptr);
            return;
        }
        unpark();
        if (evicting_) wakeAgain_ = true;
        auto& operation = invocation_->keep(std::move(std::get<Entry>(applied)));
        changes_.push_back({invocation_->recordedCount(), &operation, std::move(done)});
        mustWrite_ = true;
    }

    /// Completes what is due.
    void fireTimers() {
        const auto now = services_.clock.now();
        while (const auto* operation = state_.due(now)) {
            if (phase_ == Phase::ending) return;
            change(timeoutOf(*operation, now));
        }
    }

    /// Tells the store that the end of an invoked execution is known here.
    void acknowledgeChild(ExecutionId child) {
        acknowledgedChildren_.push_back(child);
        mustWrite_ = true;
    }

    /// Drops the frames if the execution is still parked. What they would do next is in the
    /// journal.
    void evict() {
        if (phase_ != Phase::parked) return;
        unpark();
        evicting_ = true;
    }

private:
    enum class Phase {
        running,
        parked,
        ending,  ///< the end is recorded; that is being written
        retired,
    };

    struct Change {
        std::uint64_t upTo{};
        const Operation* operation{};
        Done done{};
    };

    /// Delivers the outcome of a write to the strand.
    class Written final : public Message {
    public:
        explicit Written(ExecutionDriver& driver) : driver_{driver} {}
        void deliver() override { driver_.onWritten(); }

    private:
        ExecutionDriver& driver_;
    };

    void open(ExecutionRecord record, const Handler* handler) {
        record_ = std::move(record);
        identity_.handlerName = record_.start.handlerName;
        identity_.name = record_.start.name;
        identity_.tenantId = record_.start.tenantId;
        handler_ = record_.end ? nullptr : handler;
        invocation_.emplace(services_, identity_, state_, mailbox_);
    }

    void drive() {
        if (phase_ == Phase::retired) return;
        if (!lostTo_) startHandler();
        mailbox_->deliverAll();
        invocation_->loop().run();
        if (!lostTo_) endIfDone();
        if (isBusy()) {
            if (!writing_) write();
        } else {
            settle();
        }
        if (phase_ == Phase::running && !services_.stop.stop_requested()) {
            host_.arm(identity_.id, state_.nextDue());
        }
    }

    /// The handler's first statement runs in the first drive, after what the world did meanwhile.
    void startHandler() {
        if (handler_ == nullptr || root_ || evicting_) return;
        if (state_.status() != ExecutionStatus::running) return;
        const OperationCall self{*invocation_,
                                 state_.root(),
                                 invocation_->scope(),
                                 "",
                                 OperationType::execution,
                                 OperationSubType::none,
                                 "",
                                 false};
        context_.emplace(self, invocation_->scope(), false);
        root_.emplace([&] {
            const RunLoop::Enter enter{invocation_->loop(), invocation_->scope()};
            return (*handler_)(*context_, state_.input());
        }());
        root_->start(invocation_->scope());
    }

    // --- the end ----------------------------------------------------------------------------

    void endIfDone() {
        if (phase_ == Phase::ending || record_.end) return;
        if (state_.status() != ExecutionStatus::running) {
            invocation_->scope().freeze();
            if (invocation_->scope().bodies() == 0) end();
            return;
        }
        const bool halted = invocation_->halted().has_value();
        const bool returned = root_ && root_->done();
        if ((!halted && !returned) || invocation_->scope().bodies() > 0) return;

        completeInvocation();
        Outcome<Payload> outcome;
        if (!halted) outcome = std::move(root_->outcome());
        OperationUpdate update{.type = OperationType::execution};
        if (outcome.succeeded()) {
            update.action = OperationAction::succeed;
            update.payload = outcome.take();
        } else {
            update.action = OperationAction::fail;
            update.error = halted ? *invocation_->halted() : errorObjectOf(outcome.exception());
        }
        auto applied = apply(state_, std::move(update), services_.clock.now(), services_.limits);
        if (const auto* refusal = std::get_if<Refusal>(&applied)) {
            applied = apply(state_,
                            {.action = OperationAction::fail,
                             .error = ErrorObject{.type = "InvalidParameterValueException",
                                                  .message = "The result of the handler was "
                                                             "refused: " +
                                                             refusal->message}},
                            services_.clock.now(), services_.limits);
        }
        invocation_->keep(std::move(std::get<Entry>(applied)));
        end();
    }

    void end() {
        phase_ = Phase::ending;
        mustWrite_ = true;
        dropFrames();
        const auto& root = state_.root();
        newEnd_ = ExecutionEnd{.status = state_.status(), .result = root.result, .error = {},
                               .endTime = root.endTime};
        if (root.error) newEnd_->error = *root.error;
        record_.end = newEnd_;
    }

    void dropFrames() {
        root_.reset();
        context_.reset();
    }

    void completeInvocation() {
        if (!root_) return;
        auto entry = apply(state_, {.action = OperationAction::completeInvocation},
                           services_.clock.now(), services_.limits);
        invocation_->keep(std::move(std::get<Entry>(entry)));
    }

    // --- writing ----------------------------------------------------------------------------

    /// Hands over what is recorded if somebody waits for it; else it rides with what comes next.
    void write() {
        if (lostTo_) return;
        if (mustWrite_ || invocation_->awaitsWrite()) {
            flush();
        } else if (invocation_->hasUnwritten()) {
            writeLater();
        }
    }

    void flush() {
        mustWrite_ = false;
        writing_ = true;
        writingUpTo_ = invocation_->recordedCount();
        JournalWriter::Submission submission;
        submission.commit.execution = identity_.id;
        submission.commit.start = std::exchange(newStart_, std::nullopt);
        submission.commit.end = newEnd_;
        submission.commit.suspension = suspensionToStore();
        submission.entries = invocation_->takeUnwritten();
        for (const auto& entry : submission.entries) {
            if (entry.kind == EntryKind::started && entry.type == OperationType::chainedInvoke) {
                invokes_.push_back(state_.find(entry.operationId));
            }
        }
        submission.written = [self = shared_from_this()](std::exception_ptr error) {
            self->writeError_ = std::move(error);
            self->mailbox_->push(self->written_);
        };
        host_.submit(std::move(submission));
        for (const auto child : std::exchange(acknowledgedChildren_, {})) {
            JournalWriter::Submission acknowledgement;
            acknowledgement.commit = {.execution = identity_.id, .acknowledgedChild = child};
            acknowledgement.written = [](const std::exception_ptr&) {};
            host_.submit(std::move(acknowledgement));
        }
    }

    void writeLater() {
        if (std::exchange(flushLater_, true)) return;
        flushTimer_.expires_after(startVisibleAfter_);
        flushTimer_.async_wait(boost::asio::bind_executor(
            strand_, [weak = weak_from_this()](const boost::system::error_code&) {
                const auto self = weak.lock();
                if (!self) return;
                self->flushLater_ = false;
                if (self->phase_ != Phase::running || self->lostTo_) return;
                self->mustWrite_ = self->invocation_->hasUnwritten();
                self->drive();
            }));
    }

    /// What the list of executions is to say, if that is news.
    [[nodiscard]] std::optional<Suspension> suspensionToStore() {
        Suspension now{.waiting = std::exchange(suspending_, false), .wakeAt = {}};
        if (now.waiting) now.wakeAt = state_.nextDue();
        if (now == storedSuspension_) return std::nullopt;
        storedSuspension_ = now;
        return now;
    }

    void onWritten() {
        writing_ = false;
        if (const auto error = std::exchange(writeError_, nullptr)) {
            lose(error);
            return;
        }
        invocation_->acknowledge(writingUpTo_);
        for (const auto* operation : std::exchange(invokes_, {})) host_.invoke(*this, *operation);
        while (!changes_.empty() && changes_.front().upTo <= writingUpTo_) {
            auto change = std::move(changes_.front());
            changes_.erase(changes_.begin());
            invocation_->notify(*change.operation);
            if (change.done) change.done(nullptr, nullptr);
        }
    }

    /// A write failed. The journal is as it was; what is in memory is ahead of it and is dropped,
    /// once no body refers to it any more.
    void lose(const std::exception_ptr& error) {
        lostTo_ = error;
        invocation_->scope().freeze();
        for (auto& change : std::exchange(changes_, {})) {
            if (change.done) change.done(nullptr, error);
        }
    }

    // --- suspending -------------------------------------------------------------------------

    /// Whether something is still to come without the world's doing: a body returns, or a write.
    [[nodiscard]] bool isBusy() {
        if (writing_ || invocation_->scope().bodies() > 0) return true;
        return !lostTo_ && (mustWrite_ || invocation_->awaitsWrite());
    }

    /// Nothing can go on by itself: the execution has ended, or waits for the world.
    void settle() {
        const bool stopping = services_.stop.stop_requested();
        if (lostTo_) {
            retire();
            host_.lost(*this, lostTo_);
        } else if (phase_ == Phase::ending) {
            retire();
            host_.ended(*this, *newEnd_);
        } else if (stopping) {
            if (invocation_->hasUnwritten()) return flush();
            retire();
            host_.retired(*this, false);
        } else if (phase_ == Phase::running) {
            suspend();
        }
    }

    /// Records that the execution waits, and once that is written, parks or retires it.
    void suspend() {
        if (handler_ == nullptr) {
            if (invocation_->hasUnwritten()) return flush();
            retire();
            host_.retired(*this, false);
            return;
        }
        if (!host_.mayPark()) evicting_ = true;
        if (evicting_ && root_) {
            completeInvocation();
            dropFrames();
        }
        const Suspension waits{.waiting = true, .wakeAt = state_.nextDue()};
        if (invocation_->hasUnwritten() || storedSuspension_ != waits) {
            suspending_ = true;
            flush();
        } else if (evicting_) {
            retire();
            host_.arm(identity_.id, state_.nextDue());
            host_.retired(*this, wakeAgain_);
        } else {
            phase_ = Phase::parked;
            host_.arm(identity_.id, state_.nextDue());
            host_.parked(*this);
        }
    }

    void retire() {
        dropFrames();
        flushTimer_.cancel();
        phase_ = Phase::retired;
    }

    void unpark() {
        if (phase_ != Phase::parked) return;
        phase_ = Phase::running;
        host_.resumed(*this);
    }

    // --- the world --------------------------------------------------------------------------

    [[nodiscard]] static OperationUpdate timeoutOf(const Operation& operation, TimePoint now) {
        OperationUpdate update{.operationId = operationIdOf(operation), .type = operation.type};
        const auto error = [&](const char* type, std::string message) {
            update.action = OperationAction::timeOut;
            update.error = ErrorObject{.type = type, .message = std::move(message)};
        };
        switch (operation.type) {
            case OperationType::step: update.action = OperationAction::becomeReady; break;
            case OperationType::wait: update.action = OperationAction::succeed; break;
            case OperationType::callback:
                if (operation.due && *operation.due <= now) {
                    error("Callback.Timeout", "Callback timed out");
                } else {
                    error("Callback.Heartbeat", "Callback timed out on heartbeat");
                }
                break;
            default: {
                const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
                    *operation.due - operation.startTime);
                error("Execution.Timeout",
                      fmt::format("Execution timed out after {} seconds.", seconds.count()));
            }
        }
        return update;
    }

    void findOpenInvokes(const Operation& operation) {
        if (operation.type == OperationType::chainedInvoke &&
            operation.status == OperationStatus::started) {
            invokes_.push_back(&operation);
        }
        for (const auto& child : operation.children) {
            if (child) findOpenInvokes(*child);
        }
    }

    DriverHost& host_;
    const Services& services_;
    boost::asio::strand<boost::asio::io_context::executor_type> strand_;
    boost::asio::steady_timer flushTimer_;
    std::chrono::milliseconds startVisibleAfter_;
    ExecutionIdentity identity_;
    ExecutionRecord record_;
    const Handler* handler_{};

    ExecutionState state_;
    std::shared_ptr<Mailbox> mailbox_;
    std::optional<Invocation> invocation_;
    std::optional<DurableContext> context_;
    std::optional<Task<Payload>> root_;

    Phase phase_{Phase::running};
    bool evicting_{};   ///< the frames are dropped, or will be as soon as nothing else goes on
    bool wakeAgain_{};  ///< the world changed the execution after that
    bool suspending_{};
    bool mustWrite_{};
    bool writing_{};
    bool flushLater_{};
    std::uint64_t writingUpTo_{};
    std::exception_ptr writeError_;
    std::exception_ptr lostTo_;
    Written written_{*this};
    Suspension storedSuspension_{};
    std::optional<ExecutionStart> newStart_;
    std::optional<ExecutionEnd> newEnd_;
    std::vector<Change> changes_;
    std::vector<const Operation*> invokes_;
    std::vector<ExecutionId> acknowledgedChildren_;
};

}  // namespace durable::inline v0
