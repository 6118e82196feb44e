// SPDX-License-Identifier: Apache-2.0
// What is recorded of a batch, when, and in which form.
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

namespace {

using Code = std::function<Task<std::string>(DurableContext&)>;

/// How the operation with that id ended.
std::optional<Entry> endOf(const std::shared_ptr<Store>& store, const std::string& id) {
    for (const auto& entry : store->load(1)) {
        if (entry.operationId == id && entry.kind != EntryKind::started) return entry;
    }
    return std::nullopt;
}

/// What the handler gave, and how its first operation ended; the replay of it gave the same.
struct Ran {
    std::string result{};
    Entry end{};
};

Ran run(const Code& handler, Limits limits = {}) {
    const auto store = std::make_shared<RecordingStore>();
    const auto registering = [&](Engine& e) { e.registerHandler("handler", handler); };
    const auto give = [&](const std::shared_ptr<RecordingStore>& in) {
        TestEngine engine{registering, in, 1000, limits};
        return engine.finish(engine->start("handler", {.name = "a"})).result<std::string>();
    };
    Ran ran{.result = give(store), .end = endOf(store, "1").value()};
    CHECK(give(store->withoutEndOf(1)) == ran.result);
    return ran;
}

/// Two results with characters of two bytes each.
Task<std::string> twoCafes(DurableContext& ctx) {
    const std::vector<std::string> texts{"caf\u00E9", "\u00E9\u00E9"};
    auto batch = co_await ctx.map(
        texts,
        [](DurableContext&, const std::string& text) -> Task<std::string> { co_return text; });
    co_return batch.getResults()[0] + batch.getResults()[1];
}

Task<std::string> cafe(DurableContext& ctx) {
    co_return co_await ctx.runInChildContext(
        "child", [](DurableContext&) -> Task<std::string> { co_return "caf\u00E9"; });
}

/// A batch of two results of 200 characters.
Code twoLarge(MapConfig config) {
    return [config](DurableContext& ctx) -> Task<std::string> {
        auto batch = co_await ctx.map(
            std::vector<char>{'a', 'b'},
            [](DurableContext&, char c) -> Task<std::string> { co_return std::string(200, c); },
            config);
        co_return batch.getResults()[0].substr(0, 1) + batch.getResults()[1].substr(0, 1);
    };
}

/// A typed parallel of two branches.
Code twoBranches(ParallelConfig config) {
    return [config](DurableContext& ctx) -> Task<std::string> {
        auto results = co_await ctx.parallel(
            [](DurableContext&) -> Task<std::string> { co_return "a"; },
            [](DurableContext&) -> Task<std::string> { co_return "b"; }, config);
        const auto [first, second] = results.getResults();
        co_return first + second;
    };
}

const Limits small{.inlineResultBytesMax = 150};

}  // namespace

TEST_CASE("a batch or child context is recorded whole up to the limit in bytes, that included") {
    for (const Code& handler : {Code{twoCafes}, Code{cafe}}) {
        const auto whole = run(handler);
        REQUIRE_FALSE(whole.end.replayChildren);
        const auto bytes = whole.end.payload->size();

        const auto atLimit = run(handler, {.inlineResultBytesMax = bytes});
        CHECK(atLimit.end.payload == whole.end.payload);
        CHECK_FALSE(atLimit.end.replayChildren);

        const auto above = run(handler, {.inlineResultBytesMax = bytes - 1});
        CHECK(above.end.replayChildren);
        CHECK(above.result == whole.result);
    }
}

TEST_CASE("a summary is made of a batch that is too large to be recorded whole, and of no other") {
    int made = 0;
    const auto generator = [&made](const BatchRecord& record) {
        ++made;
        return fmt::format("{} orders", record.items.size());
    };

    CHECK(run(twoLarge({.summaryGenerator = generator})).result == "ab");
    CHECK(made == 0);

    const auto large = run(twoLarge({.summaryGenerator = generator}), small);
    CHECK(large.result == "ab");
    CHECK_THAT(*large.end.payload,
               Catch::Matchers::ContainsSubstring(R"("type":"MapResult")") &&
                   Catch::Matchers::ContainsSubstring(R"("summary":"2 orders")"));
    CHECK(made == 1);

    const auto branches = run(
        [generator](DurableContext& ctx) -> Task<std::string> {
            auto results = co_await ctx.parallel(branch("a",
                                                        [](DurableContext&) -> Task<std::string> {
                                                            co_return std::string(200, 'a');
                                                        }),
                                                 ParallelConfig{.summaryGenerator = generator});
            co_return std::get<0>(results.getResults()).substr(0, 1);
        },
        small);
    CHECK(branches.result == "a");
    CHECK_THAT(*branches.end.payload,
               Catch::Matchers::ContainsSubstring(R"("type":"ParallelResult")") &&
                   Catch::Matchers::ContainsSubstring(R"("summary":"1 orders")"));
}

TEST_CASE("the serdes of a batch decides how large it is, however large its results are") {
    const Serdes<BatchRecord> counts{
        .serialize = [](const BatchRecord& record,
                        const SerdesContext&) { return std::to_string(record.items.size()); },
        .deserialize =
            [](const std::string& text, const SerdesContext&) {
                BatchRecord record{.inputCount = std::stoul(text), .items = {}};
                for (std::size_t i = 0; i < record.inputCount; ++i) {
                    record.items.push_back({.index = i,
                                            .status = BatchItemStatus::succeeded,
                                            .payload = i == 0 ? R"("a")" : R"("b")",
                                            .error = {}});
                }
                return record;
            }};

    const auto mapped = run(twoLarge({.serdes = counts}), small);
    CHECK(mapped.end.payload == "2");
    CHECK_FALSE(mapped.end.replayChildren);
    CHECK(mapped.result == "ab");

    const auto branches = run(twoBranches({.serdes = counts}));
    CHECK(branches.end.payload == "2");
    CHECK(branches.result == "ab");
}

TEST_CASE("results that are no JSON stand in the record of a typed parallel as strings") {
    const Serdes<std::string> bracketed{
        .serialize = [](const std::string& text, const SerdesContext&) { return "<" + text + ">"; },
        .deserialize = [](const std::string& text,
                          const SerdesContext&) { return text.substr(1, text.size() - 2); }};

    const auto branches = run(twoBranches({.itemSerdes = bracketed}));

    CHECK(branches.result == "ab");
    CHECK_THAT(*branches.end.payload, Catch::Matchers::ContainsSubstring(R"("result":"<a>")"));
}

namespace {

/// Tells when the end of an operation has been written.
class WatchedStore final : public durable::testing::ForwardingStore {
public:
    explicit WatchedStore(std::string id) : id_{std::move(id)} {}

    void append(std::span<const Commit> commits) override {
        ForwardingStore::append(commits);
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) {
                if (entry.operationId != id_ || entry.kind == EntryKind::started) continue;
                std::call_once(told_, [this] { ended_.set_value(); });
            }
        }
    }

    [[nodiscard]] std::shared_future<void> ended() const { return future_; }

private:
    std::string id_;
    std::once_flag told_;
    std::promise<void> ended_;
    std::shared_future<void> future_ = ended_.get_future().share();
};

constexpr auto forEver = 60s;  // of a test that fails

}  // namespace

TEST_CASE("a decision is recorded at once, not when the last body has returned") {
    const auto store = std::make_shared<WatchedStore>("1");
    EngineOptions options{.workflowThreads = 1, .stepThreads = 2};
    options.startVisibleAfter = 1ms;
    options.log = {};
    Engine engine{store, options};
    std::promise<void> entered;
    const auto isIn = entered.get_future().share();
    bool written = false;
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<std::string> {
        auto batch = co_await ctx.map(std::vector{0, 1},
                                      [&](DurableContext& c, int item) -> Task<int> {
                                          if (item == 0) {
                                              co_await c.step([isIn] { isIn.wait(); });
                                              co_return 0;
                                          }
                                          co_await c.step([&] {
                                              entered.set_value();
                                              written = store->ended().wait_for(forEver) ==
                                                        std::future_status::ready;
                                          });
                                          co_return 1;
                                      },
                                      {.completionConfig = CompletionConfig::firstSuccessful()});
        co_return fmt::format("{} {}", batch.successCount(), written);
    });

    const auto execution = engine.start("handler", {.name = "a"});
    execution.wait();
    CHECK(execution.result<std::string>() == "1 true");
}

TEST_CASE("a batch whose predicate throws asks its bodies to stop, and waits for them") {
    EngineOptions options{.workflowThreads = 1, .stepThreads = 2};
    options.log = {};
    Engine engine{std::make_shared<MemoryStore>(), options};
    std::promise<void> entered;
    const auto isIn = entered.get_future().share();
    engine.registerHandler("handler", [&](DurableContext& ctx) -> Task<std::string> {
        std::string seen;
        try {
            co_await ctx.map(
                std::vector{0, 1},
                [&](DurableContext& c, int item) -> Task<int> {
                    if (item == 0) {
                        co_await c.step([isIn] { isIn.wait(); });
                        co_return 0;
                    }
                    co_await c.step([&](StepContext& step) {
                        std::promise<void> asked;
                        const std::stop_callback stopped{step.stopToken(),
                                                         [&] { asked.set_value(); }};
                        entered.set_value();
                        const auto told = asked.get_future().wait_for(forEver);
                        seen = told == std::future_status::ready ? "asked, " : "not asked, ";
                    });
                    co_return 1;
                },
                {.completionConfig = {.shouldComplete = [](const CompletionProgress& progress) {
                     if (progress.completedCount > 0) throw std::runtime_error{"undecided"};
                     return CompletionDecision::goOn;
                 }}});
        } catch (const ChildContextError& error) {
            seen += error.what();
        }
        co_return seen;
    });

    const auto execution = engine.start("handler", {.name = "a"});
    execution.wait();
    CHECK(execution.result<std::string>() == "asked, undecided");
}
