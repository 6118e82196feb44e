// SPDX-License-Identifier: Apache-2.0
// Moments at which engines of this kind have gone wrong.
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

TEST_CASE("calls that nobody awaits leave holes in the ids, the same on every run") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        int calls = 0;
        TestEngine engine{[&](Engine& e) {
                              e.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
                                  {
                                      const auto unused = ctx.step("unused", [&] { ++calls; });
                                  }
                                  const auto two = co_await ctx.step("two", [] { return 2; });
                                  {
                                      const auto unused = ctx.wait("unused", 1h);
                                  }
                                  co_await ctx.wait("four", 1h);
                                  const auto five = co_await ctx.step("five", [] { return 5; });
                                  co_return two + five;
                              });
                          },
                          std::make_shared<RecordingStore>(), maxParked};

        const auto execution = engine.finish(engine->start("handler", {.name = "a"}));

        CHECK(execution.result<int>() == 7);
        CHECK(calls == 0);
        std::string ids;
        for (const auto& entry : engine.store()->load(execution.id())) {
            if (entry.kind == EntryKind::started) ids += entry.operationId + " ";
        }
        CHECK(ids == " 2 4 5 ");
    }
}

TEST_CASE("an execution suspends when all branches wait, and not while a body runs") {
    std::promise<void> entered;
    std::promise<void> release;
    const auto released = release.get_future().share();
    EngineOptions options{.workflowThreads = 1, .stepThreads = 1, .maxParked = 0};
    options.log = {};
    Engine engine{std::make_shared<MemoryStore>(), options};
    int calls = 0;
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<void> {
        co_await ctx.parallel(
            branch("waits", [](DurableContext& c) -> Task<void> { co_await c.wait(1h); }),
            branch("works", [&](DurableContext& c) -> Task<void> {
                co_await c.step([&] {
                    ++calls;
                    entered.set_value();
                    released.wait();
                });
                co_await c.wait(1h);
            }));
    });
    (void)engine.start("handler", {.name = "a"});
    entered.get_future().wait();

    CHECK(engine.metrics().executionsRunning == 1);
    CHECK(engine.metrics().executionsWaiting == 0);

    release.set_value();
    engine.waitUntilIdle();
    CHECK(engine.metrics().executionsRunning == 0);
    CHECK(engine.metrics().executionsWaiting == 1);
    CHECK(calls == 1);
}

TEST_CASE("timers of the same moment fire once each") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        TestEngine engine{[](Engine& e) {
                              e.registerHandler("handler", [](DurableContext& ctx) -> Task<int> {
                                  const std::vector<int> items(50, 1);
                                  const auto all = co_await ctx.map(
                                      items, [](DurableContext& item, const int& n) -> Task<int> {
                                          co_await item.wait(1h);
                                          co_return n;
                                      });
                                  int sum = 0;
                                  for (const int n : all.getResults()) sum += n;
                                  co_return sum;
                              });
                          },
                          std::make_shared<RecordingStore>(), maxParked};
        std::vector<Execution> executions;
        for (const auto* name : {"a", "b", "c"}) {
            executions.push_back(engine->start("handler", {.name = name}));
        }

        for (const auto& execution : executions) {
            CHECK(engine.finish(execution).result<int>() == 50);
            std::size_t fired = 0;
            for (const auto& entry : engine.store()->load(execution.id())) {
                const bool isWait = entry.type == OperationType::wait;
                if (isWait && entry.kind == EntryKind::succeeded) ++fired;
            }
            CHECK(fired == 50);
        }
    }
}

TEST_CASE("a batch that ends early inside one that ends early is decided once, and so is that") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        std::size_t alive = 0;
        std::vector<std::string> ids;
        const auto inner = [&](DurableContext& ctx, int n) -> Task<int> {
            struct Alive {
                explicit Alive(std::size_t& count) : count_{count} { ++count_; }
                Alive(const Alive&) = delete;
                Alive& operator=(const Alive&) = delete;
                ~Alive() { --count_; }
                std::size_t& count_;
            };
            const Alive counted{alive};
            auto callback = co_await ctx.createCallback<int>();
            ids.push_back(callback.id());
            const int answer = co_await callback.result();
            co_return n + answer;
        };
        TestEngine engine{
            [&](Engine& e) {
                e.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
                    const std::vector<int> outer{10, 20, 30};
                    const MapConfig first{.completionConfig = CompletionConfig::firstSuccessful()};
                    const auto batch = co_await ctx.map(
                        outer,
                        [&](DurableContext& item, const int& n) -> Task<int> {
                            const std::vector<int> numbers{n + 1, n + 2, n + 3};
                            const MapConfig one{.completionConfig =
                                                    CompletionConfig::firstSuccessful()};
                            const auto results = co_await item.map(
                                numbers,
                                [&](DurableContext& c, const int& i) { return inner(c, i); }, one);
                            const auto succeeded = results.succeeded();
                            co_return *succeeded.front().result;
                        },
                        first);
                    const auto succeeded = batch.succeeded();
                    co_return *succeeded.front().result;
                });
            },
            std::make_shared<RecordingStore>(), maxParked};
        const auto execution = engine->start("handler", {.name = "a"});
        engine.settle();
        REQUIRE(ids.size() >= 9);

        engine->completeCallback(ids[4], 100);  // 22
        engine.settle();

        CHECK(execution.result<int>() == 122);
        CHECK(alive == 0);
        std::size_t decisions = 0;
        for (const auto& entry : engine.store()->load(execution.id())) {
            if (entry.kind == EntryKind::succeeded && entry.subType == OperationSubType::map) {
                ++decisions;
            }
        }
        CHECK(decisions == 2);
    }
}

namespace {

/// Keeps the first write that has the end of a step until it may go on.
class KeepingStore final : public durable::testing::ForwardingStore {
public:
    void append(std::span<const Commit> commits) override {
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) {
                if (entry.type != OperationType::step || entry.kind != EntryKind::succeeded)
                    continue;
                std::call_once(kept_, [this] {
                    reached.set_value();
                    mayGoOn.get_future().wait();
                });
            }
        }
        ForwardingStore::append(commits);
    }

    std::promise<void> reached;
    std::promise<void> mayGoOn;

private:
    std::once_flag kept_;
};

}  // namespace

TEST_CASE("a callback that is answered while another branch's end is being written is not lost") {
    const auto store = std::make_shared<KeepingStore>();
    EngineOptions options{.workflowThreads = 2, .stepThreads = 1};
    options.log = {};
    Engine engine{store, options};
    std::promise<std::string> opened;
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<std::string> {
        auto batch = co_await ctx.map(
            std::vector{0, 1}, [&](DurableContext& c, int item) -> Task<std::string> {
                if (item == 0) {
                    auto callback = co_await c.createCallback<std::string>();
                    opened.set_value(callback.id());
                    co_return co_await callback.result();
                }
                co_await c.wait(1s);  // so that the callback is open
                co_return co_await c.step([] { return std::string{"stepped"}; });
            });
        co_return batch.getResults().at(0) + ", " + batch.getResults().at(1);
    });
    const auto execution = engine.start("handler", {.name = "a"});
    const auto id = opened.get_future().get();
    store->reached.get_future().wait();

    // Of two answers the second is refused at once, when the first has been taken in: while the
    // write is still on its way.
    const auto answer = [&](const char* with) {
        try {
            engine.completeCallback(id, with);
            return 1;
        } catch (const ClosedCallback&) {
            store->mayGoOn.set_value();
            return 0;
        }
    };
    auto other = std::async(std::launch::async, [&] { return answer("answered"); });
    const int taken = answer("answered") + other.get();
    execution.wait();

    CHECK(taken == 1);
    CHECK(execution.result<std::string>() == "answered, stepped");
}
