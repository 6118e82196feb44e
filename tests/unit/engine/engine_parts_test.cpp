// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/durable.hpp>
#include <durable/engine/callback_id.hpp>
#include <durable/engine/completion.hpp>
#include <durable/engine/handler_registry.hpp>
#include <durable/engine/journal_writer.hpp>
#include <durable/engine/parked.hpp>
#include <durable/engine/timer_queue.hpp>
#include <durable/store/memory_store.hpp>
#include <durable/testing/forwarding_store.hpp>
#include <durable/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using durable::callbackPlaceOf;
using durable::Commit;
using durable::DurableContext;
using durable::Entry;
using durable::ExecutionId;
using durable::Handler;
using durable::HandlerRegistry;
using durable::InvalidConfig;
using durable::JournalWriter;
using durable::MemoryStore;
using durable::newCallbackId;
using durable::Parked;
using durable::Payload;
using durable::StoreError;
using durable::Task;
using durable::TimePoint;
using durable::TimerQueue;
using durable::testing::ManualClock;
using namespace std::chrono_literals;

// --- callback ids -------------------------------------------------------------------------------

TEST_CASE("a callback id names its execution and operation") {
    const auto id = newCallbackId(12, "1-4-2");
    const auto place = callbackPlaceOf(id);

    CHECK(id.substr(0, 9) == "12x1x4x2x");
    CHECK(id.size() == 9 + 32);
    REQUIRE(place.has_value());
    CHECK(place->execution == 12);
    CHECK(place->operationId == "1-4-2");
    CHECK(callbackPlaceOf(newCallbackId(1, "7"))->operationId == "7");
    CHECK(callbackPlaceOf(newCallbackId(INT64_MAX, "1"))->execution == INT64_MAX);
}

TEST_CASE("a callback id has characters of the base64 alphabet only") {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/' || c == '=';
    };

    CHECK(std::ranges::all_of(newCallbackId(12, "1-4-2"), allowed));
}

TEST_CASE("no two callback ids are equal, even of one operation") {
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) ids.insert(newCallbackId(1, "1"));

    CHECK(ids.size() == 1000);
}

TEST_CASE("every bit of a callback id's random part is as often set as not") {
    constexpr int count = 2000;
    std::array<int, 128> set{};
    for (int i = 0; i < count; ++i) {
        const auto digits = newCallbackId(1, "1").substr(4);
        REQUIRE(digits.size() == 32);
        for (std::size_t bit = 0; bit < set.size(); ++bit) {
            const auto digit = std::stoi(digits.substr(bit / 4, 1), nullptr, 16);
            set[bit] += (digit >> (bit % 4)) & 1;
        }
    }

    // Eight standard deviations to each side.
    CHECK(
        std::ranges::all_of(set, [](int n) { return n > count / 2 - 180 && n < count / 2 + 180; }));
}

TEST_CASE("what is no callback id names nothing") {
    for (const auto* id : {"", "x", "12", "12x", "12x1", "ax1xab", "x1xab", "1 x1xab", "0x1",
                           "99999999999999999999x1xab", "not an id"}) {
        CAPTURE(id);
        CHECK_FALSE(callbackPlaceOf(id).has_value());
    }
}

TEST_CASE("secrets are equal if every character is") {
    CHECK(durable::equalSecrets("", ""));
    CHECK(durable::equalSecrets("12x1xab", "12x1xab"));
    CHECK_FALSE(durable::equalSecrets("12x1xab", "12x1xac"));
    CHECK_FALSE(durable::equalSecrets("22x1xab", "12x1xab"));
    CHECK_FALSE(durable::equalSecrets("12x1xab", "12x1xa"));
    CHECK_FALSE(durable::equalSecrets("12x1xab", ""));
}

// --- timers -------------------------------------------------------------------------------------

namespace {

/// A timer queue on a clock that the test moves.
struct Timers {
    ManualClock clock{TimePoint{0ms}};
    asio::io_context context;
    std::vector<ExecutionId> fired;
    TimerQueue queue{clock, context.get_executor(),
                     [this](ExecutionId id) { fired.push_back(id); }};

    std::vector<ExecutionId> at(std::chrono::milliseconds time) {
        fired.clear();
        clock.set(TimePoint{time});
        queue.fire();
        return fired;
    }
};

using Ids = std::vector<ExecutionId>;

}  // namespace

TEST_CASE("a timer fires at its time, not before, and once") {
    Timers timers;
    timers.queue.arm(1, TimePoint{5s});

    CHECK(timers.queue.next() == TimePoint{5s});
    CHECK(timers.at(4999ms).empty());
    CHECK(timers.at(5s) == Ids{1});
    CHECK(timers.at(6s).empty());
    CHECK(timers.queue.next() == std::nullopt);
}

TEST_CASE("timers fire in the order of their times, also when the clock jumps") {
    Timers timers;
    timers.queue.arm(1, TimePoint{30s});
    timers.queue.arm(2, TimePoint{10s});
    timers.queue.arm(3, TimePoint{20s});
    timers.queue.arm(4, TimePoint{24h});

    CHECK(timers.queue.next() == TimePoint{10s});
    CHECK(timers.at(1h) == Ids{2, 3, 1});
    CHECK(timers.queue.next() == TimePoint{24h});
}

TEST_CASE("an execution has one timer, which the last word sets, replaces or removes") {
    Timers timers;
    timers.queue.arm(1, TimePoint{10s});
    timers.queue.arm(2, TimePoint{10s});
    timers.queue.arm(1, TimePoint{20s});
    timers.queue.arm(1, TimePoint{20s});
    timers.queue.arm(2, std::nullopt);
    timers.queue.arm(3, std::nullopt);

    CHECK(timers.queue.next() == TimePoint{20s});
    CHECK(timers.at(10s).empty());
    timers.queue.arm(1, TimePoint{15s});
    CHECK(timers.at(15s) == Ids{1});
    CHECK(timers.queue.next() == std::nullopt);
}

TEST_CASE("a timer may be set again while it fires") {
    Timers timers;
    std::optional<TimerQueue> queue;
    int fired = 0;
    queue.emplace(timers.clock, timers.context.get_executor(), [&](ExecutionId id) {
        if (++fired < 3) queue->arm(id, TimePoint{0ms});
    });
    queue->arm(7, TimePoint{0ms});
    queue->fire();
    queue->fire();
    queue->fire();
    queue->fire();

    CHECK(fired == 3);
}

TEST_CASE("a timer whose time has come fires by itself") {
    Timers timers;
    timers.queue.arm(1, TimePoint{0ms});
    timers.queue.arm(2, TimePoint{-1h});
    timers.context.run();

    CHECK(timers.fired == Ids{2, 1});
}

TEST_CASE("what is read of an execution does not replace the time that it has set since") {
    Timers timers;
    timers.queue.arm(1, TimePoint{5s});
    timers.queue.armIfNone(1, TimePoint{9s});
    timers.queue.armIfNone(2, TimePoint{7s});

    CHECK(timers.at(5s) == Ids{1});
    CHECK(timers.at(9s) == Ids{2});
}

TEST_CASE("a timer fires when the clock jumps past it, though nobody says so") {
    Timers timers;
    TimerQueue queue{timers.clock, timers.context.get_executor(),
                     [&](ExecutionId id) { timers.fired.push_back(id); }, 1ms};
    queue.arm(7, TimePoint{24h});
    timers.context.run_one();  // looked at the clock, and sleeps again
    CHECK(timers.fired.empty());
    timers.clock.set(TimePoint{24h});
    timers.context.run();

    CHECK(timers.fired == Ids{7});
}

TEST_CASE("a stopped queue fires nothing and takes nothing") {
    Timers timers;
    timers.queue.arm(1, TimePoint{0ms});
    timers.queue.stop();
    timers.queue.arm(2, TimePoint{0ms});
    timers.context.run();

    CHECK(timers.at(1h).empty());
}

// --- parked executions --------------------------------------------------------------------------

TEST_CASE("parked executions go, the longest parked first, when there are too many") {
    Parked parked{2};
    CHECK(parked.limit() == 2);
    CHECK(parked.add(1) == std::nullopt);
    CHECK(parked.add(2) == std::nullopt);
    CHECK(parked.add(3) == 1);
    CHECK(parked.add(4) == 2);

    CHECK(parked.size() == 2);
}

TEST_CASE("an execution that went on and is parked again is the last to go") {
    Parked parked{2};
    parked.add(1);
    parked.add(2);
    parked.remove(1);
    parked.add(1);

    CHECK(parked.add(3) == 2);
}

TEST_CASE("removing an execution makes room, and one that is not parked changes nothing") {
    Parked parked{1};
    parked.add(1);
    parked.remove(1);
    parked.remove(1);
    parked.remove(7);

    CHECK(parked.size() == 0);
    CHECK(parked.add(2) == std::nullopt);
    CHECK(parked.add(2) == std::nullopt);
    CHECK(parked.size() == 1);
}

TEST_CASE("with room for none, every execution goes at once") {
    Parked parked{0};

    CHECK(parked.add(1) == 1);
    CHECK(parked.size() == 0);
}

// --- handlers -----------------------------------------------------------------------------------

namespace {

Handler handlerThatReturns(std::string result) {
    return [result](DurableContext&, Payload) -> Task<Payload> { co_return Payload{result}; };
}

}  // namespace

TEST_CASE("a handler is found by its name") {
    HandlerRegistry registry;
    registry.add("settle-orders", handlerThatReturns("1"));
    registry.add("refund", handlerThatReturns("2"));

    CHECK(registry.find("settle-orders") != nullptr);
    CHECK(registry.find("refund") != registry.find("settle-orders"));
    CHECK(registry.find("settle") == nullptr);
    CHECK(registry.find("") == nullptr);
}

TEST_CASE("a handler that was found stays valid when others are added") {
    HandlerRegistry registry;
    registry.add("first", handlerThatReturns("1"));
    const auto* first = registry.find("first");
    for (int i = 0; i < 100; ++i) registry.add(std::to_string(i), handlerThatReturns("x"));

    CHECK(registry.find("first") == first);
}

TEST_CASE("a handler without a name, or with a name that is taken, is refused") {
    HandlerRegistry registry;
    registry.add("refund", handlerThatReturns("1"));
    const auto* refund = registry.find("refund");

    CHECK_THROWS_WITH(registry.add("refund", handlerThatReturns("2")),
                      "handler \"refund\" is already registered");
    CHECK_THROWS_WITH(registry.add("", handlerThatReturns("2")), "a handler must have a name");
    CHECK_THROWS_WITH(registry.add("caf\xE9", handlerThatReturns("2")),
                      "the name of a handler must be UTF-8");
    CHECK_THROWS_AS(registry.add("", handlerThatReturns("2")), InvalidConfig);
    CHECK(registry.find("refund") == refund);
}

// --- the journal writer -------------------------------------------------------------------------

namespace {

/// A memory store with the executions 1 to 4 that counts its further transactions, and fails when
/// it is told to.
class CountingStore final : public durable::testing::ForwardingStore {
public:
    CountingStore() {
        for (ExecutionId id = 1; id <= 4; ++id) {
            const std::vector<Commit> commits{
                {.execution = id, .start = durable::ExecutionStart{.name = std::to_string(id)}}};
            ForwardingStore::append(commits);
        }
    }

    void append(std::span<const Commit> commits) override {
        if (beforeAppend) beforeAppend();
        groups.push_back(commits.size());
        if (failing) throw StoreError{"disk full"};
        ForwardingStore::append(commits);
    }
    std::vector<std::size_t> groups;
    std::function<void()> beforeAppend;
    bool failing{};
};

/// A writer whose commits happen when the test runs its context.
struct Writing {
    std::shared_ptr<CountingStore> store = std::make_shared<CountingStore>();
    asio::io_context context;
    JournalWriter writer{store, context.get_executor()};
    std::vector<ExecutionId> written;
    std::vector<std::string> errors;

    void submit(ExecutionId execution, std::size_t entryCount) {
        std::vector<Entry> entries(entryCount);
        for (std::size_t i = 0; i < entryCount; ++i) entries[i].payload = std::to_string(i);
        writer.submit({.commit = {.execution = execution},
                       .entries = std::move(entries),
                       .written = [this, execution](const std::exception_ptr& error) {
                           written.push_back(execution);
                           if (!error) return;
                           try {
                               std::rethrow_exception(error);
                           } catch (const StoreError& thrown) {
                               errors.emplace_back(thrown.what());
                           }
                       }});
    }

    void commit() {
        context.restart();
        context.run();
    }
};

}  // namespace

TEST_CASE("what was handed over before a commit is one transaction, in its order") {
    Writing writing;
    writing.submit(1, 2);
    writing.submit(2, 1);
    writing.submit(1, 1);
    CHECK(writing.written.empty());
    writing.commit();

    CHECK(writing.store->groups == std::vector<std::size_t>{3});
    CHECK(writing.written == Ids{1, 2, 1});
    CHECK(writing.errors.empty());
    CHECK(writing.writer.commits() == 1);
    CHECK(writing.writer.entries() == 4);
    const auto entries = writing.store->load(1);
    REQUIRE(entries.size() == 3);
    CHECK(entries[1].payload == "1");
    CHECK(entries[2].payload == "0");
}

TEST_CASE("what is handed over during a commit is the next transaction") {
    Writing writing;
    int commits = 0;
    writing.store->beforeAppend = [&] {
        if (++commits > 1) return;
        writing.submit(2, 1);
        writing.submit(3, 1);
    };
    writing.submit(1, 1);
    writing.commit();

    CHECK(writing.store->groups == std::vector<std::size_t>{1, 2});
    CHECK(writing.written == Ids{1, 2, 3});
    CHECK(writing.writer.commits() == 2);
}

TEST_CASE("a commit that fails tells everyone in it, and the next one is tried") {
    Writing writing;
    writing.store->failing = true;
    writing.submit(1, 1);
    writing.submit(2, 1);
    writing.commit();
    CHECK(writing.errors == std::vector<std::string>{"disk full", "disk full"});
    CHECK(writing.writer.commits() == 0);
    CHECK(writing.writer.entries() == 0);
    CHECK(writing.store->load(1).empty());

    writing.store->failing = false;
    writing.submit(3, 1);
    writing.commit();
    CHECK(writing.written == Ids{1, 2, 3});
    CHECK(writing.errors.size() == 2);
    CHECK(writing.writer.commits() == 1);
}

TEST_CASE("a submission without entries is committed too") {
    Writing writing;
    writing.submit(1, 0);
    writing.commit();

    CHECK(writing.written == Ids{1});
    CHECK(writing.writer.commits() == 1);
    CHECK(writing.writer.entries() == 0);
}

TEST_CASE("nothing that many threads hand over is lost") {
    constexpr std::size_t threads = 4;
    constexpr std::size_t each = 500;
    auto store = std::make_shared<CountingStore>();
    asio::thread_pool pool{2};
    std::atomic<std::size_t> written{};
    {
        JournalWriter writer{store, pool.get_executor()};
        std::vector<std::thread> submitters;
        for (std::size_t t = 1; t <= threads; ++t) {
            submitters.emplace_back([&, t] {
                for (std::size_t i = 0; i < each; ++i) {
                    writer.submit({.commit = {.execution = static_cast<ExecutionId>(t)},
                                   .entries = std::vector<Entry>(1, {.payload = std::to_string(i)}),
                                   .written = [&](const std::exception_ptr&) { ++written; }});
                }
            });
        }
        for (auto& submitter : submitters) submitter.join();
        pool.join();
    }

    CHECK(written == threads * each);
    for (std::size_t t = 1; t <= threads; ++t) {
        const auto entries = store->load(static_cast<ExecutionId>(t));
        REQUIRE(entries.size() == each);
        CHECK(entries.front().payload == "0");
        CHECK(entries.back().payload == std::to_string(each - 1));
    }
}

TEST_CASE("an execution that is parked again was used last") {
    Parked parked{2};
    parked.add(1);
    parked.add(2);
    parked.add(1);

    CHECK(parked.add(3) == 2);
}

TEST_CASE("text that cannot be a callback id names no place") {
    CHECK_FALSE(callbackPlaceOf("-5x1xab"));
    CHECK_FALSE(callbackPlaceOf("1xxab"));
    CHECK_FALSE(callbackPlaceOf("0x1xab"));
}

TEST_CASE("a completion is forgotten with the last who holds it") {
    const auto running = [] { return std::optional<durable::ExecutionEnd>{}; };
    durable::Completions completions;
    const auto held = completions.of(1, running);
    (void)completions.of(2, running);

    CHECK(completions.of(1, running) == held);
    CHECK(completions.take(2) == nullptr);
    CHECK(completions.take(1) == held);
    CHECK(completions.take(1) == nullptr);
}

TEST_CASE("a completion that was asked for again does not go with the first") {
    const auto running = [] { return std::optional<durable::ExecutionEnd>{}; };
    durable::Completions completions;
    (void)completions.of(1, running);
    const auto again = completions.of(1, running);

    CHECK(completions.take(1) == again);
}

TEST_CASE("a completion may be held longer than the engine lives") {
    const auto running = [] { return std::optional<durable::ExecutionEnd>{}; };
    auto completions = std::make_optional<durable::Completions>();
    const auto open = completions->of(1, running);
    const auto ended = completions->of(2, [] {
        return std::optional{durable::ExecutionEnd{.status = durable::ExecutionStatus::stopped}};
    });
    completions->failAll(std::make_exception_ptr(StoreError{"the engine is gone"}));
    completions.reset();

    CHECK_THROWS_AS(open->get(), StoreError);
    CHECK(ended->get().status == durable::ExecutionStatus::stopped);
}
