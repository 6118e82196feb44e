// SPDX-License-Identifier: Apache-2.0
// Workflows that run well until a process dies at the wrong moment: the sweep finds each, and tells
// at which crash and what differs. Where the mended form teaches something, it stands beside.
#include <durable/testing.hpp>

#include <support/catch.hpp>
#include <sweep/require_right.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using durable::testing::crashSweep;
using durable::testing::CrashSweepOptions;
using durable::testing::CrashSweepReport;
using durable::testing::TestExecution;
using durable::testing::TestOperation;

namespace {

/// What outlives processes: mails, accounts, files.
struct World {
    int mails{};
    int charges{};
    int balance{100};
    int invoices{};
    std::set<std::string> chargedKeys;
    std::set<std::string> mailedKeys;
    std::vector<std::string> file;
    std::vector<int> queue{1, 2, 3};

    void charge(const std::string& key) {
        if (chargedKeys.insert(key).second) ++charges;
    }
};

/// What a process has in memory.
struct Memory {
    int rate{};
    int orders{};
    std::set<std::string> done;
};

World world;    // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
Memory memory;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// A world and a memory that are new where they would be, and a look at the world.
CrashSweepOptions looking(std::string complaint, bool (*isRight)()) {
    CrashSweepOptions options;
    options.newWorld = [] { world = {}; };
    options.newProcess = [] { memory = {}; };
    options.check = [complaint = std::move(complaint), isRight](TestExecution&) {
        if (!isRight()) throw std::runtime_error{complaint};
    };
    return options;
}

CrashSweepOptions looking() {
    return looking("", [] { return true; });
}

/// A crash is told with which the run went otherwise, and in which way.
void requireCaught(const CrashSweepReport& report, const std::string& difference) {
    INFO(report.text());
    CHECK(std::ranges::any_of(report.findings, [&](const auto& finding) {
        const auto tells = [&](const std::string& text) {
            return text.find(difference) != std::string::npos;
        };
        return !finding.crashes.empty() && finding.when.starts_with("the process died ") &&
               std::ranges::any_of(finding.differences, tells);
    }));
    CHECK(report.pointsCovered == report.pointsPossible);
    CHECK_THROWS_AS(report.requireNone(), durable::testing::TestFailure);
}

/// It was found before any crash was tried.
void requireCaughtAtOnce(const CrashSweepReport& report, const std::string& when,
                         const std::string& difference) {
    INFO(report.text());
    REQUIRE_FALSE(report.findings.empty());
    CHECK(report.findings.front().when == when);
    CHECK(report.findings.front().crashes.empty());
    CHECK(report.pointsCovered == 0);
    CHECK_THAT(report.text(), ContainsSubstring(difference));
}

}  // namespace

TEST_CASE("mistake: a side effect stands outside of steps") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("reserve", [] {});
            ++world.mails;
            co_await ctx.step("ship", [] {});
        },
        looking("not one mail", [] { return world.mails == 1; }));

    requireCaught(report, "the check failed: not one mail");

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("reserve", [] {});
            co_await ctx.step("mail", [] { world.mails = 1; });
            co_await ctx.step("ship", [] {});
        },
        looking("not one mail", [] { return world.mails == 1; })));
}

TEST_CASE("mistake: a charge has no idempotency key") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("charge", [] { ++world.charges; });
        },
        looking("charged twice", [] { return world.charges == 1; }));

    requireCaught(report, "the check failed: charged twice");
    CHECK_THAT(report.findings.front().when, ContainsSubstring("step \"charge\" (1)"));

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("charge", [] { world.charge("order-7"); });
        },
        looking("charged twice", [] { return world.charges == 1; })));
}

TEST_CASE("mistake: at most once was chosen for a step that must succeed") {
    const auto handler = [](DurableContext& ctx) -> Task<void> {
        co_await ctx.step(
            "report", [] { world.mails = 1; },
            {.retryStrategy = retry::none(), .semantics = StepSemantics::atMostOncePerRetry});
    };
    requireCaught(crashSweep(handler, looking()),
                  "step \"report\" (1) failed: the crash cut it off, and with at-most-once "
                  "semantics and no further attempt it does not run again");

    auto options = looking("no mail, and nobody was told", [] { return world.mails == 1; });
    options.cutOffStepsMayFail = true;
    requireCaught(crashSweep(handler, options), "no mail, and nobody was told");
}

TEST_CASE("mistake: a step that was cut off is taken for one that did nothing") {
    auto options = looking("charged twice", [] { return world.charges == 1; });
    options.cutOffStepsMayFail = true;
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            bool failed = false;
            try {
                co_await ctx.step("charge", [] { ++world.charges; },
                                  {.retryStrategy = retry::none(),
                                   .semantics = StepSemantics::atMostOncePerRetry});
            } catch (const StepError&) {
                failed = true;
            }
            if (failed) co_await ctx.step("charge the other card", [] { ++world.charges; });
        },
        options);

    requireCaught(report, "the check failed: charged twice");
}

TEST_CASE("mistake: a static counts the orders") {
    auto options = looking();
    options.newProcess = {};  // who forgets the static forgets this too
    memory = {};
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<int> {
            const auto number = ++memory.orders;
            co_await ctx.step("ship", [] {});
            co_return number;
        },
        options);

    requireCaughtAtOnce(report, "in the second run, without a crash",
                        "the execution ended otherwise\n    without a crash: SUCCEEDED with 1\n"
                        "    now:             SUCCEEDED with 2");
}

TEST_CASE("mistake: a step fills a cache that dies with the process") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<int> {
            co_await ctx.step("load the rate", [] { memory.rate = 5; });
            co_await ctx.step("ship", [] {});
            co_return 100 * memory.rate;
        },
        looking());

    requireCaught(report,
                  "without a crash: SUCCEEDED with 500\n    now:             SUCCEEDED "
                  "with 0");

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<int> {
            const auto rate = co_await ctx.step("load the rate", [] { return 5; });
            co_await ctx.step("ship", [] {});
            co_return 100 * rate;
        },
        looking()));
}

TEST_CASE("mistake: what was sent is remembered in memory only") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("mail", [] {
                if (memory.done.insert("order-7").second) ++world.mails;
            });
        },
        looking("mailed twice", [] { return world.mails == 1; }));

    requireCaught(report, "the check failed: mailed twice");

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("mail", [] {
                if (world.mailedKeys.insert("order-7").second) ++world.mails;
            });
        },
        looking("mailed twice", [] { return world.mails == 1; })));
}

TEST_CASE("mistake: a body tells its result by a captured variable") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<int> {
            int total = 0;
            co_await ctx.step("add", [&total] { total += 5; });
            co_await ctx.step("ship", [] {});
            co_return total;
        },
        looking());

    requireCaught(report, "now:             SUCCEEDED with 0");
}

TEST_CASE("mistake: a handler holds a counter that all its runs share") {
    const auto counter = std::make_shared<int>(0);
    const auto report = crashSweep(
        [counter](DurableContext& ctx) -> Task<void> {
            co_await ctx.step(fmt::format("call {}", ++*counter), [] {});
        },
        looking());

    requireCaughtAtOnce(report, "in the second run, without a crash", "step \"call 2\" (1)");
}

TEST_CASE("mistake: a random number is part of a name") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            static std::mt19937_64 random{std::random_device{}()};
            co_await ctx.step(fmt::format("batch {}", random()), [] {});
        },
        looking());

    requireCaughtAtOnce(report, "in the second run, without a crash", "step \"batch ");
}

TEST_CASE("mistake: a clock decides the result") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<std::int64_t> {
            co_await ctx.step("ship", [] {});
            co_return std::chrono::steady_clock::now().time_since_epoch().count();
        },
        looking());

    requireCaughtAtOnce(report, "in the second run, without a crash", "SUCCEEDED with ");
}

TEST_CASE("mistake: a file is appended to") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("write the line", [] { world.file.emplace_back("order 7"); });
        },
        looking("not one line", [] { return world.file.size() == 1; }));

    requireCaught(report, "the check failed: not one line");

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("write the file", [] { world.file = {"order 7"}; });
        },
        looking("not one line", [] { return world.file.size() == 1; })));
}

TEST_CASE("mistake: a body changes what it finds") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("withdraw", [] { world.balance -= 10; });
        },
        looking("the balance is wrong", [] { return world.balance == 90; }));

    requireCaught(report, "the check failed: the balance is wrong");

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            const auto before = co_await ctx.step("look", [] { return world.balance; });
            co_await ctx.step("withdraw", [before] { world.balance = before - 10; });
        },
        looking("the balance is wrong", [] { return world.balance == 90; })));
}

TEST_CASE("mistake: a number is drawn from a sequence in the step that uses it") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<int> {
            co_return co_await ctx.step("invoice", [] { return ++world.invoices; });
        },
        looking());

    requireCaught(report, "now:             SUCCEEDED with 2");
}

TEST_CASE("mistake: the mail with a callback's id has no key") {
    auto options = looking("mailed twice", [] { return world.mails == 1; });
    options.answerCallback = [](TestExecution& execution, const TestOperation& asked) {
        execution.completeCallback(asked.callbackId(), "yes");
    };
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<std::string> {
            co_return co_await ctx.waitForCallback<std::string>("approval",
                                                                [](std::string) { ++world.mails; });
        },
        options);

    requireCaught(report, "the check failed: mailed twice");

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<std::string> {
            co_return co_await ctx.waitForCallback<std::string>("approval", [](std::string id) {
                if (world.mailedKeys.insert(id).second) ++world.mails;
            });
        },
        options));
}

TEST_CASE("mistake: one step has two effects, and fails between them") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("reserve and charge",
                              [](StepContext& step) {
                                  ++world.invoices;
                                  if (step.attempt() == 1) throw std::runtime_error{"busy"};
                                  world.charge("order-7");
                              },
                              {.retryStrategy = retry::fixed(3, 1s)});
        },
        looking("reserved twice", [] { return world.invoices == 1; }));

    requireCaughtAtOnce(report, "in the first run, without a crash",
                        "the check failed: reserved twice");
}

TEST_CASE("mistake: a body counts its attempts itself") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            const auto tries = std::make_shared<int>(0);
            co_await ctx.step("flaky",
                              [tries] {
                                  if (++*tries < 3) throw std::runtime_error{"busy"};
                              },
                              {.retryStrategy = retry::fixed(9, 1s)});
        },
        looking());

    requireCaught(report, "step \"flaky\" (1)");
}

TEST_CASE("mistake: a map runs over a queue that its items empty") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            const auto items = world.queue;
            co_await ctx.map(
                "all", items, [](DurableContext& item, const int& order) -> Task<void> {
                    co_await item.step("work", [order] { std::erase(world.queue, order); });
                });
        },
        looking());

    requireCaught(report, "NonDeterministicExecutionError");

    requireRight(crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            const auto items = co_await ctx.step("take", [] { return world.queue; });
            co_await ctx.map(
                "all", items, [](DurableContext& item, const int& order) -> Task<void> {
                    co_await item.step("work", [order] { std::erase(world.queue, order); });
                });
        },
        looking("something is left", [] { return world.queue.empty(); })));
}

TEST_CASE("mistake: isReplaying guards a side effect") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("ship", [] {});
            if (!ctx.isReplaying()) ++world.mails;
            co_await ctx.step("archive", [] {});
        },
        looking("not one mail", [] { return world.mails == 1; }));

    requireCaught(report, "the check failed: not one mail");
}

TEST_CASE("mistake: a handler undoes something itself, outside of steps") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("withdraw", [] { world.balance = 90; });
            bool failed = false;
            try {
                co_await ctx.step("ship", [] { throw std::runtime_error{"sold out"}; },
                                  {.retryStrategy = retry::none()});
            } catch (const StepError&) {
                failed = true;
            }
            if (failed) world.balance += 10;
            co_await ctx.step("tell", [] {});
        },
        looking("the balance is wrong", [] { return world.balance == 100; }));

    requireCaught(report, "the check failed: the balance is wrong");
}
