// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <kill/ledger.hpp>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

/// The process that is killed: orders on an engine with threads and an SQLite journal, whose bodies
/// tell a ledger what they do.
///
/// Lines of the ledger: `life`, of a process that begins; `begin ORDER STEP ATTEMPT`, `end ORDER
/// STEP ATTEMPT`, `asked ORDER ID`, `answered ORDER ID`, `started ORDER`, `result ORDER VALUE`,
/// `wrong TEXT`.
class Victim {
    using LedgerPointer = std::shared_ptr<const Ledger>;

    static auto body(LedgerPointer ledger, std::string order, std::string step, int result,
                     std::uint32_t succeedsAt = 1) {
        return [=](durable::StepContext& context) {
            ledger->write(fmt::format("begin {} {} {}", order, step, context.attempt()));
            if (context.attempt() < succeedsAt) throw std::runtime_error{"busy"};
            ledger->write(fmt::format("end {} {} {}", order, step, context.attempt()));
            return result;
        };
    }

public:
    static constexpr int orders = 8;

    /// What order `n` comes to.
    [[nodiscard]] static int resultOf(int n) {
        return 1 + 10 + (1 + 2 + 3 + 4 + 5 + 6) + 3 + 100 + 2 * n;
    }

    [[nodiscard]] static std::filesystem::path journalIn(const std::filesystem::path& directory) {
        return directory / "orders.db";
    }
    [[nodiscard]] static std::filesystem::path ledgerIn(const std::filesystem::path& directory) {
        return directory / "ledger";
    }

    Victim(const std::filesystem::path& directory, std::uint32_t variation)
        : ledgerFile_{ledgerIn(directory)},
          ledger_{std::make_shared<Ledger>(ledgerFile_)},
          engine_{durable::SqliteStore::open(journalIn(directory), {.recoveredRowsMax = 17}),
                  options(variation)} {
        ledger_->write("life");
    }

    /// Works until all orders have ended, or a signal stops it.
    /// \return whether they have ended.
    bool run() {
        engine_.stopOn({SIGTERM});
        engine_.registerHandler(
            "double",
            [ledger = ledger_](durable::DurableContext& ctx, int n) -> durable::Task<int> {
                const auto order = ctx.executionName();
                co_return co_await ctx.step("double", body(ledger, order, "double", 2 * n));
            });
        engine_.registerHandler("order", [ledger = ledger_](durable::DurableContext& ctx, int n) {
            return process(ctx, ledger, n);
        });
        try {
            std::vector<durable::Execution> executions;
            for (int n = 0; n < orders; ++n) {
                executions.push_back(engine_.start("order", n, {.name = std::to_string(n)}));
                ledger_->write(fmt::format("started {}", n));
            }
            const std::jthread answering{[this](const std::stop_token& stop) { answer(stop); }};
            for (int n = 0; n < orders; ++n) {
                const auto value = executions[static_cast<std::size_t>(n)].result<int>();
                ledger_->write(fmt::format("result {} {}", n, value));
            }
            return true;
        } catch (const durable::EngineStopped&) {
            return false;
        }
    }

private:
    static durable::EngineOptions options(std::uint32_t variation) {
        durable::EngineOptions options;
        options.workflowThreads = 1 + variation % 2;
        options.stepThreads = 4;
        if (variation % 3 != 0) options.maxParked = variation % 3 == 1 ? 0 : 3;
        options.startVisibleAfter = std::chrono::milliseconds{variation % 4 == 0 ? 0 : 5};
        options.log = {};
        return options;
    }

    static durable::Task<int> process(durable::DurableContext& ctx, LedgerPointer ledger, int n) {
        using namespace std::chrono_literals;
        using durable::DurableContext;
        using durable::Task;
        const auto order = std::to_string(n);
        auto sum = co_await ctx.step("reserve", body(ledger, order, "reserve", 1));
        const durable::StepConfig once{.retryStrategy = durable::retry::fixed(1000, 1s),
                                       .semantics = durable::StepSemantics::atMostOncePerRetry};
        sum += co_await ctx.step("charge", body(ledger, order, "charge", 10), once);

        const std::vector<int> items{1, 2, 3, 4, 5, 6};
        const durable::MapConfig threeAtOnce{.maxConcurrency = 3};
        const auto packed = co_await ctx.map(
            "pack", items,
            [ledger, order](DurableContext& item, const int& i) -> Task<int> {
                const auto name = fmt::format("pack-{}", i);
                const durable::StepConfig retried{.retryStrategy = durable::retry::fixed(5, 1s)};
                co_return co_await item.step(name, body(ledger, order, name, i, i == 2 ? 2 : 1),
                                             retried);
            },
            threeAtOnce);
        for (const int i : packed.getResults()) sum += i;

        const auto both = co_await ctx.parallel(
            "check",
            durable::branch("slow",
                            [ledger, order](DurableContext& branch) -> Task<int> {
                                co_await branch.wait(1s);
                                co_return co_await branch.step("late",
                                                               body(ledger, order, "late", 1));
                            }),
            durable::branch("fast", [ledger, order](DurableContext& branch) -> Task<int> {
                co_return co_await branch.step("soon", body(ledger, order, "soon", 2));
            }));
        const auto& [slow, fast] = both.getResults();
        sum += slow + fast;

        sum += co_await ctx.waitForCallback<int>("ask", [ledger, order](std::string id) {
            ledger->write(fmt::format("asked {} {}", order, id));
        });
        const auto doubled =
            co_await ctx.runInChildContext("double", [n](DurableContext& child) -> Task<int> {
                const int result = co_await child.invoke<int>("double", "double", n);
                co_return result;
            });
        co_return sum + doubled;
    }

    /// Answers every callback of which the ledger tells, those of earlier processes too.
    void answer(const std::stop_token& stop) {
        std::size_t read = 0;
        while (!stop.stop_requested()) {
            const auto lines = Ledger::read(ledgerFile_);
            for (; read < lines.size(); ++read) {
                std::istringstream line{lines[read]};
                std::string what;
                std::string order;
                std::string id;
                line >> what >> order >> id;
                if (what == "asked" && !answer(order, id)) return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
    }

    /// \return false if the engine was stopped.
    bool answer(const std::string& order, const std::string& id) {
        try {
            engine_.completeCallback(id, 100);
            ledger_->write(fmt::format("answered {} {}", order, id));
        } catch (const durable::ClosedCallback&) {
            return true;  // answered before
        } catch (const durable::UnknownCallback&) {
            ledger_->write("wrong: a callback is unknown that was handed out, " + id);
        } catch (const durable::EngineStopped&) {
            return false;
        }
        return true;
    }

    std::filesystem::path ledgerFile_;
    LedgerPointer ledger_;
    durable::Engine engine_;
};
