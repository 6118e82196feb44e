// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/every_way.hpp>
#include <support/test_engine.hpp>

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

/// A batch result as one line: status reason total/succeeded/failed/started, and what never ran.
template <class T>
std::string told(const BatchResult<T>& result) {
    auto line = fmt::format("{} {} {}/{}/{}/{}", toString(result.status()),
                            toString(result.completionReason()), result.totalCount(),
                            result.successCount(), result.failureCount(), result.startedCount());
    for (const auto index : result.notStarted()) line += fmt::format(" -{}", index);
    for (const auto& item : result.all()) {
        line += fmt::format(" {}:{}{}", item.index, toString(item.status).front(),
                            item.error ? "(" + std::string{item.error->what()} + ")" : "");
        if constexpr (!std::is_void_v<T>) {
            if (item.result) line += fmt::format("={}", *item.result);
        }
    }
    return line;
}

struct Case {
    CompletionConfig completion;
    std::set<int> failing;
    std::int64_t maxConcurrency;
    std::string expected;
};

Task<std::string> runCase(DurableContext& ctx, Case test, Nesting nesting) {
    const std::vector<int> items{0, 1, 2, 3, 4};
    auto result = co_await ctx.map("items", items,
                                   [&](DurableContext& item, int i) -> Task<int> {
                                       co_await item.step([] {});
                                       if (test.failing.contains(i)) throw std::runtime_error{"no"};
                                       co_return i;
                                   },
                                   {.maxConcurrency = test.maxConcurrency,
                                    .completionConfig = test.completion,
                                    .nesting = nesting});
    co_await ctx.wait(1s);
    co_return told(result);
}

const std::vector<Case>& cases() {
    const auto sum = [](std::optional<std::size_t> least, std::optional<std::size_t> count,
                        std::optional<double> percentage) {
        return CompletionConfig{.minSuccessful = least,
                                .toleratedFailureCount = count,
                                .toleratedFailurePercentage = percentage};
    };
    static const std::vector<Case> all{
        {{}, {1}, 1, "FAILED FAILURE_TOLERANCE_EXCEEDED 2/1/1/0 -2 -3 -4 0:S=0 1:F(no)"},
        {{}, {4}, 1, "FAILED FAILURE_TOLERANCE_EXCEEDED 5/4/1/0 0:S=0 1:S=1 2:S=2 3:S=3 4:F(no)"},
        {{}, {}, 2, "COMPLETED ALL_COMPLETED 5/5/0/0 0:S=0 1:S=1 2:S=2 3:S=3 4:S=4"},
        {sum(3, {}, {}),
         {0, 1},
         1,
         "FAILED ALL_COMPLETED 5/3/2/0 0:F(no) 1:F(no) 2:S=2 3:S=3 4:S=4"},
        {sum(4, {}, {}),
         {0, 1},
         1,
         "FAILED ALL_COMPLETED 5/3/2/0 0:F(no) 1:F(no) 2:S=2 3:S=3 4:S=4"},
        {sum(5, {}, {}), {}, 1, "COMPLETED ALL_COMPLETED 5/5/0/0 0:S=0 1:S=1 2:S=2 3:S=3 4:S=4"},
        {sum(2, {}, {}), {}, 1, "COMPLETED MIN_SUCCESSFUL_REACHED 2/2/0/0 -2 -3 -4 0:S=0 1:S=1"},
        {sum(2, {}, {}), {}, 5, "COMPLETED MIN_SUCCESSFUL_REACHED 5/2/0/3 0:S=0 1:S=1 2:S 3:S 4:S"},
        {sum(4, {}, {}), {0}, 1, "FAILED ALL_COMPLETED 5/4/1/0 0:F(no) 1:S=1 2:S=2 3:S=3 4:S=4"},
        {sum({}, 0, {}),
         {1},
         1,
         "FAILED FAILURE_TOLERANCE_EXCEEDED 2/1/1/0 -2 -3 -4 0:S=0 1:F(no)"},
        {sum({}, 1, {}),
         {1, 3},
         1,
         "FAILED FAILURE_TOLERANCE_EXCEEDED 4/2/2/0 -4 0:S=0 1:F(no) 2:S=2 3:F(no)"},
        {sum({}, 2, {}),
         {1, 3},
         1,
         "FAILED ALL_COMPLETED 5/3/2/0 0:S=0 1:F(no) 2:S=2 3:F(no) 4:S=4"},
        {sum({}, {}, 40),
         {1, 3},
         1,
         "FAILED ALL_COMPLETED 5/3/2/0 0:S=0 1:F(no) 2:S=2 3:F(no) 4:S=4"},
        {sum({}, {}, 39.9),
         {1, 3},
         1,
         "FAILED FAILURE_TOLERANCE_EXCEEDED 4/2/2/0 -4 0:S=0 1:F(no) 2:S=2 3:F(no)"},
        {sum({}, {}, 0), {0}, 1, "FAILED FAILURE_TOLERANCE_EXCEEDED 1/0/1/0 -1 -2 -3 -4 0:F(no)"},
        {sum({}, {}, 100),
         {0, 1, 2, 3, 4},
         1,
         "FAILED ALL_COMPLETED 5/0/5/0 0:F(no) 1:F(no) 2:F(no) 3:F(no) 4:F(no)"},
        {sum(3, 1, {}),
         {0, 1},
         1,
         "FAILED FAILURE_TOLERANCE_EXCEEDED 2/0/2/0 -2 -3 -4 0:F(no) 1:F(no)"},
        {sum({}, 3, 20),
         {0, 1},
         1,
         "FAILED FAILURE_TOLERANCE_EXCEEDED 2/0/2/0 -2 -3 -4 0:F(no) 1:F(no)"},
    };
    return all;
}

template <class Function>
void requireSameAfterEveryCrash(Function handler, const std::string& expected, Limits limits = {}) {
    REQUIRE(runEveryWay<std::string>(handler, limits) == expected);
}

}  // namespace

TEST_CASE("each completion policy ends a batch as specified, live and after every crash") {
    for (const auto nesting : {Nesting::nested, Nesting::flat}) {
        for (const auto& test : cases()) {
            INFO(test.expected);
            requireSameAfterEveryCrash(
                [&](DurableContext& ctx) { return runCase(ctx, test, nesting); }, test.expected);
        }
    }
}

TEST_CASE("a batch over the size limit gives the same result after a crash as before") {
    const Limits tiny{.inlineResultBytesMax = 10};
    for (const auto nesting : {Nesting::nested, Nesting::flat}) {
        for (const auto& test : cases()) {
            INFO(test.expected);
            requireSameAfterEveryCrash(
                [&](DurableContext& ctx) { return runCase(ctx, test, nesting); }, test.expected,
                tiny);
        }
    }
}

TEST_CASE("an empty batch is completed, whatever its policy") {
    const auto result = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto empty = co_await ctx.map(std::vector<int>{},
                                      [](DurableContext&, int i) -> Task<int> { co_return i; },
                                      {.completionConfig = {.minSuccessful = 3}});
        co_return told(empty);
    });

    CHECK(result == "COMPLETED ALL_COMPLETED 0/0/0/0");
}

TEST_CASE("no more items than maxConcurrency are in flight, those that wait included") {
    int inFlight = 0;
    int most = 0;
    const auto result = runHandler<int>([&](DurableContext& ctx) -> Task<int> {
        auto batch =
            co_await ctx.map(std::vector<int>(20),
                             [&](DurableContext& item, int, std::size_t index) -> Task<int> {
                                 most = std::max(most, ++inFlight);
                                 if (index % 2 == 0) co_await item.wait(1s);
                                 co_await item.step([] {});
                                 --inFlight;
                                 co_return 1;
                             },
                             {.maxConcurrency = 3});
        co_return static_cast<int>(batch.successCount());
    });

    CHECK(result == 20);
    CHECK(most == 3);
}

TEST_CASE("maxConcurrency may be larger than the input") {
    const auto result = runHandler<int>([&](DurableContext& ctx) -> Task<int> {
        auto batch = co_await ctx.map(std::vector{1, 2},
                                      [](DurableContext&, int i) -> Task<int> { co_return i; },
                                      {.maxConcurrency = 100});
        co_return static_cast<int>(batch.successCount());
    });

    CHECK(result == 2);
}

TEST_CASE("when a batch returns early nothing of its branches is alive") {
    struct Counted {
        explicit Counted(int& alive) : alive_{&alive} { ++*alive_; }
        Counted(const Counted&) = delete;
        Counted& operator=(const Counted&) = delete;
        ~Counted() { --*alive_; }
        int* alive_;
    };
    int alive = 0;
    int aliveAtReturn = -1;
    bool caught = false;
    const auto result = runHandler<int>([&](DurableContext& ctx) -> Task<int> {
        auto winner = co_await ctx.map(
            std::vector<int>{50, 40, 1, 30},
            [&](DurableContext& item, int seconds) -> Task<int> {
                const Counted here{alive};
                try {
                    auto inner =
                        co_await item.runInChildContext([&](DurableContext& child) -> Task<int> {
                            const Counted deeper{alive};
                            co_await child.wait(std::chrono::seconds{seconds});
                            co_return seconds;
                        });
                    co_return inner;
                } catch (...) {
                    caught = true;
                    throw;
                }
            },
            {.completionConfig = CompletionConfig::firstSuccessful()});
        aliveAtReturn = alive;
        co_return winner.succeeded().front().result.value();
    });

    CHECK(result == 1);
    CHECK(aliveAtReturn == 0);
    CHECK_FALSE(caught);  // being stopped is not an error
}

TEST_CASE("what a destroyed branch did not record never reaches the journal") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("race", [](DurableContext& ctx) -> Task<int> {
            auto batch =
                co_await ctx.map("race", std::vector<int>{1, 5},
                                 [](DurableContext& item, int seconds) -> Task<int> {
                                     co_await item.wait("run", std::chrono::seconds{seconds});
                                     co_await item.step("arrive", [] {});
                                     co_return seconds;
                                 },
                                 {.completionConfig = CompletionConfig::firstSuccessful()});
            co_await ctx.wait("later", 60s);
            co_return static_cast<int>(batch.startedCount());
        });
    }};
    const auto execution = engine->start("race");

    CHECK(engine.finish(execution).result<int>() == 1);
    CHECK(engine.events(execution.id()) ==
          std::vector<std::string>{
              "ExecutionStarted", "ContextStarted 1 race", "ContextStarted 1-1 map-item-0",
              "WaitStarted 1-1-1 run", "ContextStarted 1-2 map-item-1", "WaitStarted 1-2-1 run",
              "WaitSucceeded 1-1-1 run", "StepStarted 1-1-2 arrive", "StepSucceeded 1-1-2 arrive",
              "ContextSucceeded 1-1 map-item-0", "ContextSucceeded 1 race", "WaitStarted 2 later",
              "WaitSucceeded 2 later", "InvocationCompleted", "ExecutionSucceeded"});
}

TEST_CASE("shouldComplete is asked before the first start and after each item, and is latched") {
    std::vector<std::size_t> asked;
    const auto result = runHandler<std::string>([&](DurableContext& ctx) -> Task<std::string> {
        auto batch = co_await ctx.map(
            std::vector<int>{0, 1, 2, 3, 4},
            [](DurableContext&, int i) -> Task<int> { co_return i; },
            {.maxConcurrency = 1,
             .completionConfig = {.shouldComplete = [&](const CompletionProgress& progress) {
                 asked.push_back(progress.completedCount);
                 return progress.completedCount == 2 ? CompletionDecision::completeAsFailed
                                                     : CompletionDecision::goOn;
             }}});
        co_return told(batch);
    });

    CHECK(result == "FAILED CUSTOM_COMPLETION_FAILED 2/2/0/0 -2 -3 -4 0:S=0 1:S=1");
    CHECK(asked == std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("a predicate that throws fails the batch") {
    const auto result = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        std::string caught;
        auto batch = ctx.map(
            "items", std::vector<int>{1}, [](DurableContext&, int i) -> Task<int> { co_return i; },
            {.completionConfig = {
                 .shouldComplete = [](const CompletionProgress&) -> CompletionDecision {
                     throw std::runtime_error{"confused"};
                 }}});
        try {
            co_await batch;
        } catch (const ChildContextError& error) {
            caught = error.errorType() + " " + error.what();
        }
        co_return caught;
    });

    CHECK(result == "std::runtime_error confused");
}

TEST_CASE("a batch can be watched while it runs") {
    std::vector<std::string> seen;
    runHandler<int>([&](DurableContext& ctx) -> Task<int> {
        co_await ctx.map(std::vector<int>{0, 1, 2},
                         [](DurableContext&, int i) -> Task<int> {
                             if (i == 1) throw std::runtime_error{"no"};
                             co_return i;
                         },
                         {.maxConcurrency = 1,
                          .completionConfig = CompletionConfig::allCompleted(),
                          .onProgress = [&](const BatchProgress& p) {
                              seen.push_back(fmt::format("{}+{} of {}, {}", p.succeeded, p.failed,
                                                         p.total, p.inFlight));
                              throw std::runtime_error{"watching has no effect"};
                          }});
        co_return 0;
    });

    CHECK(seen == std::vector<std::string>{"0+0 of 3, 1", "1+0 of 3, 0", "1+0 of 3, 1",
                                           "1+1 of 3, 0", "1+1 of 3, 1", "2+1 of 3, 0"});
}

TEST_CASE("items have the names that itemNamer gives, or their position") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("named", [](DurableContext& ctx) -> Task<int> {
            const std::vector<std::string> orders{"o-7", "", "o-9"};
            const auto body = [](DurableContext&, const std::string&) -> Task<void> { co_return; };
            co_await ctx.map("orders", orders, body,
                             {.itemNamer = [&](std::size_t i) { return orders[i]; }});
            co_return 0;
        });
    }};
    const auto execution = engine->start("named");
    engine.finish(execution);

    const auto events = engine.events(execution.id());
    CHECK(std::ranges::count(events, "ContextStarted 1-1 o-7") == 1);
    CHECK(std::ranges::count(events, "ContextStarted 1-2 map-item-1") == 1);
    CHECK(std::ranges::count(events, "ContextStarted 1-3 o-9") == 1);
}

TEST_CASE("FLAT items leave no record of their own") {
    TestEngine engine{[](Engine& e) {
        e.registerHandler("flat", [](DurableContext& ctx) -> Task<int> {
            const auto body = [](DurableContext& item, int i) -> Task<int> {
                co_return co_await item.step("double", [=] { return 2 * i; });
            };
            auto batch = co_await ctx.map("numbers", std::vector<int>{1, 2}, body,
                                          {.nesting = Nesting::flat});
            co_return std::accumulate(batch.all().begin(), batch.all().end(), 0,
                                      [](int sum, const auto& item) { return sum + *item.result; });
        });
    }};
    const auto execution = engine->start("flat");

    CHECK(engine.finish(execution).result<int>() == 6);
    for (const auto& event : engine->history(execution.id())) {
        if (event.eventType == "StepStarted") CHECK(event.parentId == "1");
        CHECK(event.subType != "MapIteration");
    }
}

TEST_CASE("differently typed branches give a typed tuple, after every crash too") {
    requireSameAfterEveryCrash(
        [](DurableContext& ctx) -> Task<std::string> {
            auto info = co_await ctx.parallel(
                "look-up",
                branch("user",
                       [](DurableContext& c) -> Task<std::string> {
                           co_return co_await c.step([] { return std::string{"ada"}; });
                       }),
                branch("orders",
                       [](DurableContext& c) -> Task<std::vector<int>> {
                           co_await c.wait(2s);
                           co_return std::vector<int>{4, 5};
                       }),
                [](DurableContext& c) -> Task<void> { co_await c.wait(1s); },
                ParallelConfig{.maxConcurrency = 2});
            co_await ctx.wait(1s);
            const auto [user, orders, nothing] = info.getResults();
            static_assert(std::is_same_v<decltype(user), const std::string>);
            static_assert(std::is_same_v<decltype(nothing), const std::monostate>);
            co_return fmt::format("{} {} {} {}", user, orders.size(), info.all()[0].name,
                                  info.all()[2].name);
        },
        "ada 2 user parallel-branch-2");
}

TEST_CASE("a failed branch is an entry, and getResults throws it") {
    const auto result = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto info =
            co_await ctx.parallel(branch("good", [](DurableContext&) -> Task<int> { co_return 1; }),
                                  branch("bad", [](DurableContext&) -> Task<int> {
                                      throw std::runtime_error{"bad branch"};
                                      co_return 2;
                                  }));
        std::string caught;
        try {
            (void)info.getResults();
        } catch (const ChildContextError& error) {
            caught = error.what();
        }
        co_return fmt::format("{} {} {}", caught, *info.result<0>(), info.result<1>().has_value());
    });

    CHECK(result == "bad branch 1 false");
}

TEST_CASE("a vector of branches of one type gives a BatchResult") {
    const auto result = runHandler<int>([](DurableContext& ctx) -> Task<int> {
        std::vector<Branch<std::function<Task<int>(DurableContext&)>>> branches;
        for (int i = 1; i <= 4; ++i) {
            branches.push_back({"b", [i](DurableContext& c) -> Task<int> {
                                    co_return co_await c.step([=] { return i * i; });
                                }});
        }
        auto squares = co_await ctx.parallel("squares", std::move(branches));
        const auto results = squares.getResults();
        co_return std::accumulate(results.begin(), results.end(), 0);
    });

    CHECK(result == 30);
}

TEST_CASE("a batch result may be the result of an item") {
    requireSameAfterEveryCrash(
        [](DurableContext& ctx) -> Task<std::string> {
            const std::vector<std::vector<int>> groups{{1, 2}, {3}, {}};
            auto nested = co_await ctx.map(
                "groups", groups,
                [](DurableContext& group,
                   const std::vector<int>& members) -> Task<BatchResult<int>> {
                    co_return co_await group.map("members", members,
                                                 [](DurableContext& member, int m) -> Task<int> {
                                                     co_await member.wait(1s);
                                                     co_return 10 * m;
                                                 });
                },
                {.maxConcurrency = 2});
            std::string line;
            for (const auto& group : nested.getResults()) line += told(group) + "; ";
            co_await ctx.wait(1s);
            co_return line;
        },
        "COMPLETED ALL_COMPLETED 2/2/0/0 0:S=10 1:S=20; COMPLETED ALL_COMPLETED 1/1/0/0 0:S=30; "
        "COMPLETED ALL_COMPLETED 0/0/0/0; ");
}

TEST_CASE("results larger than the limit are given again by the recorded children") {
    requireSameAfterEveryCrash(
        [](DurableContext& ctx) -> Task<std::string> {
            auto batch = co_await ctx.map("large", std::vector<int>{1, 2, 3},
                                          [](DurableContext& item, int i) -> Task<std::string> {
                                              auto letter = co_await item.step([=] {
                                                  return std::string(1, static_cast<char>('a' + i));
                                              });
                                              if (i == 2) co_await item.wait(1s);
                                              co_return letter + std::string(300, '.');
                                          },
                                          {.maxConcurrency = 2});
            auto child =
                co_await ctx.runInChildContext("large", [](DurableContext& c) -> Task<std::string> {
                    auto text = co_await c.step([] { return std::string{"child"}; });
                    co_return text + std::string(300, '.');
                });
            co_await ctx.wait(1s);
            std::string line = child.substr(0, 5);
            for (const auto& item : batch.all()) line += item.result->substr(0, 2);
            co_return line;
        },
        "childb.c.d.", Limits{.inlineResultBytesMax = 100});
}

TEST_CASE("a callback that nobody waited for is no trouble when its context is replayed") {
    requireSameAfterEveryCrash(
        [](DurableContext& ctx) -> Task<std::string> {
            auto child =
                co_await ctx.runInChildContext("large", [](DurableContext& c) -> Task<std::string> {
                    auto callback = co_await c.createCallback<std::string>("notified", {});
                    co_await c.step([] {});
                    co_return std::string(300, callback.id().empty() ? '?' : '.');
                });
            co_await ctx.wait(1s);
            co_return child.substr(0, 3);
        },
        "...", Limits{.inlineResultBytesMax = 100});
}

TEST_CASE("waiting on replay for a callback that nobody waited for is refused") {
    auto store = std::make_shared<RecordingStore>();
    bool waits = false;
    const auto registering = [&](Engine& e) {
        e.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
            co_await ctx.runInChildContext("large", [&](DurableContext& c) -> Task<std::string> {
                auto callback = co_await c.createCallback<std::string>("notified", {});
                if (waits) co_await callback.result();
                co_return std::string(300, '.');
            });
            co_await ctx.wait(1s);
            co_return 1;
        });
    };
    const Limits limits{.inlineResultBytesMax = 100};
    {
        TestEngine engine{registering, store, 1000, limits};
        engine->start("handler", {.name = "a"});
        engine.settle();
    }
    waits = true;
    TestEngine engine{registering, store, 1000, limits};

    const auto execution = engine->start("handler", {.name = "a"});
    engine.finish(execution);

    REQUIRE(execution.status() == ExecutionStatus::failed);
    CHECK(execution.error()->type == "NonDeterministicExecutionError");
    CHECK_THAT(*execution.error()->message,
               Catch::Matchers::ContainsSubstring("recorded:  not ended"));
}

TEST_CASE("a batch whose own serdes cannot read it back ends the execution, live and on replay") {
    const Serdes<BatchRecord> unreadable{
        .serialize = [](const BatchRecord&, const SerdesContext&) { return "?"; },
        .deserialize = [](const std::string&, const SerdesContext&) -> BatchRecord {
            throw std::runtime_error{"unreadable"};
        }};
    bool caught = false;
    const auto registering = [&](Engine& e) {
        e.registerHandler("handler", [&](DurableContext& ctx) -> Task<int> {
            try {
                co_await ctx.map("batch", std::vector{1},
                                 [](DurableContext&, int i) -> Task<int> { co_return i; },
                                 {.serdes = unreadable});
            } catch (...) {
                caught = true;
            }
            co_return 1;
        });
    };
    auto store = std::make_shared<RecordingStore>();
    std::string live;
    {
        TestEngine engine{registering, store};
        live = engine.finish(engine->start("handler", {.name = "a"})).error()->messageOr("");
    }
    CHECK(live == "The result of map \"batch\" (operation 1) could not be read back: unreadable");
    for (std::size_t crash = 1; crash < store->transactions(); ++crash) {
        TestEngine engine{registering, store->after(crash)};
        const auto execution = engine.finish(engine->start("handler", {.name = "a"}));
        CHECK(execution.error()->messageOr("") == live);
    }
    CHECK_FALSE(caught);
}

TEST_CASE("a batch whose own serdes gives no UTF-8 fails, live and after every crash") {
    const Serdes<BatchRecord> latin{
        .serialize = [](const BatchRecord&, const SerdesContext&) { return "caf\xE9"; },
        .deserialize = [](const std::string& text, const SerdesContext&) -> BatchRecord {
            if (text != "caf\xE9") throw std::runtime_error{"another text"};
            return {.inputCount = 1};
        }};
    requireSameAfterEveryCrash(
        [&](DurableContext& ctx) -> Task<std::string> {
            try {
                co_await ctx.map("batch", std::vector{1},
                                 [](DurableContext&, int i) -> Task<int> { co_return i; },
                                 {.serdes = latin});
            } catch (const ChildContextError& error) {
                co_return error.what();
            }
            co_return "read";
        },
        "the text is not UTF-8");
}

TEST_CASE("a body may take the index, and all the items") {
    const auto sums =
        runHandler<std::vector<int>>([](DurableContext& ctx) -> Task<std::vector<int>> {
            const std::vector items{1, 2, 3};
            auto batch = co_await ctx.map(items,
                                          [](DurableContext& c, int item, std::size_t index,
                                             const std::vector<int>& all) -> Task<int> {
                                              co_await c.wait(1s);
                                              co_return item + static_cast<int>(10 * index) +
                                                  100 * all.back();
                                          });
            co_return batch.getResults();
        });

    CHECK(sums == std::vector{301, 312, 323});
}

TEST_CASE("a body may keep a reference to its item, whatever the items are") {
    const auto seen =
        runHandler<std::vector<bool>>([](DurableContext& ctx) -> Task<std::vector<bool>> {
            auto results =
                co_await ctx.map(std::vector<bool>{true, false, true},
                                 [](DurableContext& item, const bool& value) -> Task<bool> {
                                     co_await item.wait(1s);
                                     co_return value;
                                 });
            std::vector<bool> values;
            for (const auto& result : results.all()) values.push_back(result.result.value());
            co_return values;
        });

    CHECK(seen == std::vector<bool>{true, false, true});
}

TEST_CASE("an item whose exception cannot say what it is has failed, and the batch goes on") {
    struct Broken : std::runtime_error, ErrorDetails {
        Broken() : std::runtime_error{"declined"} {}
        [[nodiscard]] std::string errorData() const override { throw std::logic_error{"not now"}; }
    };
    const auto told = runHandler<std::string>([](DurableContext& ctx) -> Task<std::string> {
        auto results = co_await ctx.map(std::vector{1, 2}, [](DurableContext&, int i) -> Task<int> {
            if (i == 1) throw Broken{};
            co_return i;
        });
        co_return fmt::format("{} failed: {}", results.failureCount(),
                              results.all().front().error->what());
    });

    CHECK(told == "1 failed: declined");
}
