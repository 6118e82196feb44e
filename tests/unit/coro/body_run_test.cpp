// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/coro/body_run.hpp>
#include <durable/coro/mailbox.hpp>
#include <durable/coro/step_pool.hpp>
#include <durable/coro/wait_list.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using durable::BodiesReturned;
using durable::BodyRun;
using durable::Mailbox;
using durable::Message;
using durable::Outcome;
using durable::RunLoop;
using durable::Scope;
using durable::StepPool;
using durable::Task;

namespace {

class Note final : public Message {
public:
    Note() = default;
    Note(std::vector<int>& into, int number) : into_{&into}, number_{number} {}
    void deliver() override { into_->push_back(number_); }

private:
    std::vector<int>* into_{};
    int number_{};
};

/// One execution's thread: what a test does and what an engine does otherwise.
class Fixture {
public:
    explicit Fixture(std::size_t stepThreads) : pool{stepThreads, workflows.get_executor()} {}
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture() { pool.join(); }

    template <class Call>
    auto body(Call call) {
        return BodyRun<Call>{pool, mailbox, engineStop.get_token(), std::move(call)};
    }

    /// Runs, and waits for messages, until `done`.
    template <class Done>
    void runUntil(Done done) {
        for (loop.run(); !done(); loop.run()) {
            if (pool.runsInline()) {
                workflows.restart();
                if (workflows.run_one() == 0) throw std::logic_error{"nothing left to do"};
            } else {
                arrived.acquire();
            }
            mailbox->deliverAll();
        }
    }

    asio::io_context workflows;
    std::stop_source engineStop;
    StepPool pool;
    std::counting_semaphore<> arrived{0};
    std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>([this] { arrived.release(); });
    RunLoop loop;
    Scope scope{loop};
};

/// Awaits `call` as a body and gives how it ended.
template <class Call>
auto outcomeOf(Fixture& fixture, Call call) {
    using Result = typename BodyRun<Call>::Result;
    const auto coroutine = [&](auto body) -> Task<Outcome<Result>> {
        auto outcome = co_await fixture.body(std::move(body));
        co_return outcome;
    };
    auto task = coroutine(std::move(call));
    task.start(fixture.scope);
    fixture.runUntil([&] { return task.done(); });
    return task.outcome().take();
}

const std::size_t everyPool[]{0, 2};

void waitFor(const std::stop_token& stop) {
    std::binary_semaphore stopped{0};
    const std::stop_callback callback{stop, [&] { stopped.release(); }};
    stopped.acquire();
}

/// Waits for a timer that does not come, and gives whether it was cancelled.
asio::awaitable<bool> sleepUntilStopped(std::latch* started) {
    asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::hours{24}};
    if (started != nullptr) started->count_down();
    try {
        co_await timer.async_wait(asio::use_awaitable);
    } catch (const boost::system::system_error& error) {
        co_return error.code() == asio::error::operation_aborted;
    }
    co_return false;
}

}  // namespace

TEST_CASE("messages are delivered in the order of their arrival") {
    std::vector<int> delivered;
    Mailbox mailbox{[] {}};
    Note first{delivered, 1};
    Note second{delivered, 2};
    Note third{delivered, 3};
    CHECK(mailbox.empty());
    mailbox.push(first);
    mailbox.push(second);
    mailbox.push(third);
    CHECK_FALSE(mailbox.empty());
    CHECK(delivered.empty());
    mailbox.deliverAll();

    CHECK(delivered == std::vector<int>{1, 2, 3});
    CHECK(mailbox.empty());
}

TEST_CASE("a mailbox wakes its owner only when a message arrives in an empty one") {
    std::vector<int> delivered;
    int wakes = 0;
    Mailbox mailbox{[&] { ++wakes; }};
    Note first{delivered, 1};
    Note second{delivered, 2};
    mailbox.push(first);
    CHECK(wakes == 1);
    mailbox.push(second);
    CHECK(wakes == 1);
    mailbox.deliverAll();
    mailbox.push(first);
    CHECK(wakes == 2);
    mailbox.deliverAll();

    CHECK(delivered == std::vector<int>{1, 2, 1});
}

TEST_CASE("what arrives while a mailbox is attended to gets a turn and wakes nobody") {
    std::vector<int> delivered;
    int wakes = 0;
    Mailbox mailbox{[&] { ++wakes; }};
    Note first{delivered, 1};
    Note second{delivered, 2};
    mailbox.push(first);
    mailbox.attend([&] {
        mailbox.deliverAll();
        if (delivered.size() == 1) mailbox.push(second);
    });
    CHECK(delivered == std::vector<int>{1, 2});
    CHECK(wakes == 1);
    mailbox.push(first);

    CHECK(wakes == 2);
}

TEST_CASE("an owner whose every turn brings a message lets others go on, and is woken again") {
    std::vector<int> delivered;
    int wakes = 0;
    Mailbox mailbox{[&] { ++wakes; }};
    Note note{delivered, 1};
    int turns = 0;
    mailbox.attend([&] {
        mailbox.deliverAll();
        mailbox.push(note);
        REQUIRE(++turns < 10'000);
    });
    CHECK(turns > 1);
    CHECK(wakes == 1);
    mailbox.deliverAll();

    CHECK(delivered.size() == static_cast<std::size_t>(turns));
}

TEST_CASE("an owner that leaves by an exception is woken by what has arrived, and by what comes") {
    std::vector<int> delivered;
    int wakes = 0;
    Mailbox mailbox{[&] { ++wakes; }};
    Note note{delivered, 1};
    const auto fail = [&] { throw std::runtime_error{"the turn failed"}; };
    SECTION("while it attends") {
        CHECK_THROWS_AS(mailbox.attend([&] {
            mailbox.push(note);
            fail();
        }),
                        std::runtime_error);
    }
    SECTION("afterwards") {
        CHECK_THROWS_AS(mailbox.attend(fail), std::runtime_error);
        mailbox.push(note);
    }

    CHECK(wakes == 1);
}

TEST_CASE("a message may be sent while others are delivered") {
    struct Resend final : Message {
        Mailbox* mailbox{};
        int left{3};
        void deliver() override {
            if (--left > 0) mailbox->push(*this);
        }
    } message;
    int wakes = 0;
    Mailbox mailbox{[&] { ++wakes; }};
    message.mailbox = &mailbox;
    mailbox.push(message);
    while (!mailbox.empty()) mailbox.deliverAll();

    CHECK(message.left == 0);
    CHECK(wakes == 3);
}

TEST_CASE("no message of many threads is lost, and each thread's keep their order") {
    constexpr int threads = 4;
    constexpr int each = 2000;
    std::vector<int> delivered;
    std::counting_semaphore<> arrived{0};
    Mailbox mailbox{[&] { arrived.release(); }};
    std::vector<std::vector<Note>> notes(threads);
    for (int t = 0; t < threads; ++t) {
        for (int i = 0; i < each; ++i)
            notes[static_cast<std::size_t>(t)].emplace_back(delivered, t * each + i);
    }
    std::vector<std::thread> senders;
    for (auto& own : notes) {
        senders.emplace_back([&] {
            for (auto& note : own) mailbox.push(note);
        });
    }
    while (delivered.size() < threads * each) {
        arrived.acquire();
        mailbox.deliverAll();
    }
    for (auto& sender : senders) sender.join();

    std::vector<int> last(threads, -1);
    bool ordered = true;
    for (const int number : delivered) {
        auto& before = last[static_cast<std::size_t>(number / each)];
        ordered = ordered && number > before;
        before = number;
    }
    CHECK(ordered);
    CHECK(delivered.size() == threads * each);
}

TEST_CASE("a plain body gives its value") {
    for (const auto threads : everyPool) {
        Fixture fixture{threads};
        CHECK(outcomeOf(fixture, [](std::stop_token) { return 42; }).take() == 42);
        CHECK(*outcomeOf(fixture, [](std::stop_token) {
                   return std::make_unique<int>(7);
               }).take() == 7);
        CHECK(outcomeOf(fixture, [](std::stop_token) {}).succeeded());
    }
}

TEST_CASE("a body that throws gives its exception, whatever it is") {
    for (const auto threads : everyPool) {
        Fixture fixture{threads};
        CHECK_THROWS_WITH(
            outcomeOf(fixture, [](std::stop_token) -> int { throw std::runtime_error{"declined"}; })
                .take(),
            "declined");
        CHECK_THROWS_AS(outcomeOf(fixture, [](std::stop_token) { throw 42; }).take(), int);
    }
}

TEST_CASE("a body runs on a thread of the pool, and without one where the workflow runs") {
    for (const auto threads : everyPool) {
        Fixture fixture{threads};
        const auto thread =
            outcomeOf(fixture, [](std::stop_token) { return std::this_thread::get_id(); }).take();
        CHECK((thread == std::this_thread::get_id()) == (threads == 0));
        CHECK(fixture.pool.runsInline() == (threads == 0));
    }
}

TEST_CASE("no body counts as code of the workflow, wherever it runs") {
    const auto isOutside = [] { return RunLoop::current() == nullptr; };
    for (const auto threads : everyPool) {
        Fixture fixture{threads};
        CHECK(outcomeOf(fixture, [&](std::stop_token) { return isOutside(); }).take());
        CHECK(outcomeOf(fixture, [&](std::stop_token) -> asio::awaitable<bool> {
                  co_return isOutside();
              }).take());
        CHECK(outcomeOf(fixture, [&](std::stop_token) -> asio::awaitable<bool> {
                  co_await asio::post(asio::use_awaitable);
                  co_return isOutside();
              }).take());
    }
}

TEST_CASE("an asio body gives its value, or what it throws") {
    for (const auto threads : everyPool) {
        Fixture fixture{threads};
        CHECK(outcomeOf(fixture, [](std::stop_token) -> asio::awaitable<std::string> {
                  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
                  co_return "done";
              }).take() == "done");
        CHECK(outcomeOf(fixture, [](std::stop_token) -> asio::awaitable<void> {
                  co_return;
              }).succeeded());
        CHECK_THROWS_WITH(outcomeOf(fixture,
                                    [](std::stop_token) -> asio::awaitable<int> {
                                        throw std::runtime_error{"declined"};
                                        co_return 0;
                                    })
                              .take(),
                          "declined");
        CHECK_THROWS_AS(outcomeOf(fixture,
                                  [](std::stop_token) -> asio::awaitable<void> {
                                      throw 42;
                                      co_return;
                                  })
                            .take(),
                        int);
    }
}

TEST_CASE("freezing its scope triggers a plain body's stop token, and the body is waited for") {
    Fixture fixture{2};
    Scope branches{fixture.scope};
    std::latch started{1};
    bool returned = false;
    bool resumed = false;
    const auto branch = [&]() -> Task<void> {
        auto outcome = co_await fixture.body([&](std::stop_token stop) {
            started.count_down();
            waitFor(stop);
            returned = true;
        });
        resumed = outcome.succeeded();
    };
    auto running = branch();
    running.start(branches);
    fixture.loop.run();
    started.wait();
    CHECK(branches.bodies() == 1);
    CHECK(fixture.pool.running() == 1);

    branches.freeze();
    const auto wait = [&]() -> Task<void> { co_await BodiesReturned{branches}; };
    auto waiting = wait();
    waiting.start(fixture.scope);
    fixture.runUntil([&] { return waiting.done(); });

    CHECK(returned);
    CHECK_FALSE(resumed);
    CHECK(branches.bodies() == 0);
    CHECK(fixture.pool.running() == 0);
}

TEST_CASE("stopping the engine triggers a plain body's stop token, and the workflow goes on") {
    Fixture fixture{2};
    std::latch started{1};
    const std::jthread stopper{[&] {
        started.wait();
        fixture.engineStop.request_stop();
    }};
    const auto outcome = outcomeOf(fixture, [&](std::stop_token stop) {
        started.count_down();
        waitFor(stop);
        return stop.stop_requested();
    });

    CHECK(outcome.succeeded());
}

TEST_CASE("a body that starts after the engine was stopped sees its stop token triggered") {
    for (const auto threads : everyPool) {
        Fixture fixture{threads};
        fixture.engineStop.request_stop();
        CHECK(
            outcomeOf(fixture, [](std::stop_token stop) { return stop.stop_requested(); }).take());
    }
}

TEST_CASE("freezing its scope cancels what an asio body awaits") {
    Fixture fixture{2};
    Scope branches{fixture.scope};
    std::latch started{1};
    const auto branch = [&]() -> Task<void> {
        auto outcome =
            co_await fixture.body([&](std::stop_token) { return sleepUntilStopped(&started); });
        (void)outcome;
    };
    auto running = branch();
    running.start(branches);
    fixture.loop.run();
    started.wait();
    branches.freeze();
    const auto wait = [&]() -> Task<void> { co_await BodiesReturned{branches}; };
    auto waiting = wait();
    waiting.start(fixture.scope);
    fixture.runUntil([&] { return waiting.done(); });

    CHECK(branches.bodies() == 0);
}

TEST_CASE("stopping the engine cancels what an asio body awaits") {
    Fixture fixture{2};
    std::latch started{1};
    const std::jthread stopper{[&] {
        started.wait();
        fixture.engineStop.request_stop();
    }};
    auto outcome = outcomeOf(fixture, [&](std::stop_token) { return sleepUntilStopped(&started); });

    CHECK(outcome.take());
}

TEST_CASE("bodies are counted while they wait for a thread and while they run") {
    Fixture fixture{1};
    std::latch started{1};
    std::latch release{1};
    const auto coroutine = [&](bool first) -> Task<void> {
        auto outcome = co_await fixture.body([&, first](std::stop_token) {
            if (!first) return;
            started.count_down();
            release.wait();
        });
        (void)outcome;
    };
    auto one = coroutine(true);
    auto two = coroutine(false);
    one.start(fixture.scope);
    fixture.loop.run();
    started.wait();
    two.start(fixture.scope);
    fixture.loop.run();
    CHECK(fixture.pool.running() == 1);
    CHECK(fixture.pool.queued() == 1);
    release.count_down();
    fixture.runUntil([&] { return one.done() && two.done(); });

    CHECK(fixture.pool.running() == 0);
    CHECK(fixture.pool.queued() == 0);
}

TEST_CASE("a body that waits for a thread is not called any more when nobody wants it") {
    for (const bool stops : {false, true}) {
        Fixture fixture{1};
        Scope branches{fixture.scope};
        std::latch started{1};
        std::latch release{1};
        int called = 0;
        bool resumed = false;
        const auto busy = [&]() -> Task<void> {
            auto outcome = co_await fixture.body([&](std::stop_token) {
                started.count_down();
                release.wait();
            });
            (void)outcome;
        };
        const auto branch = [&](auto body) -> Task<void> {
            BodyRun<decltype(body)> run{fixture.pool, fixture.mailbox,
                                        fixture.engineStop.get_token(), body, true};
            auto outcome = co_await run;
            (void)outcome;
            resumed = true;
        };
        auto first = busy();
        first.start(fixture.scope);
        fixture.loop.run();
        started.wait();
        auto plain = branch([&](std::stop_token) { ++called; });
        auto asynchronous = branch([&](std::stop_token) -> asio::awaitable<void> {
            ++called;
            co_return;
        });
        plain.start(branches);
        asynchronous.start(branches);
        fixture.loop.run();
        REQUIRE(branches.bodies() == 2);

        stops ? (void)fixture.engineStop.request_stop() : branches.freeze();
        release.count_down();
        fixture.runUntil([&] { return first.done() && branches.bodies() == 0; });

        CHECK(called == 0);
        CHECK_FALSE(resumed);
    }
}

TEST_CASE("many bodies of one execution run at once and all come back") {
    Fixture fixture{4};
    int sum = 0;
    const auto coroutine = [&](int number) -> Task<void> {
        auto outcome = co_await fixture.body([number](std::stop_token) { return number; });
        sum += outcome.take();
    };
    std::vector<Task<void>> tasks;
    for (int i = 1; i <= 500; ++i) {
        tasks.push_back(coroutine(i));
        tasks.back().start(fixture.scope);
    }
    fixture.runUntil([&] { return fixture.scope.bodies() == 0; });

    CHECK(sum == 500 * 501 / 2);
}

TEST_CASE("an asio body that starts after the engine was stopped is cancelled, not fatal") {
    for (int round = 0; round < 50; ++round) {
        Fixture fixture{2};
        fixture.engineStop.request_stop();

        CHECK(
            outcomeOf(fixture, [](std::stop_token) { return sleepUntilStopped(nullptr); }).take());
    }
}
