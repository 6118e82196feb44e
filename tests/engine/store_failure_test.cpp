// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

/// A store whose writes fail while `broken` says so.
class FailingStore final : public durable::testing::ForwardingStore {
public:
    void append(std::span<const Commit> commits) override {
        if (broken(commits)) throw StoreError{"the disk is full"};
        ForwardingStore::append(commits);
    }
    void read(ExecutionId id, const EntryVisitor& visit) override {
        if (readBroken) throw StoreError{"the disk cannot be read"};
        ForwardingStore::read(id, visit);
    }
    std::vector<ExecutionRecord> list(const ExecutionFilter& filter) override {
        if (listBroken) throw StoreError{"the disk cannot be read"};
        return ForwardingStore::list(filter);
    }

    bool listBroken = false;
    bool readBroken = false;
    std::function<bool(std::span<const Commit>)> broken = [](auto) { return false; };
};

int runs = 0;

Task<int> twoSteps(DurableContext& ctx) {
    auto first = co_await ctx.step("first", [] { return ++runs; });
    co_await ctx.wait(1s);
    auto second = co_await ctx.step("second", [] { return ++runs; });
    co_return 10 * first + second;
}

void registerAll(Engine& engine) { engine.registerHandler("twoSteps", twoSteps); }

}  // namespace

TEST_CASE("a failed write fails its execution clearly and leaves the journal as it was") {
    runs = 0;
    auto store = std::make_shared<FailingStore>();
    TestEngine engine{registerAll, store};
    const auto execution = engine->start("twoSteps", {.name = "a"});
    engine.settle();
    const auto before = store->load(execution.id()).size();

    store->broken = [](auto) { return true; };
    engine.advance(1s);

    CHECK_THROWS_AS(execution.result<int>(), StoreError);
    CHECK_THROWS_WITH(execution.result<int>(), "the disk is full");
    CHECK(store->load(execution.id()).size() == before);
    CHECK(engine->metrics().executionsRunning == 0);
}

TEST_CASE("an execution whose write failed goes on when it is started again") {
    runs = 0;
    auto store = std::make_shared<FailingStore>();
    TestEngine engine{registerAll, store};
    const auto lost = engine->start("twoSteps", {.name = "a"});
    engine.settle();
    store->broken = [](auto) { return true; };
    engine.advance(1s);
    store->broken = [](auto) { return false; };

    const auto execution = engine->start("twoSteps", {.name = "a"});

    CHECK(execution.id() == lost.id());
    CHECK(engine.finish(execution).result<int>() / 10 == 1);  // the first step did not run again
}

TEST_CASE("an execution whose write failed goes on when its next timer wakes it") {
    const auto registering = [](Engine& e) {
        e.registerHandler("handler", [](DurableContext& ctx) -> Task<int> {
            const std::vector seconds{1, 5};
            auto batch = co_await ctx.map(seconds, [](DurableContext& c, int after) -> Task<int> {
                co_await c.wait(std::chrono::seconds{after});
                co_return after;
            });
            co_return batch.successCount();
        });
    };
    for (const std::size_t maxParked : {1000U, 0U}) {
        auto store = std::make_shared<FailingStore>();
        TestEngine engine{registering, store, maxParked};
        const auto execution = engine->start("handler", {.name = "a"});
        engine.settle();
        store->broken = [](auto) { return true; };
        engine.advance(2s);
        CHECK_THROWS_AS(execution.wait(), StoreError);
        store->broken = [](auto) { return false; };
        engine.advance(3s);

        CHECK(engine->find("handler", "a")->result<int>() == 2);
    }
}

TEST_CASE("whoever asks for an execution that has been given up is told so, until it goes on") {
    runs = 0;
    auto store = std::make_shared<FailingStore>();
    TestEngine engine{registerAll, store};
    store->broken = [](std::span<const Commit> commits) { return !commits.front().start; };
    const auto early = engine->start("twoSteps", {.name = "a"});
    engine.settle();
    CHECK_THROWS_AS(early.wait(), StoreError);
    CHECK_THROWS_AS(engine->find("twoSteps", "a")->wait(), StoreError);

    store->broken = [](auto) { return false; };
    const auto again = engine->start("twoSteps", {.name = "a"});
    CHECK(engine.finish(again).status() == ExecutionStatus::succeeded);
}

TEST_CASE("an execution whose handler is registered while it is looked at goes on") {
    auto store = std::make_shared<FailingStore>();
    {
        TestEngine engine{registerAll, store};
        engine->start("twoSteps", {.name = "a"});
        engine.settle();
    }
    TestEngine engine{[](Engine&) {}, store};
    engine->resume();
    store->broken = [&](auto) {
        registerAll(*engine);
        store->broken = [](auto) { return false; };
        return false;
    };
    engine.clock().advance(1s);
    engine->stopExecution(99);  // there is none
    engine->fireTimers();
    engine.settle();
    if (store->broken({})) FAIL("nothing was written without a handler");

    CHECK(engine.finish(*engine->find("twoSteps", "a")).status() == ExecutionStatus::succeeded);
}

TEST_CASE("what kept an execution from going on is logged") {
    auto store = std::make_shared<FailingStore>();
    TestEngine engine{registerAll, store};
    engine->start("twoSteps", {.name = "a"});
    engine.settle();
    store->broken = [](auto) { return true; };
    engine.advance(1s);

    CHECK(engine.log() ==
          std::vector<std::string>{"execution 1 was given up until it is woken, started or "
                                   "resumed: the disk is full"});
}

TEST_CASE("an execution that could not be written was never started") {
    runs = 0;
    auto store = std::make_shared<FailingStore>();
    TestEngine engine{registerAll, store};
    store->broken = [](auto) { return true; };

    CHECK_THROWS_AS(engine->start("twoSteps", {.name = "a"}), StoreError);

    CHECK(runs == 0);  // nor did it do anything
    CHECK(engine.log().empty());
    store->broken = [](auto) { return false; };
    CHECK(engine->find("twoSteps", "a") == std::nullopt);
    CHECK(engine.finish(engine->start("twoSteps", {.name = "a"})).status() ==
          ExecutionStatus::succeeded);
}

TEST_CASE("a failed write does not touch executions that were not in it") {
    runs = 0;
    auto store = std::make_shared<FailingStore>();
    TestEngine engine{registerAll, store};
    const auto first = engine->start("twoSteps", {.name = "a"});
    engine.advance(500ms);
    const auto second = engine->start("twoSteps", {.name = "b"});
    engine.settle();

    store->broken = [&](std::span<const Commit> commits) {
        return commits.front().execution == first.id();
    };
    engine.advance(500ms);
    engine.finish(second);

    CHECK_THROWS_AS(first.result<int>(), StoreError);
    CHECK(second.status() == ExecutionStatus::succeeded);
}

TEST_CASE("a callback whose completion could not be written is told so, and stays open") {
    std::string id;
    auto store = std::make_shared<FailingStore>();
    const auto registering = [&](Engine& e) {
        e.registerHandler("asking", [&](DurableContext& ctx) -> Task<std::string> {
            co_return co_await ctx.waitForCallback(
                [&](std::string callbackId) { id = callbackId; });
        });
    };
    TestEngine engine{registering, store};
    engine->start("asking", {.name = "a"});
    engine.settle();

    store->broken = [](auto) { return true; };
    CHECK_THROWS_AS(engine->completeCallback(id, "yes"), StoreError);
    store->broken = [](auto) { return false; };
    engine->completeCallback(id, "yes");

    CHECK(engine.finish(*engine->find("asking", "a")).result<std::string>() == "yes");
}

TEST_CASE("a handler does not go on from a callback before its completion is written") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        std::string id;
        std::string seen;
        auto store = std::make_shared<FailingStore>();
        const auto registering = [&](Engine& e) {
            e.registerHandler("asking", [&](DurableContext& ctx) -> Task<void> {
                auto asking = ctx.waitForCallback([&](std::string callbackId) { id = callbackId; });
                seen = co_await std::move(asking);
            });
        };
        TestEngine engine{registering, store, maxParked};
        engine->start("asking", {.name = "a"});
        engine.settle();

        store->broken = [](auto) { return true; };
        CHECK_THROWS_AS(engine->completeCallback(id, "never"), StoreError);
        engine.settle();
        CHECK(seen.empty());

        store->broken = [](auto) { return false; };
        engine->completeCallback(id, "yes");
        engine.finish(*engine->find("asking", "a"));
        CHECK(seen == "yes");
    }
}

TEST_CASE(
    "an execution that cannot be read now is not taken for an empty one, and keeps its timers") {
    std::string id;
    auto store = std::make_shared<FailingStore>();
    const auto registering = [&](Engine& e) {
        e.registerHandler("asking", [&](DurableContext& ctx) -> Task<std::string> {
            try {
                co_return co_await ctx.waitForCallback(
                    [&](std::string callbackId) { id = callbackId; }, {.timeout = 1h});
            } catch (const CallbackTimeoutError&) {
                co_return "nobody answered";
            }
        });
    };
    TestEngine engine{registering, store, 0};
    const auto execution = engine->start("asking", {.name = "a"});
    engine.settle();

    store->readBroken = true;
    CHECK_THROWS_AS(engine->completeCallback(id, "yes"), StoreError);
    store->readBroken = false;
    SECTION("the answer comes again") {
        engine->completeCallback(id, "yes");
        engine.settle();
        CHECK(engine->find("asking", "a")->result<std::string>() == "yes");
    }
    SECTION("no answer comes") {
        engine.advance(1h);
        CHECK(engine->find("asking", "a")->result<std::string>() == "nobody answered");
    }
}

TEST_CASE("entries that are damaged fail whoever asks, not the engine") {
    auto store = std::make_shared<RecordingStore>();
    const Entry damaged{
        .kind = EntryKind::timedOut, .operationId = "7", .type = OperationType::wait};
    const std::vector<Entry> entries{damaged};
    const std::vector<Commit> commits{
        {.execution = 1,
         .start = ExecutionStart{.handlerName = "twoSteps", .name = "a"},
         .entries = entries}};
    store->append(commits);
    TestEngine engine{registerAll, store};

    const auto execution = engine->start("twoSteps", {.name = "a"});

    CHECK_THROWS(engine.finish(execution).wait());
    CHECK_THAT(engine.log().front(),
               Catch::Matchers::EndsWith("resumed: entry before the start: 7"));
}

TEST_CASE("an execution that asks for another one which cannot be written is given up with it") {
    auto store = std::make_shared<FailingStore>();
    const auto registering = [](Engine& e) {
        e.registerHandler("asking", [](DurableContext& ctx) -> Task<int> {
            co_return co_await ctx.invoke<int>("asked", 1);
        });
        e.registerHandler("asked", [](DurableContext&, int i) -> Task<int> { co_return i + 1; });
    };
    TestEngine engine{registering, store};
    store->broken = [](std::span<const Commit> commits) {
        for (const auto& commit : commits) {
            if (commit.start && commit.start->handlerName == "asked") return true;
        }
        return false;
    };
    const auto lost = engine->start("asking", {.name = "a"});
    engine.settle();

    CHECK_THROWS_AS(lost.result<int>(), StoreError);

    store->broken = [](auto) { return false; };
    CHECK(engine.finish(engine->start("asking", {.name = "a"})).result<int>() == 2);
    CHECK(engine->list({.handlerName = "asked"}).size() == 1);
}

TEST_CASE("an execution that waits for another one whose write failed is given up with it") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        auto store = std::make_shared<FailingStore>();
        const auto registering = [](Engine& e) {
            e.registerHandler("asking", [](DurableContext& ctx) -> Task<int> {
                co_return co_await ctx.invoke<int>("middle", 1);
            });
            e.registerHandler("middle", [](DurableContext& ctx, int i) -> Task<int> {
                co_return co_await ctx.invoke<int>("asked", i);
            });
            e.registerHandler("asked", [](DurableContext& ctx, int i) -> Task<int> {
                co_await ctx.wait(1h);
                co_return co_await ctx.step([=] { return i + 1; });
            });
        };
        TestEngine engine{registering, store, maxParked};
        const auto lost = engine->start("asking", {.name = "a"});
        engine.settle();
        store->broken = [](auto) { return true; };
        engine.advance(2h);

        CHECK_THROWS_AS(lost.result<int>(), StoreError);

        store->broken = [](auto) { return false; };
        CHECK(engine.finish(engine->start("asking", {.name = "a"})).result<int>() == 2);
        CHECK(engine->list({.handlerName = "asked"}).size() == 1);
    }
}

TEST_CASE("a resume that the store failed is done again by the next call") {
    runs = 0;
    auto store = std::make_shared<FailingStore>();
    {
        TestEngine before{registerAll, store};
        before->start("twoSteps", {.name = "a"});
        before.settle();
    }
    TestEngine engine{registerAll, store};
    store->listBroken = true;
    CHECK_THROWS_AS(engine->resume(), StoreError);
    store->listBroken = false;

    engine->resume();
    engine.advance(1s);

    CHECK(engine->find("twoSteps", "a")->status() == ExecutionStatus::succeeded);
}

TEST_CASE("an execution is given up once, however many that it waits for are") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        auto store = std::make_shared<FailingStore>();
        const auto registering = [](Engine& e) {
            e.registerHandler("asking", [](DurableContext& ctx) -> Task<int> {
                const std::vector<int> items{1, 2, 3, 4, 5};
                const auto all =
                    co_await ctx.map(items, [](DurableContext& item, const int& i) -> Task<int> {
                        const int result = co_await item.invoke<int>("asked", i);
                        co_return result;
                    });
                int sum = 0;
                for (const int i : all.getResults()) sum += i;
                co_return sum;
            });
            e.registerHandler("asked", [](DurableContext& ctx, int i) -> Task<int> {
                co_await ctx.wait(1h);
                co_return i;
            });
        };
        TestEngine engine{registering, store, maxParked};
        const auto lost = engine->start("asking", {.name = "a"});
        engine.settle();
        int refused = 0;
        store->broken = [&](auto) { return ++refused > 0; };
        engine.advance(2h);

        CHECK_THROWS_AS(lost.result<int>(), StoreError);
        CHECK(refused <= 5);

        store->broken = [](auto) { return false; };
        CHECK(engine.finish(engine->start("asking", {.name = "a"})).result<int>() == 15);
    }
}
