// SPDX-License-Identifier: Apache-2.0
#include <durable/durable.hpp>
#include <durable/engine/execution_driver.hpp>
#include <durable/engine/invokes.hpp>
#include <durable/testing/forwarding_store.hpp>
#include <durable/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>
#include <support/catch.hpp>

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

/// An engine around one driver whose writes come back when the test says so.
class Host final : private DriverHost {
public:
    explicit Host(Handler handler, bool mayPark = true)
        : handler_{std::move(handler)}, mayPark_{mayPark} {}

    [[nodiscard]] ExecutionDriver& driver() { return *driver_; }
    [[nodiscard]] DriverHost& asDriverHost() { return *this; }
    [[nodiscard]] testing::ManualClock& clock() { return clock_; }

    /// What the driver has told, a word each.
    std::vector<std::string> told;

    void start(
        ExecutionStart start = {.handlerName = "handler", .name = "a"},
        ExecutionDriver::Done done = [](const Refusal*, const std::exception_ptr&) {}) {
        post([this, start = std::move(start), done = std::move(done)](ExecutionDriver& driver) {
            driver.create({.id = 1, .start = start}, &handler_, done);
        });
    }

    /// Gives the driver a command and runs it until it waits.
    void post(ExecutionDriver::Command command) {
        driver_->post(std::move(command));
        run();
    }

    [[nodiscard]] bool writing() const { return !submitted_.empty(); }

    /// The oldest write comes back. Gives what it wrote.
    JournalWriter::Submission written(const std::exception_ptr& error = nullptr) {
        auto submission = std::move(submitted_.front());
        submitted_.pop_front();
        submission.written(error);
        run();
        return submission;
    }

    void writeAll() {
        while (writing()) written();
    }

    /// Executions that are to be created: called when one is durable.
    std::deque<std::function<void()>> creations;

private:
    void run() {
        io_.restart();
        io_.poll();
    }

    void submit(JournalWriter::Submission&& submission) override {
        submitted_.push_back(std::move(submission));
    }
    void dispatch(ExecutionId, std::function<void(ExecutionDriver&)>) override {
        told.emplace_back("dispatch");
    }
    void create(ExecutionStart,
                std::function<void(const Refusal*, std::exception_ptr)> done) override {
        creations.emplace_back([done = std::move(done)] { done(nullptr, nullptr); });
    }
    void arm(ExecutionId, std::optional<TimePoint>) override {}
    [[nodiscard]] bool mayPark() const override { return mayPark_; }
    void parked(ExecutionDriver&) override { told.emplace_back("parked"); }
    void resumed(ExecutionDriver&) override { told.emplace_back("resumed"); }
    void retired(ExecutionDriver&, bool wake) override {
        told.emplace_back(wake ? "retired, to wake" : "retired");
    }
    void ended(ExecutionDriver&, const ExecutionEnd& end) override {
        told.emplace_back("ended " + std::string{wireName(end.status)});
    }
    void lost(ExecutionDriver&, std::exception_ptr) override { told.emplace_back("lost"); }
    void invoke(ExecutionDriver&, const Operation& operation) override {
        told.emplace_back("invoke " + operationIdOf(operation));
    }

    Handler handler_;
    bool mayPark_;
    boost::asio::io_context io_;
    testing::ManualClock clock_;
    StepPool steps_{0, io_.get_executor()};
    Services services_{.clock = clock_,
                       .steps = steps_,
                       .log = {},
                       .limits = {.payloadBytesMax = 1000},
                       .random = [] { return 0.5; },
                       .newCallbackId = newCallbackId,
                       .stop = {}};
    std::deque<JournalWriter::Submission> submitted_;
    std::shared_ptr<ExecutionDriver> driver_ =
        ExecutionDriver::make(*this, services_, io_, 1, 50ms);
};

const OperationUpdate stopped{.action = OperationAction::stop,
                              .type = OperationType::execution,
                              .error = ErrorObject{.message = "no longer wanted"}};

using Told = std::vector<std::string>;

Task<Payload> waits(DurableContext& ctx, Payload) {
    co_await ctx.wait("first", 1s);
    co_await ctx.wait("second", 1s);
    co_return "1";
}

}  // namespace

TEST_CASE("an execution is parked when its waiting is written, not before") {
    Host host{waits};
    host.start();
    REQUIRE(host.writing());
    while (host.told.empty()) {
        const auto last = host.written();
        if (!host.told.empty()) CHECK(last.commit.suspension->waiting);
    }

    CHECK(host.told == Told{"parked"});
    CHECK_FALSE(host.writing());
}

TEST_CASE("what the world does while the frames are being dropped wakes the execution again") {
    Host host{waits, false};
    host.start();
    host.written();  // the start of the execution
    host.written();  // the start of the wait; its suspension is on its way now
    REQUIRE(host.writing());
    REQUIRE(host.told.empty());

    host.clock().advance(1s);
    host.post([](ExecutionDriver& driver) { driver.fireTimers(); });
    host.written();
    CHECK(host.told.empty());  // the end of the wait is to be written first
    const auto change = host.written();

    CHECK(change.entries.front().kind == EntryKind::succeeded);
    CHECK_FALSE(change.commit.suspension.value_or(Suspension{}).waiting);
    host.writeAll();
    CHECK(host.told == Told{"retired, to wake"});
}

TEST_CASE("an execution that was stopped during a write runs no further body") {
    int second = 0;
    Host host{[&](DurableContext& ctx, const Payload&) -> Task<Payload> {
        co_await ctx.step("first", [] {});
        co_await ctx.step("second", [&] { ++second; });
        co_return "1";
    }};
    host.start();  // the first step has run; its record is on its way
    REQUIRE(second == 0);
    // The stop is decided just before the driver hears that the write has come back.
    host.driver().post([](ExecutionDriver& driver) { driver.change(stopped); });

    host.writeAll();

    CHECK(second == 0);
    CHECK(host.told == Told{"ended STOPPED"});
}

TEST_CASE("a start that is refused writes nothing and runs nothing, and its caller is told") {
    bool ran = false;
    std::string refused;
    Host host{[&](DurableContext&, const Payload&) -> Task<Payload> {
        ran = true;
        co_return "1";
    }};

    host.start({.handlerName = "handler", .name = "a", .input = std::string(1001, 'x')},
               [&](const Refusal* refusal, const std::exception_ptr& error) {
                   if (refusal != nullptr && !error) refused = refusal->message;
               });

    CHECK(refused == "The payload must be at most 1000 bytes, got 1001.");
    CHECK_FALSE(host.writing());
    CHECK_FALSE(ran);
    CHECK(host.told == Told{"lost"});
}

TEST_CASE("an execution can be given up while it is parked") {
    Host host{waits};
    host.start();
    host.writeAll();
    REQUIRE(host.told == Told{"parked"});

    host.post([](ExecutionDriver& driver) {
        driver.lose(std::make_exception_ptr(StoreError{"the disk is full"}));
    });

    CHECK(host.told == Told{"parked", "resumed", "lost"});
}

TEST_CASE("a change that comes when a write has failed is told of the failure") {
    Host host{waits};
    host.start();
    std::string error;

    // Nothing of the start has been written: the command waits behind it.
    host.driver().post([&](ExecutionDriver& driver) {
        driver.change(stopped, [&](const Refusal*, const std::exception_ptr& failure) {
            error = failure ? errorObjectOf(failure).messageOr("") : "none";
        });
    });
    host.written(std::make_exception_ptr(StoreError{"the disk is full"}));

    CHECK(error == "the disk is full");
    CHECK(host.told == Told{"lost"});
}

TEST_CASE("an invoked execution is created once, whatever the store said just before") {
    /// Answers with what was so before something happens.
    class SlowStore : public testing::ForwardingStore {
    public:
        std::optional<ExecutionRecord> find(std::string_view handlerName,
                                            std::string_view name) override {
            auto before = ForwardingStore::find(handlerName, name);
            if (meanwhile) std::exchange(meanwhile, {})();
            return before;
        }
        using ForwardingStore::find;

        std::function<void()> meanwhile;
    };
    Host host{[](DurableContext& ctx, const Payload&) -> Task<Payload> {
        co_return toJsonText(co_await ctx.invoke<int>("other", 1));
    }};
    host.start();
    host.writeAll();
    SlowStore store;
    HandlerRegistry handlers;
    handlers.add("other", waits);
    Invokes invokes{store, handlers, host.clock(), host.asDriverHost()};
    const auto ensure = [&](ExecutionDriver& driver) {
        invokes.ensure(driver, *driver.state().find("1"));
    };

    host.post(ensure);
    REQUIRE(host.creations.size() == 1);
    store.meanwhile = host.creations.front();
    host.post(ensure);
    CHECK(host.creations.size() == 1);
}

TEST_CASE("an acknowledgement is written together with the end that it acknowledges") {
    Host host{[](DurableContext& ctx, const Payload&) -> Task<Payload> {
        co_return toJsonText(co_await ctx.invoke<int>("other", 1));
    }};
    host.start();
    host.writeAll();
    REQUIRE(host.told == Told{"invoke 1", "parked"});

    host.post([](ExecutionDriver& driver) {
        driver.change({.action = OperationAction::succeed,
                       .operationId = "1",
                       .type = OperationType::chainedInvoke,
                       .payload = "7"});
        driver.acknowledgeChild(2);
    });
    const auto first = host.written();

    CHECK(first.commit.acknowledged == std::vector<ExecutionId>{2});
    CHECK(first.entries.front().kind == EntryKind::succeeded);
    host.writeAll();
    CHECK(host.told.back() == "ended SUCCEEDED");
}

TEST_CASE("an execution that waits for an invoked one counts as running") {
    Host host{[](DurableContext& ctx, const Payload&) -> Task<Payload> {
        co_return toJsonText(co_await ctx.invoke<int>("other", 1));
    }};
    host.start();
    bool waiting = false;
    while (host.writing()) {
        const auto submission = host.written();
        if (submission.commit.suspension) waiting = submission.commit.suspension->waiting;
    }

    CHECK_FALSE(waiting);
}
