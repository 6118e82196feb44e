// SPDX-License-Identifier: Apache-2.0
#include <support/catch.hpp>
#include <support/test_engine.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

using namespace durable;

namespace {

constexpr auto tooDeep = "JSON must be nested at most 512 deep, this is deeper";

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

nlohmann::json document(std::size_t depth) { return nlohmann::json::parse(nested(depth)); }

std::string notReadBack(const std::string& operation) {
    return "The result of " + operation + " could not be read back: " + tooDeep;
}

/// Waits for a callback whose result is a `T`, and gives it.
template <class T>
struct Ask {
    std::string id{};

    void operator()(Engine& engine) {
        engine.registerHandler("handler", [this](DurableContext& ctx) -> Task<T> {
            auto answer = co_await ctx.waitForCallback<T>(
                "ask", [this](std::string callbackId) { id = callbackId; });
            co_return answer;
        });
    }
};

/// Completes the callback with `text`; the execution fails, also if the process dies after any
/// commit and another one takes over.
template <class T>
void checkPoisoned(const std::string& text, std::size_t maxParked) {
    const auto store = std::make_shared<RecordingStore>();
    Ask<T> ask;
    const auto registering = [&](Engine& e) { ask(e); };
    const auto expected = notReadBack("waitForCallback \"ask\" (operation 1)");
    std::size_t asked = 0;
    {
        TestEngine engine{registering, store, maxParked};
        const auto execution = engine->start("handler", {.name = "a"});
        engine.settle();
        asked = store->transactions();
        engine->completeCallback(ask.id, text);
        CHECK_THROWS_WITH(engine.finish(execution).template result<T>(), expected);
        CHECK_FALSE(engine->history(execution.id()).empty());
    }
    for (std::size_t crash = asked + 1; crash <= store->transactions(); ++crash) {
        INFO("died after commit " << crash << " of " << store->transactions());
        TestEngine engine{registering, store->after(crash), maxParked};
        engine->resume();
        engine.settle();
        CHECK_THROWS_WITH(engine->find("handler", "a")->template result<T>(), expected);
    }
}

/// What `handler` failed with: the same in its first run, after a crash behind any commit, and over
/// its complete past.
template <class Handler>
std::string failureOf(Handler handler) {
    const auto store = std::make_shared<RecordingStore>();
    ExecutionId id{};
    const auto run = [&](const std::shared_ptr<Store>& journal) {
        TestEngine engine{[&](Engine& e) { e.registerHandler("handler", handler); }, journal};
        const auto execution = engine->start("handler", {.name = "a"});
        id = execution.id();
        std::string failure = "none";
        try {
            (void)engine.finish(execution).template result<int>();
        } catch (const ExecutionError& error) {
            failure = error.what();
        }
        return failure;
    };
    const auto failure = run(store);
    for (std::size_t crash = 1; crash < store->transactions(); ++crash) {
        INFO("died after commit " << crash << " of " << store->transactions());
        CHECK(run(store->after(crash)) == failure);
    }
    CHECK(run(store->withoutEndOf(id)) == failure);
    return failure;
}

auto fetch(DurableContext& ctx, std::size_t depth) {
    return ctx.step("fetch", [depth] { return document(depth); });
}

}  // namespace

TEST_CASE("a callback completed with JSON that is nested without end fails its execution only") {
    for (const std::size_t maxParked : {1000U, 0U}) {
        checkPoisoned<int>(nested(100'000), maxParked);
        checkPoisoned<std::vector<int>>(nested(100'000), maxParked);
        checkPoisoned<nlohmann::json>(nested(100'000), maxParked);
        checkPoisoned<nlohmann::json>(std::string(100'000, '['), maxParked);
        checkPoisoned<nlohmann::json>(nested(513), maxParked);
    }
}

TEST_CASE("a callback's JSON may be nested as deep as the limit, and its text in any way") {
    Ask<nlohmann::json> json;
    Ask<std::string> text;
    TestEngine typed{[&](Engine& e) { json(e); }};
    const auto first = typed->start("handler");
    typed.settle();
    typed->completeCallback(json.id, nested(512));
    CHECK(typed.finish(first).result<nlohmann::json>() == document(512));

    TestEngine plain{[&](Engine& e) { text(e); }};
    const auto second = plain->start("handler");
    plain.settle();
    plain->completeCallback(text.id, nested(100'000));
    CHECK(plain.finish(second).result<std::string>() == nested(100'000));
}

TEST_CASE("a step's result that is nested too deep is not recorded") {
    const auto failure = failureOf([](DurableContext& ctx) -> Task<int> {
        const auto json = co_await ctx.step("fetch", [] { return document(100'000); });
        co_return static_cast<int>(json.size());
    });

    CHECK(failure == "The result of step \"fetch\" (operation 1) could not be recorded: " +
                         std::string{tooDeep});
}

TEST_CASE("a batch whose items are too deep only in its record fails in every run") {
    const auto failure = failureOf([&](DurableContext& ctx) -> Task<int> {
        auto items = co_await ctx.map("each", std::vector{1, 2},
                                      [](DurableContext& item, int) -> Task<nlohmann::json> {
                                          auto json = co_await fetch(item, 511);
                                          co_return json;
                                      });
        co_return static_cast<int>(items.successCount());
    });

    CHECK(failure == notReadBack("map \"each\" (operation 1)"));
}

TEST_CASE("operations whose results are too deep only in the common record fail in every run") {
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              auto both = co_await ctx.all("both", fetch(ctx, 1), fetch(ctx, 512));
              co_return static_cast<int>(std::get<0>(both).size());
          }) == notReadBack("runInChildContext \"both\" (operation 3)"));
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              auto both = co_await ctx.allSettled("both", fetch(ctx, 1), fetch(ctx, 511));
              co_return std::get<0>(both).succeeded() ? 1 : 0;
          }) == notReadBack("runInChildContext \"both\" (operation 3)"));
    CHECK(failureOf([](DurableContext& ctx) -> Task<int> {
              auto first = co_await ctx.race("first", fetch(ctx, 512), ctx.step([] { return 1; }));
              co_return static_cast<int>(first.index());
          }) == notReadBack("runInChildContext \"first\" (operation 3)"));
}

TEST_CASE("results at the limit of depth are given, one by one and in a common record") {
    const auto result = runHandler<std::size_t>([](DurableContext& ctx) -> Task<std::size_t> {
        auto both = co_await ctx.all(fetch(ctx, 1), fetch(ctx, 511));
        auto first = co_await ctx.race(fetch(ctx, 512), fetch(ctx, 512));
        co_return std::get<1>(both).size() + first.size();
    });

    CHECK(result == 2);
}
