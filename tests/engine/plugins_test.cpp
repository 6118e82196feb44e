// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

using Lines = std::vector<std::string>;

std::string idOrNone(const std::string& id) { return id.empty() ? "none" : id; }

/// Keeps a line, and all that was told, for each hook.
class Recorder : public Plugin {
public:
    void onInvocationStart(const InvocationInfo& info) override {
        add("invocation-start", info.isFirstInvocation ? "first" : "again");
        invocations.push_back(info);
        for (const auto& [id, operation] : info.updatedOperations) {
            add("updated", id, wireName(operation.status));
        }
    }
    void onInvocationEnd(const InvocationEndInfo& info) override {
        add("invocation-end", toString(info.status),
            info.invocation.isFirstInvocation ? "first" : "again");
        invocationEnds.push_back(info);
    }
    void onOperationStart(const OperationInfo& info) override {
        add("start", info.id, info.isReplay ? "replay" : "live");
        starts.push_back(info);
    }
    void onOperationEnd(const OperationInfo& info) override {
        add("end", info.id, wireName(info.status));
        ends.push_back(info);
    }
    void onOperationChange(const OperationChangeInfo& info) override {
        for (const auto& [id, operation] : info.updatedOperations) {
            add("change", id, wireName(operation.status));
            changes.push_back(operation);
            if (!info.operations.find(id)) add("not in the whole:", id);
        }
        operationCounts.push_back(info.operations.size());
    }
    void onOperationAttemptStart(const AttemptInfo& info) override {
        add("attempt-start", info.operation.id, info.attempt);
        attempts.push_back(info);
    }
    void onOperationAttemptEnd(const AttemptEndInfo& info) override {
        add("attempt-end", info.attempt.operation.id, info.attempt.attempt, toString(info.outcome));
        attemptEnds.push_back(info);
    }
    void onChildContextStart(const ChildContextInfo& info) override {
        add("fn-start", info.operation.id, "in", idOrNone(info.operation.parentId));
        contexts.push_back(info);
    }
    void onChildContextEnd(const ChildContextEndInfo& info) override {
        add("fn-end", info.context.operation.id, "in", idOrNone(info.context.operation.parentId),
            toString(info.outcome));
    }

    template <class... Words>
    void add(const Words&... words) {
        std::string line;
        ((line += (line.empty() ? "" : " ") + fmt::format("{}", words)), ...);
        lines.push_back(std::move(line));
    }

    [[nodiscard]] std::ptrdiff_t count(const std::string& line) const {
        return std::ranges::count(lines, line);
    }
    [[nodiscard]] Lines starting(const std::string& prefix) const {
        Lines found;
        std::ranges::copy_if(lines, std::back_inserter(found),
                             [&](const auto& line) { return line.starts_with(prefix); });
        return found;
    }

    Lines lines;
    std::vector<InvocationInfo> invocations;
    std::vector<InvocationEndInfo> invocationEnds;
    std::vector<OperationInfo> starts;
    std::vector<OperationInfo> ends;
    std::vector<OperationInfo> changes;
    std::vector<std::size_t> operationCounts;
    std::vector<AttemptInfo> attempts;
    std::vector<AttemptEndInfo> attemptEnds;
    std::vector<ChildContextInfo> contexts;
};

/// Throws from every hook.
class Faulty : public Plugin {
public:
    void onInvocationStart(const InvocationInfo&) override { fail(); }
    void onInvocationEnd(const InvocationEndInfo&) override { fail(); }
    void onOperationStart(const OperationInfo&) override { fail(); }
    void onOperationEnd(const OperationInfo&) override { fail(); }
    void onOperationChange(const OperationChangeInfo&) override { fail(); }
    void onOperationAttemptStart(const AttemptInfo&) override { fail(); }
    void onOperationAttemptEnd(const AttemptEndInfo&) override { fail(); }
    void wrapOperationAttempt(const AttemptInfo&, const std::function<void()>&) override { fail(); }
    void onChildContextStart(const ChildContextInfo&) override { fail(); }
    void onChildContextEnd(const ChildContextEndInfo&) override { fail(); }
    void enrichLogContext(const LogRecord&, std::vector<LogField>& fields) override {
        fields.push_back({"half", "done"});
        fail();
    }

    std::atomic<int> calls{};

private:
    void fail() {
        ++calls;
        throw std::runtime_error{"broken plugin"};
    }
};

/// An engine that ends the invocation at every suspension, as AWS does, unless told otherwise.
class Watched {
public:
    using Plugins = std::vector<std::shared_ptr<Plugin>>;

    template <class Handler>
    explicit Watched(Handler handler, Plugins others = {}, std::size_t maxParked = 0,
                     std::shared_ptr<Store> store = std::make_shared<RecordingStore>())
        : engine{[handler](Engine& e) { e.registerHandler("handler", handler); },
                 std::move(store),
                 maxParked,
                 {},
                 [this, others](EngineOptions& options) {
                     options.plugins = others;
                     options.plugins.push_back(recorder);
                 }} {}

    Execution run() {
        const auto execution = engine->start("handler", {.name = "x", .tenantId = "t1"});
        return engine.finish(execution);
    }

    std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
    TestEngine engine;
};

Task<std::string> greet(DurableContext& ctx) {
    co_return co_await ctx.step("greet", [] { return std::string{"hello"}; });
}

Task<int> waitOnce(DurableContext& ctx) {
    co_await ctx.wait("pause", 2s);
    co_return 7;
}

Task<std::string> flaky(DurableContext& ctx) {
    co_return co_await ctx.step("flaky",
                                [](StepContext& step) -> std::string {
                                    if (step.attempt() == 1) throw std::runtime_error{"not yet"};
                                    return "ok";
                                },
                                {.retryStrategy = retry::fixed(2, 1s)});
}

Task<void> alwaysFails(DurableContext& ctx) {
    co_await ctx.step("fails", []() { throw std::runtime_error{"boom"}; },
                      {.retryStrategy = retry::fixed(2, 1s)});
}

Task<int> shortAndLong(DurableContext& ctx) {
    auto results = co_await ctx.parallel("waits",
                                         branch("a",
                                                [](DurableContext& c) -> Task<int> {
                                                    co_await c.wait("short", 2s);
                                                    co_return 1;
                                                }),
                                         branch("b", [](DurableContext& c) -> Task<int> {
                                             co_await c.wait("long", 8s);
                                             co_return 2;
                                         }));
    auto [a, b] = results.getResults();
    co_return a + b;
}

Task<int> twoBranches(DurableContext& ctx) {
    auto results = co_await ctx.parallel(
        "parallel", branch("one", [](DurableContext&) -> Task<int> { co_return 1; }),
        branch("two", [](DurableContext&) -> Task<int> { co_return 2; }),
        ParallelConfig{.maxConcurrency = 1});
    auto [a, b] = results.getResults();
    co_return a + b;
}

Task<int> nested(DurableContext& ctx) {
    co_return co_await ctx.runInChildContext("outer", [](DurableContext& c) -> Task<int> {
        co_return co_await c.step("inner", [] { return 1; });
    });
}

}  // namespace

TEST_CASE("plugin 1: the invocation starts before the handler and ends after the execution's end") {
    Watched watched{greet};
    const auto execution = watched.run();

    CHECK(execution.status() == ExecutionStatus::succeeded);
    const auto& lines = watched.recorder->lines;
    REQUIRE(lines.size() > 2);
    CHECK(lines.front() == "invocation-start first");
    CHECK(lines.back() == "invocation-end SUCCEEDED first");
    CHECK(watched.recorder->starting("invocation").size() == 2);
    CHECK(watched.recorder->invocationEnds[0].result == "\"hello\"");
}

TEST_CASE("plugin 2: the start and the end of a step are told once, with the id of the history") {
    Watched watched{greet};
    const auto execution = watched.run();

    CHECK(watched.recorder->starting("start") == Lines{"start 1 live"});
    CHECK(watched.recorder->starting("end") == Lines{"end 1 SUCCEEDED"});
    CHECK(watched.engine->history(execution.id())[1].operationId == "1");
}

TEST_CASE("plugin 3: each attempt is told with its number, its start and its outcome") {
    Watched watched{flaky};
    watched.run();

    CHECK(watched.recorder->starting("attempt") ==
          Lines{"attempt-start 1 1", "attempt-end 1 1 FAILED", "attempt-start 1 2",
                "attempt-end 1 2 SUCCEEDED"});
}

TEST_CASE("plugin 4: a plugin that throws changes neither the result nor the journal") {
    auto without = std::make_shared<RecordingStore>();
    auto with = std::make_shared<RecordingStore>();
    const auto faulty = std::make_shared<Faulty>();
    for (const auto& store : {without, with}) {
        Watched watched{nested, store == with ? Watched::Plugins{faulty} : Watched::Plugins{}, 0,
                        store};
        CHECK(watched.run().result<int>() == 1);
    }

    CHECK(faulty->calls > 8);
    CHECK(historyOf(with->load(1)).size() == historyOf(without->load(1)).size());
}

TEST_CASE("plugin 5: all plugins are called, in their order") {
    const auto first = std::make_shared<Recorder>();
    Watched watched{greet, {first}};
    watched.run();

    CHECK(first->lines == watched.recorder->lines);

    Lines order;
    class Ordered : public Plugin {
    public:
        Ordered(Lines& lines, std::string name) : lines_{lines}, name_{std::move(name)} {}
        void onInvocationStart(const InvocationInfo&) override { lines_.push_back(name_); }
        void wrapOperationAttempt(const AttemptInfo&, const std::function<void()>& run) override {
            lines_.push_back(name_ + " in");
            run();
            lines_.push_back(name_ + " out");
        }

    private:
        Lines& lines_;
        std::string name_;
    };
    Watched both{greet,
                 {std::make_shared<Ordered>(order, "a"), std::make_shared<Ordered>(order, "b")}};
    both.run();
    CHECK(order == Lines{"a", "b", "a in", "b in", "b out", "a out"});
}

TEST_CASE("plugin 6: only the first invocation is the first") {
    Watched watched{waitOnce};
    watched.run();

    CHECK(watched.recorder->starting("invocation-start") ==
          Lines{"invocation-start first", "invocation-start again"});
}

TEST_CASE("plugin 7: an execution that fails ends its invocation as failed, with the error") {
    Watched watched{alwaysFails};
    CHECK(watched.run().status() == ExecutionStatus::failed);

    const auto& last = watched.recorder->invocationEnds.back();
    CHECK(last.status == InvocationStatus::failed);
    REQUIRE(last.error);
    CHECK(last.error->message == "boom");
    CHECK_FALSE(last.result);
}

TEST_CASE("plugin 8: a change tells what was written and finds it in the whole") {
    Watched watched{greet};
    watched.run();

    CHECK(watched.recorder->count("change 1 SUCCEEDED") == 1);
    CHECK(watched.recorder->starting("not in the whole").empty());
    CHECK(watched.recorder->starting("change 1 FAILED").empty());
}

TEST_CASE("plugin 9: a wait that ended between invocations is an updated operation, once") {
    Watched watched{waitOnce};
    watched.run();

    CHECK(watched.recorder->starting("updated") == Lines{"updated 1 SUCCEEDED"});
    REQUIRE(watched.recorder->invocations.size() == 2);
    CHECK(watched.recorder->invocations[0].updatedOperations.empty());
    CHECK(watched.recorder->invocations[1].updatedOperations.size() == 1);
}

TEST_CASE("plugin 10: a wait ends in the invocation that finds it ended") {
    Watched watched{waitOnce};
    watched.run();

    CHECK(watched.recorder->lines == Lines{"invocation-start first", "start 1 live",
                                           "change 1 STARTED", "invocation-end PENDING first",
                                           "invocation-start again", "updated 1 SUCCEEDED",
                                           "end 1 SUCCEEDED", "invocation-end SUCCEEDED again"});
}

TEST_CASE("plugin 11: an operation in a child context tells its parent") {
    Watched watched{nested};
    watched.run();

    REQUIRE(watched.recorder->starts.size() == 2);
    CHECK(watched.recorder->starts[0].parentId.empty());
    CHECK(watched.recorder->starts[1].parentId == "1");
    CHECK(watched.recorder->starts[1].name == "inner");
}

TEST_CASE("plugin 12: the code of each branch starts and ends, with the parallel as its parent") {
    Watched watched{twoBranches};
    watched.run();

    CHECK(watched.recorder->starting("fn") ==
          Lines{"fn-start 1-1 in 1", "fn-end 1-1 in 1 SUCCEEDED", "fn-start 1-2 in 1",
                "fn-end 1-2 in 1 SUCCEEDED"});
}

TEST_CASE("plugin 13: on replay, what has ended is silent and what has not starts again") {
    Watched watched{[](DurableContext& ctx) -> Task<int> {
        co_await ctx.step("done", [] {});
        auto value = co_await ctx.step("flaky",
                                       [](StepContext& step) {
                                           if (step.attempt() < 3) throw std::runtime_error{"no"};
                                           return 1;
                                       },
                                       {.retryStrategy = retry::fixed(3, 1s)});
        co_return value;
    }};
    watched.run();

    const auto& recorder = *watched.recorder;
    CHECK(recorder.invocations.size() == 3);
    CHECK(recorder.starting("start") ==
          Lines{"start 1 live", "start 2 live", "start 2 replay", "start 2 replay"});
    CHECK(recorder.starting("end") == Lines{"end 1 SUCCEEDED", "end 2 SUCCEEDED"});
}

TEST_CASE("plugin 14: an end carries the recorded result, or the error") {
    Watched watched{[](DurableContext& ctx) -> Task<void> {
        co_await ctx.step("a", [] { return std::string{"task-a"}; });
        co_await ctx.step("b", [] { throw std::runtime_error{"boom"}; },
                          {.retryStrategy = retry::none()});
    }};
    watched.run();

    const auto& ends = watched.recorder->ends;
    REQUIRE(ends.size() == 2);
    CHECK(ends[0].result == "\"task-a\"");
    CHECK_FALSE(ends[0].error);
    CHECK_FALSE(ends[1].result);
    REQUIRE(ends[1].error);
    CHECK(ends[1].error->message == "boom");
}

TEST_CASE("plugin 15: a step whose attempts ran out ends as failed, once") {
    Watched watched{alwaysFails};
    watched.run();

    CHECK(watched.recorder->starting("end") == Lines{"end 1 FAILED"});
    CHECK(watched.recorder->attemptEnds.size() == 2);
}

TEST_CASE("plugin 16: every invocation ends; one that suspends, as pending") {
    Watched watched{waitOnce};
    watched.run();

    CHECK(watched.recorder->starting("invocation-end") ==
          Lines{"invocation-end PENDING first", "invocation-end SUCCEEDED again"});
}

TEST_CASE("plugin 17: a plugin that throws everywhere takes no hook from the others") {
    const auto faulty = std::make_shared<Faulty>();
    Watched watched{greet, {faulty}};
    watched.run();

    CHECK(watched.recorder->lines == Lines{"invocation-start first", "start 1 live",
                                           "attempt-start 1 1", "attempt-end 1 1 SUCCEEDED",
                                           "change 1 SUCCEEDED", "end 1 SUCCEEDED",
                                           "invocation-end SUCCEEDED first"});
    CHECK(faulty->calls == 8);
    REQUIRE(watched.engine.log().size() == 8);
    CHECK_THAT(watched.engine.log()[0], ContainsSubstring("Faulty: onInvocationStart threw"));
    CHECK_THAT(watched.engine.log()[0], ContainsSubstring("broken plugin"));
}

TEST_CASE("plugin 18: a wait that is pending on replay starts again; its ended sibling does not") {
    Watched watched{shortAndLong};
    CHECK(watched.run().result<int>() == 3);

    std::map<std::string, int> live;
    std::map<std::string, int> again;
    for (const auto& start : watched.recorder->starts) {
        if (start.type != OperationType::wait) continue;
        ++(start.isReplay ? again : live)[start.name];
        CHECK_FALSE(isTerminal(start.status));
        CHECK_FALSE(start.endTime);
    }
    CHECK(live == std::map<std::string, int>{{"short", 1}, {"long", 1}});
    CHECK(again == std::map<std::string, int>{{"long", 1}});
    CHECK(watched.recorder->count("end 1-1-1 SUCCEEDED") == 1);
    CHECK(watched.recorder->count("end 1-2-1 SUCCEEDED") == 1);
}

TEST_CASE("plugin 19: an invocation tells all that is known of it") {
    Watched watched{waitOnce};
    const auto began = watched.engine.clock().now();
    const auto execution = watched.run();

    REQUIRE(watched.recorder->invocations.size() == 2);
    for (const auto& info : watched.recorder->invocations) {
        CHECK_FALSE(info.requestId.empty());
        CHECK(info.execution->arn == executionArn("handler", "x", execution.id()));
        CHECK(info.execution->id == execution.id());
        CHECK(info.execution->name == "x");
        CHECK(info.execution->handlerName == "handler");
        CHECK(info.execution->tenantId == "t1");
        CHECK(info.execution->startTime == began);
    }
    const auto& ends = watched.recorder->invocationEnds;
    REQUIRE(ends.size() == 2);
    CHECK(ends[0].invocation.requestId == watched.recorder->invocations[0].requestId);
    CHECK(ends[0].invocation.requestId != ends[1].invocation.requestId);
    CHECK_FALSE(ends[1].error);
    CHECK(ends[1].result == "7");
}

TEST_CASE("plugin 20: an operation tells all that is known of it") {
    Watched watched{greet};
    const auto began = watched.engine.clock().now();
    watched.run();

    const auto& start = watched.recorder->starts[0];
    CHECK(start.execution->name == "x");
    CHECK(start.name == "greet");
    CHECK(start.type == OperationType::step);
    CHECK(start.subType == OperationSubType::step);
    CHECK(start.status == OperationStatus::started);
    CHECK(start.startTime == began);
    CHECK(start.attempt == 1U);
    CHECK_FALSE(start.endTime);
    const auto& end = watched.recorder->ends[0];
    CHECK(end.name == "greet");
    CHECK(end.status == OperationStatus::succeeded);
    CHECK(end.startTime == began);
    CHECK(end.endTime == began);
    CHECK(end.attempt == 1U);
    CHECK(end.result == "\"hello\"");
    CHECK_FALSE(end.error);
    CHECK_FALSE(end.isReplay);
}

TEST_CASE("plugin 21: an attempt tells its operation, its number, its times and its error") {
    Watched watched{flaky};
    const auto began = watched.engine.clock().now();
    watched.run();

    const auto& ends = watched.recorder->attemptEnds;
    REQUIRE(ends.size() == 2);
    CHECK(ends[0].attempt.operation.name == "flaky");
    CHECK(ends[0].attempt.startTime == began);
    CHECK(ends[0].endTime == began);
    CHECK(ends[0].outcome == AttemptOutcome::failed);
    REQUIRE(ends[0].error);
    CHECK(ends[0].error->message == "not yet");
    CHECK(ends[0].error->type == "std::runtime_error");
    CHECK_FALSE(ends[0].attempt.operation.isReplay);
    CHECK(ends[1].attempt.startTime == began + 1s);
    CHECK(ends[1].attempt.operation.isReplay);
    CHECK_FALSE(ends[1].error);
}

TEST_CASE("plugin 22: an operation in a change tells all that is known of it") {
    Watched watched{greet};
    watched.run();

    const auto& change = watched.recorder->changes.back();
    CHECK(change.name == "greet");
    CHECK(change.status == OperationStatus::succeeded);
    CHECK(change.endTime);
    CHECK(change.attempt == 1U);
    CHECK(change.execution->arn.starts_with("arn:"));
    CHECK(watched.recorder->operationCounts.back() == 1);
}

TEST_CASE(
    "plugin 23: contexts tell their kind, and whether their code runs over what is recorded") {
    Watched watched{[](DurableContext& ctx) -> Task<int> {
        auto results = co_await ctx.parallel(
            "ctx",
            branch("branch-a",
                   [](DurableContext& c) -> Task<int> {
                       co_await c.step("inner", [] { return 1; });
                       co_await c.wait(2s);
                       co_return 1;
                   }),
            branch("branch-b", [](DurableContext&) -> Task<int> { co_return 2; }),
            ParallelConfig{.maxConcurrency = 1});
        co_return results.successCount() == 2 ? 1 : 0;
    }};
    CHECK(watched.run().result<int>() == 1);

    const auto& contexts = watched.recorder->contexts;
    REQUIRE(contexts.size() == 3);
    CHECK(contexts[0].operation.name == "branch-a");
    CHECK(contexts[0].operation.subType == OperationSubType::parallelBranch);
    CHECK_FALSE(contexts[0].isReplayingChildren);
    CHECK(contexts[1].operation.name == "branch-a");
    CHECK(contexts[1].isReplayingChildren);
    CHECK(contexts[2].operation.name == "branch-b");
    CHECK_FALSE(contexts[2].isReplayingChildren);
    CHECK(watched.recorder->starts[0].subType == OperationSubType::parallel);
    CHECK(watched.recorder->count("start 1 live") == 1);
    CHECK(watched.recorder->count("start 1-1 live") == 1);
    CHECK(watched.recorder->count("start 1-2 live") == 1);
}

TEST_CASE("a parked execution is one invocation for plugins, and its waits end while it runs") {
    Watched watched{waitOnce, {}, 1000};
    watched.run();

    CHECK(watched.recorder->lines == Lines{"invocation-start first", "start 1 live",
                                           "change 1 STARTED", "change 1 SUCCEEDED",
                                           "end 1 SUCCEEDED", "invocation-end SUCCEEDED first"});
}

TEST_CASE("an end of every operation is told once, wherever a crash comes") {
    auto clean = std::make_shared<RecordingStore>();
    {
        Watched watched{shortAndLong, {}, 0, clean};
        watched.run();
    }
    for (std::size_t crash = 1; crash < clean->transactions(); ++crash) {
        INFO("died after commit " << crash << " of " << clean->transactions());
        Watched watched{shortAndLong, {}, 0, clean->after(crash)};
        CHECK(watched.run().result<int>() == 3);

        CHECK(watched.recorder->starting("invocation-start").size() ==
              watched.recorder->starting("invocation-end").size());
        auto ends = watched.recorder->starting("end");
        CHECK(ends.size() <= 5);
        std::ranges::sort(ends);
        CHECK(std::ranges::adjacent_find(ends) == ends.end());
    }
}

TEST_CASE("what ended before a crash is told though an engine stopped before the handler began") {
    auto clean = std::make_shared<RecordingStore>();
    {
        Watched watched{waitOnce, {}, 1000, clean};
        watched.run();
    }
    std::size_t crash = 0;
    const auto ended = [&] {
        REQUIRE(crash < clean->transactions());
        const auto entries = clean->after(crash)->load(1);
        return std::ranges::count(entries, EntryKind::succeeded, &Entry::kind) == 1;
    };
    while (!ended()) ++crash;  // the wait, in memory, and nothing after it

    Watched watched{waitOnce, {}, 0, clean->after(crash)};
    watched.engine->resume();
    watched.engine.restart();
    CHECK(watched.run().result<int>() == 7);
    CHECK(watched.recorder->lines == Lines{"invocation-start again", "updated 1 SUCCEEDED",
                                           "end 1 SUCCEEDED", "invocation-end SUCCEEDED again"});
}

TEST_CASE("an engine that stops ends the invocation of a parked execution") {
    Watched watched{waitOnce, {}, 1000};
    const auto execution = watched.engine->start("handler", {.name = "x"});
    watched.engine.settle();
    REQUIRE(execution.status() == ExecutionStatus::running);
    watched.engine->stop();

    CHECK(watched.recorder->lines.back() == "invocation-end PENDING first");
}

TEST_CASE("an engine that stops ends an invocation on its way as one that is repeated") {
    Watched watched{waitOnce, {}, 1000};
    watched.engine->start("handler", {.name = "x"});
    watched.engine->stop();

    CHECK(watched.recorder->lines.back() == "invocation-end RETRYING first");
}

TEST_CASE("a wrapped body runs once, whatever a plugin does, and its result is kept") {
    class Greedy : public Plugin {
    public:
        explicit Greedy(int times) : times_{times} {}
        void wrapOperationAttempt(const AttemptInfo&, const std::function<void()>& run) override {
            for (int i = 0; i < times_; ++i) run();
            throw std::runtime_error{"after all"};
        }

    private:
        int times_;
    };
    for (const int times : {0, 1, 3}) {
        int runs = 0;
        Watched watched{[&runs](DurableContext& ctx) -> Task<int> {
                            co_return co_await ctx.step("once", [&] { return ++runs; });
                        },
                        {std::make_shared<Greedy>(times)}};
        CHECK(watched.run().result<int>() == 1);
        CHECK(runs == 1);
    }
}

TEST_CASE("an asynchronous body is told like a plain one") {
    Watched watched{[](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.step("async", []() -> boost::asio::awaitable<int> { co_return 5; });
    }};
    CHECK(watched.run().result<int>() == 5);

    CHECK(watched.recorder->starting("attempt") ==
          Lines{"attempt-start 1 1", "attempt-end 1 1 SUCCEEDED"});
}

TEST_CASE("a condition is told like a step") {
    Watched watched{[](DurableContext& ctx) -> Task<int> {
        co_return co_await ctx.waitForCondition<int>(
            "count", [](int n) { return n + 1; },
            {.initialState = 0, .waitStrategy = [](const int& n, std::uint32_t, double) {
                 return n >= 2 ? WaitDecision::stop() : WaitDecision::again(1s);
             }});
    }};
    CHECK(watched.run().result<int>() == 2);

    CHECK(watched.recorder->starting("attempt") ==
          Lines{"attempt-start 1 1", "attempt-end 1 1 SUCCEEDED", "attempt-start 1 2",
                "attempt-end 1 2 SUCCEEDED"});
    CHECK(watched.recorder->starting("end") == Lines{"end 1 SUCCEEDED"});
}

TEST_CASE("plugins add fields to log lines; those of one that throws are dropped") {
    class Tracing : public Plugin {
        void enrichLogContext(const LogRecord& record, std::vector<LogField>& fields) override {
            fields.push_back({"traceId", std::string{record.executionName} + "-trace"});
        }
    };
    Lines seen;
    TestEngine engine{[](Engine& e) {
                          e.registerHandler("handler", [](DurableContext& ctx) -> Task<void> {
                              ctx.logger().info("line");
                              co_return;
                          });
                      },
                      std::make_shared<RecordingStore>(),
                      0,
                      {},
                      [&](EngineOptions& options) {
                          options.plugins = {std::make_shared<Faulty>(),
                                             std::make_shared<Tracing>()};
                          options.log = [&](const LogRecord& record) {
                              if (record.message != "line") return;
                              for (const auto& field : record.fields)
                                  seen.push_back(field.name + "=" + field.value);
                          };
                      }};
    engine.finish(engine->start("handler", {.name = "x"}));

    CHECK(seen == Lines{"traceId=x-trace"});
}

TEST_CASE("hooks come from many threads, for many executions, and none is missing") {
    class Counting : public Plugin {
    public:
        void onInvocationStart(const InvocationInfo&) override { ++invocations; }
        void onInvocationEnd(const InvocationEndInfo&) override { ++invocationEnds; }
        void onOperationStart(const OperationInfo&) override { ++starts; }
        void onOperationEnd(const OperationInfo&) override { ++ends; }
        void onOperationAttemptEnd(const AttemptEndInfo&) override { ++attempts; }

        std::atomic<int> invocations{};
        std::atomic<int> invocationEnds{};
        std::atomic<int> starts{};
        std::atomic<int> ends{};
        std::atomic<int> attempts{};
    };
    const auto counting = std::make_shared<Counting>();
    EngineOptions options{.workflowThreads = 2, .stepThreads = 4};
    options.plugins = {counting, std::make_shared<Faulty>()};
    std::atomic<int> complaints{};
    options.log = [&](const LogRecord&) { ++complaints; };
    {
        Engine engine{std::make_shared<MemoryStore>(), options};
        engine.registerHandler("handler", [](DurableContext& ctx) -> Task<int> {
            auto [a, b] = co_await ctx.all("both", ctx.step("a", [] { return 1; }),
                                           ctx.step("b", [] { return 2; }));
            co_return a + b;
        });
        std::vector<Execution> executions;
        for (int i = 0; i < 50; ++i) executions.push_back(engine.start("handler"));
        for (const auto& execution : executions) CHECK(execution.result<int>() == 3);
    }

    CHECK(counting->invocations == 50);
    CHECK(counting->invocationEnds == 50);
    CHECK(counting->starts == 150);
    CHECK(counting->ends == 150);
    CHECK(counting->attempts == 100);
    CHECK(complaints > 0);
}
