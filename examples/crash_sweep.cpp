// Finds what goes wrong when a process dies at the wrong moment, before it does: the sweep kills a
// workflow at every commit, lets it recover, and looks at the bank.
//
//   $ ./crash_sweep
//   Without a key:
//   crash sweep: 15 of 15 crash points, 40 calls of step bodies; 2 findings
//   1. the process died before commit 3 [step "charge" (2) started, step "charge" (2) succeeded]:
//     - the check failed: not charged once
//       called again after the crash: step "charge" (2)
//   ... 1 more
//   With a key:
//   crash sweep: 15 of 15 crash points, 40 calls of step bodies; 0 findings

#include <durable/durable.hpp>
#include <durable/testing.hpp>

#include <cstddef>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <string>

struct Bank {
    int charges{};
    std::set<std::string> keys;

    void charge() { ++charges; }
    void chargeOnce(const std::string& key) {
        if (keys.insert(key).second) charge();
    }
};

int main() {
    Bank bank;
    const durable::testing::CrashSweepOptions options{
        .newWorld = [&] { bank = {}; },
        .check =
            [&](durable::testing::TestExecution&) {
                if (bank.charges != 1) throw std::runtime_error{"not charged once"};
            },
    };

    // A body runs at least once: if the process dies when it has returned and before that is
    // recorded, it runs again.
    const auto careless = [&](durable::DurableContext& ctx) -> durable::Task<void> {
        co_await ctx.step("reserve", [] {});
        co_await ctx.step("charge", [&] { bank.charge(); });
    };
    const auto found = durable::testing::crashSweep(careless, options);
    constexpr std::size_t findingsMax = 1;
    std::printf("Without a key:\n%s\n", found.text(findingsMax).c_str());

    const auto careful = [&](durable::DurableContext& ctx) -> durable::Task<void> {
        co_await ctx.step("reserve", [] {});
        const std::string key = ctx.executionName() + "-charge";
        co_await ctx.step("charge", [&bank, key] { bank.chargeOnce(key); });
    };
    const auto none = durable::testing::crashSweep(careful, options);
    std::printf("With a key:\n%s\n", none.text().c_str());
    none.requireNone();
}
