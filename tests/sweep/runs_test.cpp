// SPDX-License-Identifier: Apache-2.0
// Which runs a sweep is made of, and how its options change them.
#include <durable/testing.hpp>
#include <durable/testing/forwarding_store.hpp>

#include <support/catch.hpp>
#include <sweep/require_right.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using durable::testing::CrashKind;
using durable::testing::CrashPoint;
using durable::testing::crashSweep;
using durable::testing::CrashSweepOptions;
using durable::testing::CrashSweepReport;
using durable::testing::TestExecution;

namespace {

Task<void> twoSteps(DurableContext& ctx) {
    co_await ctx.step("reserve", [] {});
    co_await ctx.step("charge", [] {});
}

/// Counts what the sweep makes of a process, and of runs.
struct Counts {
    int runs{};
    int processes{};  ///< of the present run

    /// With these every run in which a process died is a finding.
    CrashSweepOptions options() {
        return {.newWorld =
                    [this] {
                        ++runs;
                        processes = 0;
                    },
                .newProcess = [this] { ++processes; },
                .check =
                    [this](TestExecution&) {
                        if (processes > 1) throw std::runtime_error{"a process died"};
                    }};
    }
};

/// The crashes of all findings.
std::vector<std::vector<CrashPoint>> crashesOf(const CrashSweepReport& report) {
    std::vector<std::vector<CrashPoint>> crashes;
    for (const auto& finding : report.findings) crashes.push_back(finding.crashes);
    return crashes;
}

/// Writes no end of the step "reserve", and says that it has.
class ForgetfulStore final : public durable::testing::ForwardingStore {
public:
    void append(std::span<const Commit> commits) override {
        for (auto commit : commits) {
            std::vector<Entry> kept{commit.entries.begin(), commit.entries.end()};
            std::erase_if(kept, [](const Entry& entry) {
                return entry.operationId == "1" && entry.kind == EntryKind::succeeded;
            });
            commit.entries = kept;
            ForwardingStore::append({&commit, 1});
        }
    }
};

}  // namespace

TEST_CASE("a sweep runs three times without a crash, and once for each moment around a commit") {
    Counts counts;
    const auto report =
        crashSweep([](DurableContext& ctx) -> Task<void> { co_await ctx.step("reserve", [] {}); },
                   counts.options());

    INFO(report.text());
    REQUIRE(report.commits == 3);
    std::vector<std::vector<CrashPoint>> expected;
    for (const auto& [commit, entries] :
         {std::pair{1U, 1U}, std::pair{2U, 2U}, std::pair{3U, 2U}}) {
        expected.push_back({{.commit = commit, .kind = CrashKind::beforeCommit}});
        for (std::size_t written = 1; written < entries; ++written) {
            expected.push_back(
                {{.commit = commit, .kind = CrashKind::tornCommit, .entriesWritten = written}});
        }
        expected.push_back({{.commit = commit, .kind = CrashKind::afterCommit}});
        expected.push_back({{.commit = commit, .kind = CrashKind::acknowledgementLost}});
    }
    CHECK(crashesOf(report) == expected);
    CHECK(report.pointsPossible == expected.size());
    CHECK(report.pointsCovered == expected.size());
    CHECK(counts.runs == static_cast<int>(3 + expected.size()));
}

TEST_CASE("pairsMax tries so many pairs of crashes, each in a run of its own") {
    Counts counts;
    auto options = counts.options();
    options.pairsMax = 7;
    const auto report = crashSweep(twoSteps, options);

    CHECK(report.pairsPossible > 7);
    CHECK(report.pairsCovered == 7);
    CHECK(counts.runs == static_cast<int>(3 + report.pointsPossible + 7));
    CHECK(std::ranges::count(crashesOf(report), 2U, &std::vector<CrashPoint>::size) == 7);
}

TEST_CASE("pairs find what two crashes do and one does not") {
    int charges = 0;
    CrashSweepOptions options{.newWorld = [&] { charges = 0; },
                              .check =
                                  [&](TestExecution&) {
                                      if (charges > 2) throw std::runtime_error{"three times"};
                                  }};
    const auto charge = [&](DurableContext& ctx) -> Task<void> {
        co_await ctx.step("charge", [&] { ++charges; });
    };
    requireRight(crashSweep(charge, options));

    options.pairsMax = 1'000;
    const auto report = crashSweep(charge, options);
    REQUIRE_FALSE(report.findings.empty());
    CHECK(report.findings.front().crashes.size() == 2);
    CHECK_THAT(report.findings.front().when, ContainsSubstring("in the recovery from that"));
}

TEST_CASE("pointsMax spreads so many crashes over all of them") {
    Counts counts;
    auto options = counts.options();
    options.pointsMax = 3;
    const auto report = crashSweep(twoSteps, options);

    CHECK(report.pointsCovered == 3);
    CHECK(report.pointsPossible > 9);
    CHECK(counts.runs == 6);
    REQUIRE(report.findings.size() == 3);
    CHECK(report.findings.front().crashes.front().commit == 1);
    CHECK(report.findings.back().crashes.front().commit > 1);
}

TEST_CASE("without torn commits no process dies in one") {
    Counts counts;
    auto options = counts.options();
    options.tornCommits = false;
    options.pairsMax = 1'000;
    const auto report = crashSweep(twoSteps, options);

    CHECK(report.pointsPossible == 3 * report.commits);
    CHECK(report.pointsCovered == report.pointsPossible);
    CHECK(report.pairsPossible > 0);
    for (const auto& crashes : crashesOf(report)) {
        CHECK(std::ranges::count(crashes, CrashKind::tornCommit, &CrashPoint::kind) == 0);
    }
}

TEST_CASE("every suspension ends an invocation in one run, which finds what evictions do") {
    int begun = 0;
    const auto report = crashSweep(
        [&](DurableContext& ctx) -> Task<void> {
            ++begun;
            co_await ctx.wait("first", 1s);
            co_await ctx.wait("second", 1s);
        },
        CrashSweepOptions{.newWorld = [&] { begun = 0; },
                          .check =
                              [&](TestExecution&) {
                                  if (begun > 2) throw std::runtime_error{"begun three times"};
                              }});

    INFO(report.text());
    REQUIRE_FALSE(report.findings.empty());
    CHECK(report.findings.front().when == "when every suspension ended the invocation");
    CHECK(report.findings.front().crashes.empty());
}

TEST_CASE("the destructors of a process that died do not run, those of one that was stopped do") {
    struct Guard {
        explicit Guard(int& count) : ended{&count} {}
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
        ~Guard() { ++*ended; }
        int* ended;
    };
    int ended = 0;
    const auto report = crashSweep(
        [&](DurableContext& ctx) -> Task<void> {
            const Guard guard{ended};
            co_await ctx.step("reserve", [] {});
            co_await ctx.step("charge", [] {});
        },
        CrashSweepOptions{.newWorld = [&] { ended = 0; },
                          .check =
                              [&](TestExecution&) {
                                  if (ended > 1) throw std::runtime_error{"ended twice"};
                              }});

    INFO(report.text());
    CHECK_FALSE(report.findings.empty());
    for (const auto& crashes : crashesOf(report)) {
        REQUIRE(crashes.size() == 1);
        // The failure of the first is told to who started it; at the last the handler has ended.
        const auto [commit, kind, written] = crashes.front();
        const bool isInside = commit > 1 && commit < report.commits;
        CHECK((!isInside || kind == CrashKind::acknowledgementLost));
    }
}

TEST_CASE("each run has a store of its own, made by newStore") {
    std::vector<std::shared_ptr<MemoryStore>> stores;
    const auto report = crashSweep(twoSteps, {.newStore = [&] {
                                       stores.push_back(std::make_shared<MemoryStore>());
                                       return stores.back();
                                   }});

    requireRight(report);
    CHECK(stores.size() == 3 + report.pointsPossible);
    for (const auto& store : stores) CHECK(store->find("handler", "sweep"));
}

TEST_CASE("a store that loses what it was given is found by the bodies that are called again") {
    const auto report =
        crashSweep(twoSteps, {.newStore = [] { return std::make_shared<ForgetfulStore>(); }});

    INFO(report.text());
    CHECK(std::ranges::any_of(report.findings, [](const auto& finding) {
        return finding.text().find(
                   "the body of step \"reserve\" (1) was called although the end "
                   "of attempt 1 is recorded") != std::string::npos;
    }));
}

TEST_CASE("limits hold in a sweep") {
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("load", [] { return std::string(2'000, 'x'); });
        },
        {.limits = {.payloadBytesMax = 1'000}});

    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings.front().when == "in the first run, without a crash");
    CHECK_THAT(report.text(), ContainsSubstring("FAILED"));
}

TEST_CASE("a run that moves the clock more often than timersMax is given up") {
    const auto waiting = [](DurableContext& ctx) -> Task<void> {
        for (int i = 0; i < 4; ++i) co_await ctx.wait(1s);
    };

    requireRight(crashSweep(waiting, {.timersMax = 20}));
    CHECK_THROWS_WITH(crashSweep(waiting, {.timersMax = 3}),
                      ContainsSubstring("the run without a crash did not end"));
}

TEST_CASE("the execution has the timeout and the tenant that start says") {
    std::shared_ptr<Store> store;
    std::set<std::string> tenants;
    const CrashSweepOptions options{
        .check =
            [&](TestExecution& execution) {
                tenants.insert(store->find("handler", "order-7")->start.tenantId);
                CHECK(execution.status() == ExecutionStatus::timedOut);
            },
        .mayFail = true,
        .start = {.name = "order-7", .timeout = 60s, .tenantId = "acme"},
        .newStore = [&] { return store = std::make_shared<MemoryStore>(); }};
    const auto report = crashSweep(
        [](DurableContext& ctx) -> Task<void> {
            co_await ctx.step("reserve", [] {});
            co_await ctx.wait(90s);
        },
        options);

    requireRight(report);
    CHECK(report.end.starts_with("TIMED_OUT"));
    CHECK(tenants == std::set<std::string>{"acme"});
}
