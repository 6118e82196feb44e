// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/start_options.hpp>
#include <durable/journal/limits.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/local_runner.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace durable::inline v0 {

namespace testing {

struct CrashSweepOptions {
    /// Registers what the handler invokes, once for each run: `registerHandler`,
    /// `registerFunction`.
    std::function<void(LocalRunner&)> setUp{};

    /// Makes the world outside anew, before each run: ledgers, files, queues, whatever outlives the
    /// process and is seen by step bodies. Empty: there is none.
    std::function<void()> newWorld{};

    /// Sets back what a process loses when it dies: statics, caches. Called before each run and
    /// after each crash. The sweep runs in one process, where they live on: that a workflow needs
    /// one of them after a crash is found only if this sets it back. Members and captures of the
    /// handler need no care: each process gets a copy of it as it was given.
    std::function<void()> newProcess{};

    /// Looks at the world after each run, the one without a crash too: that each order was charged
    /// once, say. What it throws, if it is a `std::exception`, is a finding.
    std::function<void(TestExecution&)> check{};

    /// Who completes callbacks: called with one that is open, when nothing else can go on. `asked`
    /// is the `createCallback` or `waitForCallback`; its `callbackId()` completes it. It must do
    /// the same on every run. A callback that it leaves alone times out. Empty: all do.
    std::function<void(TestExecution& execution, const TestOperation& asked)> answerCallback{};

    /// Names of operations that give another result in each run, and are meant to: a step that
    /// draws an id or looks at the clock. Such a result is not compared, and neither are the
    /// strings and numbers of six characters or more in it where they appear again: in other
    /// results and errors, in names, in how the execution ends. What is computed from it is another
    /// result; name the operation that does so too.
    std::vector<std::string> freshResults{};

    /// Whether the execution may end other than by success when nothing crashes. false: that is a
    /// finding, and nothing is swept. true: a crash must still come to the same end.
    bool mayFail{false};

    /// Whether an execution may end otherwise if the crash cut off a step with at-most-once
    /// semantics and that step has no further attempt. false: that is a finding. true: such runs
    /// are only looked at by `check`, and for bodies called too often. In either case the histories
    /// of such runs are not compared: there are more attempts in them, and later ones.
    bool cutOffStepsMayFail{false};

    /// Whether processes die in the midst of commits too; see `CrashKind::tornCommit`. Where a
    /// batch or combinator ends early (`any`, `race`, `CompletionConfig`) another branch may win
    /// after such a crash, and that is a finding though the workflow may be right: false then.
    bool tornCommits{true};

    /// How many crash points are tried, spread evenly. By default all.
    std::size_t pointsMax{std::numeric_limits<std::size_t>::max()};

    /// How many pairs of crashes are tried, the second one during the recovery from the first,
    /// spread evenly over all of them. By default none.
    std::size_t pairsMax{0};

    /// Name, timeout and tenant of the execution. Without a name it is called `sweep`.
    StartOptions start{};

    /// Makes the store of each run. Not opened anew after a crash. Empty: in memory. A new
    /// `SqliteStore` file for each run is slow: some 17 s for a workflow of twenty steps.
    std::function<std::shared_ptr<Store>()> newStore{};

    Limits limits{};

    /// How often a run may move the clock before it is given up.
    std::size_t timersMax{10'000};
};

}  // namespace testing

}  // namespace durable::inline v0
