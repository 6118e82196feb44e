// Finds what goes wrong when a process dies at the wrong moment, before it does: the sweep kills a
// workflow at every commit, lets it recover, and looks at the bank.
//
//   $ ./crash_sweep
//   without a key: charged twice if the process died before commit 2
//   with a key: right at 13 of 13 crash points

#include <durable/durable.hpp>
#include <durable/testing.hpp>

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
    if (found.findings.empty()) return 1;
    const auto& when = found.findings.front().when;
    std::printf("without a key: charged twice if %s\n", when.substr(0, when.find(" [")).c_str());

    const auto careful = [&](durable::DurableContext& ctx) -> durable::Task<void> {
        co_await ctx.step("reserve", [] {});
        const std::string key = ctx.executionName() + "-charge";
        co_await ctx.step("charge", [&bank, key] { bank.chargeOnce(key); });
    };
    const auto none = durable::testing::crashSweep(careful, options);
    none.requireNone();
    std::printf("with a key: right at %zu of %zu crash points\n", none.pointsCovered,
                none.pointsPossible);
}
