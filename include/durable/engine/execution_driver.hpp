// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/invocation.hpp>
#include <durable/engine/driver_host.hpp>
#include <durable/engine/execution_writes.hpp>
#include <durable/engine/handler_registry.hpp>
#include <durable/engine/handler_run.hpp>
#include <durable/engine/late_flush.hpp>
#include <durable/engine/world_updates.hpp>

#include <boost/asio/defer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace durable::inline v0 {

/// One execution in memory: its state, its frames, and the moves between running, parked and ended.
///
/// Each turn lets the handler go as far as it can, and then does the one thing that is next: write
/// what somebody waits for, suspend, or end. So an execution waits if and only if nothing is ready,
/// nothing is unwritten, no body runs and the handler awaits the world.
///
/// Thread-safety: `post` from any thread; everything else on the driver's strand.
class ExecutionDriver : public std::enable_shared_from_this<ExecutionDriver> {
public:
    using Command = std::function<void(ExecutionDriver&)>;
    using Done = ExecutionWrites::Done;

    [[nodiscard]] static std::shared_ptr<ExecutionDriver> make(
        DriverHost& host, const Services& services, boost::asio::io_context& io, ExecutionId id,
        std::chrono::milliseconds startVisibleAfter) {
        auto driver = std::make_shared<ExecutionDriver>(host, services, io, id, startVisibleAfter);
        driver->mailbox_ =
            std::make_shared<Mailbox>([weak = driver->weak_from_this(), strand = driver->strand_] {
                boost::asio::defer(strand, [weak] {
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
          lateFlush_{io, strand_, startVisibleAfter},
          identity_{.id = id},
          writes_{host, id} {}
    ExecutionDriver(const ExecutionDriver&) = delete;
    ExecutionDriver& operator=(const ExecutionDriver&) = delete;

    [[nodiscard]] const ExecutionIdentity& identity() const noexcept { return identity_; }
    [[nodiscard]] const ExecutionRecord& record() const noexcept { return record_; }
    [[nodiscard]] const ExecutionState& state() const noexcept { return state_; }
    /// What the execution was given up for, or null.
    [[nodiscard]] const std::exception_ptr& lostTo() const noexcept { return lostTo_; }
    [[nodiscard]] bool lacksHandler() const noexcept { return !handler_ && state_.isRunning(); }
    [[nodiscard]] bool hasCommands() const noexcept { return commands_ > 0; }
    [[nodiscard]] bool isInJournal() const noexcept { return !writes_.startsExecution(); }

    /// Runs `command` on the strand, then drives on; if the driver has retired meanwhile, the
    /// command goes to the execution's next driver. Thread-safety: any thread.
    void post(Command command) {
        ++commands_;
        boost::asio::post(strand_, [self = shared_from_this(), command = std::move(command)] {
            if (self->phase_ == Phase::retired) {
                return self->host_.dispatch(self->identity_.id, command);
            }
            command(*self);
            self->drive();
            --self->commands_;
            if (self->phase_ == Phase::parked) self->host_.parked(*self);  // still
        });
    }

    /// Gives the execution up, unless it has ended: what it waits for was lost. On any thread.
    void loseWith(const std::exception_ptr& error) {
        boost::asio::post(strand_, [self = shared_from_this(), error] {
            if (self->lostTo_ || self->record_.end || !self->state_.isRunning()) return;
            if (self->phase_ == Phase::retired) {  // evicted just now
                const auto again = [error](ExecutionDriver& next) { next.loseWith(error); };
                return self->host_.dispatch(self->identity_.id, again);
            }
            self->lose(error);
            self->drive();
        });
    }

    // --- commands: the first one is `load`, `create` or `abandon` -----------------------------

    /// Takes over what the store holds.
    /// \param handler null: the execution is looked at and changed, but does not run.
    /// \throws std::exception if the entries are damaged.
    void load(ExecutionRecord record, const Handler* handler, Store& store) {
        open(std::move(record), handler);
        store.read(record_.id, [this](const Entry& entry) { invocation_->load(entry); });
        writes_.setStored(record_.suspension);
        asleep_ = record_.suspension.waiting;
        if (handler == nullptr) return;
        run_->recordCrash();
        for (const auto* operation : openInvokes(state_)) host_.invoke(*this, *operation);
    }

    /// Starts a new execution. `done`: as for `change`.
    void create(ExecutionRecord record, const Handler* handler, Done done) {
        auto start = startUpdate(record.start);
        writes_.setStart(record.start);
        const auto decided =
            apply(state_, OperationUpdate{start}, services_.clock.now(), services_.limits);
        if (const auto* refusal = std::get_if<Refusal>(&decided)) {
            abandon({}, std::make_exception_ptr(InvalidConfig{refusal->message}));
            return done(refusal, nullptr);
        }
        open(std::move(record), handler);
        change(std::move(start), std::move(done));
    }

    /// Ends a driver that could not be loaded. `record`: as far as it is known.
    void abandon(ExecutionRecord record, const std::exception_ptr& error) {
        open(std::move(record), nullptr);
        lose(error);
    }

    /// Gives the execution up: it could not be written. The journal is as it was; what is in memory
    /// is ahead of it and is dropped, once no body refers to it any more.
    void lose(const std::exception_ptr& error) {
        unpark();
        lostTo_ = error;
        invocation_->scope().freeze();
        writes_.failChanges(error);
    }

    /// Applies an update of the world's doing. `done` is called when it is durable, or with what
    /// kept it from being so; a refused update calls it with a `Refusal`.
    void change(OperationUpdate update, Done done = [](const auto&...) {}) {
        if (lostTo_) return done(nullptr, lostTo_);
        auto applied = apply(state_, std::move(update), services_.clock.now(), services_.limits);
        if (const auto* refusal = std::get_if<Refusal>(&applied)) return done(refusal, nullptr);
        unpark();
        const bool wakes = std::get<Entry>(applied).kind != EntryKind::heartbeat;
        if (wakes && evicting_) wakeAgain_ = true;
        if (wakes) asleep_ = false;
        auto& operation = invocation_->keepChange(std::move(std::get<Entry>(applied)));
        writes_.addChange(invocation_->recordedCount(), wakes ? &operation : nullptr,
                          std::move(done));
    }

    /// Completes what is due.
    void fireTimers() {
        const auto now = services_.clock.now();
        while (const auto* operation = lostTo_ ? nullptr : state_.due(now)) {
            change(dueUpdate(*operation, now));
        }
    }

    void acknowledgeChild(ExecutionId child) { writes_.acknowledge(child); }

    /// Drops the frames if the execution is still parked. The journal has what they wait for.
    void evict() {
        if (phase_ != Phase::parked) return;
        unpark();
        evicting_ = true;
    }

private:
    /// `ending`: the end is recorded; that is being written.
    enum class Phase : std::uint8_t { running, parked, ending, retired };

    void open(ExecutionRecord record, const Handler* handler) {
        record_ = std::move(record);
        record_.start.input.reset();  // the state has it too
        identity_ = identityOf(identity_.id, record_.start);
        handler_ = record_.end ? nullptr : handler;
        invocation_.emplace(services_, identity_, state_, mailbox_);
        run_.emplace(*invocation_);
    }

    void drive() {
        mailbox_->attend([this] { takeTurn(); });
        const bool lives = phase_ == Phase::running || phase_ == Phase::parked;
        if (lives && !stopping()) host_.arm(identity_.id, state_.nextDue());
    }

    void takeTurn() {
        if (phase_ == Phase::retired) return;
        mailbox_->deliverAll();
        if (!lostTo_) startHandler();
        if (!state_.isRunning()) invocation_->scope().freeze();
        run_->goOn();
        if (!lostTo_) endIfDone();
        isBusy() ? write() : settle();
    }

    /// Not before the start is durable: the journal knows every execution that has done something.
    void startHandler() {
        if (handler_ == nullptr || run_->started() || evicting_ || stopping() || asleep_) return;
        if (!state_.isRunning() || !state_.root().recorded() || writes_.startsExecution()) return;
        if (auto* plugins = invocation_->plugins()) plugins->begin(identity_.info());
        run_->start(*handler_);
    }

    [[nodiscard]] bool stopping() const noexcept { return services_.stop.stop_requested(); }

    /// Whether something is still to come without the world's doing: a body returns, or a write.
    [[nodiscard]] bool isBusy() {
        if (writes_.inFlight() || invocation_->scope().bodies() > 0) return true;
        return !lostTo_ && (writes_.due() || invocation_->awaitsWrite());
    }

    /// Nothing can go on by itself: the execution has ended, or waits for the world.
    void settle() {
        if (lostTo_) {
            retire();
            host_.lost(*this, lostTo_);
        } else if (phase_ == Phase::ending) {
            retire();
            host_.ended(*this, *record_.end);
        } else if (handler_ == nullptr || stopping()) {
            if (run_->endPass() && phase_ == Phase::parked) writes_.setWaiting(waits());
            if (invocation_->hasUnwritten()) return flush();
            retire();
            host_.retired(*this, false);
        } else if (phase_ == Phase::running) {
            suspend();
        }
    }

    void endIfDone() {
        if (phase_ == Phase::ending || record_.end) return;
        const bool ended = !state_.isRunning();
        if (ended) invocation_->scope().freeze();
        if (!ended && !run_->returned() && !invocation_->halted()) return;
        if (invocation_->scope().bodies() > 0) return;
        if (!ended) run_->recordEnd();
        phase_ = Phase::ending;
        run_->drop();
        record_.end = endOf(state_);
        writes_.setEnd(*record_.end);
    }

    void retire() {
        run_->drop();
        lateFlush_.cancel();
        const bool cutShort = stopping() && state_.isRunning() && !writes_.stored().waiting;
        if (auto* plugins = invocation_->plugins()) plugins->end(lostTo_ || cutShort);
        phase_ = Phase::retired;
    }

    // --- writing ----------------------------------------------------------------------------

    /// Hands over what is recorded if somebody waits for it; else it rides with what comes next.
    void write() {
        if (writes_.inFlight() || lostTo_) return;
        if (writes_.due() || invocation_->awaitsWrite()) return flush();
        if (!invocation_->hasUnwritten()) return;
        lateFlush_.schedule(weak_from_this(), &ExecutionDriver::writeLate);
    }

    void flush() {
        writes_.flush(*invocation_, [self = shared_from_this()](std::exception_ptr error) {
            self->writes_.setError(std::move(error));
            self->mailbox_->push(self->written_);
        });
    }

    /// A step that runs for long gets its start written on its own.
    void writeLate() {
        if (phase_ != Phase::running || lostTo_) return;
        if (invocation_->hasUnwritten()) writes_.demand();
        drive();
    }

    void onWritten() {
        const auto outcome = writes_.takeOutcome();
        if (outcome.error) return lose(outcome.error);
        invocation_->acknowledge(outcome.upTo);
        for (auto* operation : outcome.operations) invocation_->deliver(*operation);
        run_->verifyReplay(HandlerRun::Moment::written);
        try {
            for (const auto* operation : outcome.invokes) host_.invoke(*this, *operation);
        } catch (...) {
            lose(std::current_exception());
        }
    }

    // --- suspending -------------------------------------------------------------------------

    /// Records that the execution waits, and once that is written, parks or retires it.
    void suspend() {
        if (!run_->verifyReplay(HandlerRun::Moment::waiting)) return takeTurn();
        if (!host_.mayPark() || asleep_) evicting_ = true;
        if (evicting_) run_->endPass();
        if (invocation_->hasUnwritten() || writes_.stored() != waits()) {
            writes_.setWaiting(waits());
            return flush();
        }
        host_.arm(identity_.id, state_.nextDue());
        if (!evicting_) {
            phase_ = Phase::parked;
            return host_.parked(*this);
        }
        retire();
        host_.retired(*this, wakeAgain_);
    }

    [[nodiscard]] Suspension waits() const { return suspensionOf(state_, wakeAgain_); }

    void unpark() {
        if (phase_ != Phase::parked) return;
        phase_ = Phase::running;
        host_.resumed(*this);
    }

    DriverHost& host_;
    const Services& services_;
    LateFlush::Strand strand_;
    LateFlush lateFlush_;
    ExecutionIdentity identity_;
    ExecutionRecord record_;
    const Handler* handler_{};

    ExecutionState state_;
    std::shared_ptr<Mailbox> mailbox_;
    ExecutionWrites writes_;
    std::optional<Invocation> invocation_;
    std::optional<HandlerRun> run_;

    Phase phase_{Phase::running};
    bool asleep_{};     ///< it waited when it was loaded, and the world has not woken it
    bool evicting_{};   ///< the frames are dropped, or will be as soon as nothing else goes on
    bool wakeAgain_{};  ///< the world changed it after that
    std::exception_ptr lostTo_;
    std::atomic<int> commands_{};  ///< on their way
    MessageTo<ExecutionDriver, &ExecutionDriver::onWritten> written_{*this};
};

}  // namespace durable::inline v0
