// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>

#include <support/test_engine.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// A workflow with something of everything, and who answers it. Its bodies are counted.
class OrderWorkflow {
public:
    static constexpr int result = 1 + 6 + 2 + 5 + 3;

    /// Runs it to its end, or as far as `store` lets it: tries again where that failed, with the
    /// same engine and with another one.
    /// \return whether it ended with its result.
    bool run(const std::shared_ptr<durable::Store>& store) {
        for (int engines = 0; engines < 2; ++engines) {
            try {
                TestEngine engine{[this](durable::Engine& e) { registerAt(e); }, store};
                if (tryToEnd(engine) || tryToEnd(engine)) return true;
            } catch (const durable::StoreError&) {
                continue;  // no engine on a store that cannot be read
            }
        }
        return false;
    }

    /// How often each body was called.
    [[nodiscard]] const std::map<std::string, int>& calls() const { return calls_; }

private:
    bool tryToEnd(TestEngine& engine) {
        try {
            const auto order = engine->start("order", {.name = "one"});
            engine.finish(order);
            for (const auto& event : engine->history(order.id())) {
                if (event.eventType != "CallbackStarted") continue;
                answer(engine, event.details.at("CallbackId").get<std::string>());
            }
            return engine.finish(order).result<int>() == result;
        } catch (const durable::StoreError&) {
            return false;
        }
    }

    static void answer(TestEngine& engine, const std::string& id) {
        try {
            engine->completeCallback(id, 5);
        } catch (const durable::ClosedCallback&) {
            return;  // answered before
        }
    }

    void registerAt(durable::Engine& engine) {
        using namespace std::chrono_literals;
        using durable::DurableContext;
        using durable::Task;
        engine.registerHandler("double", [this](DurableContext& ctx, int n) -> Task<int> {
            co_return co_await ctx.step("double", [this, n] { return called("double", 2 * n); });
        });
        engine.registerHandler("order", [this](DurableContext& ctx) -> Task<int> {
            auto sum = co_await ctx.step("reserve", [this] { return called("reserve", 1); });
            const std::vector<int> items{1, 2, 3};
            const auto packed = co_await ctx.map(
                "pack", items, [this](DurableContext& item, const int& n) -> Task<int> {
                    const auto name = fmt::format("pack-{}", n);
                    co_return co_await item.step(name, [this, n, name] { return called(name, n); });
                });
            for (const int n : packed.getResults()) sum += n;
            co_await ctx.wait("dry", 1h);
            sum += co_await ctx.step("flaky",
                                     [this](durable::StepContext& step) {
                                         const auto attempt = static_cast<int>(step.attempt());
                                         called("flaky", 0);
                                         if (attempt < 2) throw std::runtime_error{"busy"};
                                         return attempt;
                                     },
                                     {.retryStrategy = durable::retry::fixed(9, 1s)});
            sum += co_await ctx.waitForCallback<int>("ask", [](std::string) {});
            const int one = co_await ctx.invoke<int>("double", "double", 1);
            sum += one;
            const int last =
                co_await ctx.runInChildContext("ship", [this](DurableContext& child) -> Task<int> {
                    co_return co_await child.step("ship", [this] { return called("ship", 1); });
                });
            co_return sum + last;
        });
    }

    int called(const std::string& name, int value) {
        ++calls_[name];
        return value;
    }

    std::map<std::string, int> calls_;
};
