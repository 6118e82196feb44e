// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/crash_sweep_options.hpp>
#include <durable/testing/crash_sweep_report.hpp>
#include <durable/testing/sweep_difference.hpp>
#include <durable/testing/sweep_run.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

namespace detail {

/// One crash sweep from its first run to its report.
class CrashSweep {
public:
    explicit CrashSweep(SweepSubject subject) : subject_{std::move(subject)} {}

    [[nodiscard]] CrashSweepReport run() {
        clean_ = runThrough({});
        if (!clean_.stuck.empty()) {
            throw TestFailure{"the run without a crash did not end: " + clean_.stuck};
        }
        const auto points = pointsOf(clean_.lives.front());
        report_.end = clean_.end;
        report_.commits = clean_.lives.front().size();
        report_.pointsPossible = points.size();
        report_.checked = subject_.options.check != nullptr;

        if (!isRightAtFirst()) {
            report_.notSwept = "the first run already went wrong.";
        } else if (!isRightAgain()) {
            report_.notSwept = "the second run already went otherwise than the first one.";
        } else {
            compare("when every suspension ended the invocation", {}, runThrough({}, false));
            if (subject_.options.pointsMax == 0) report_.notSwept = "pointsMax is 0.";
            sweep(points);
            hintAtTornCommits();
        }
        return std::move(report_);
    }

private:
    /// A crash that was tried, and the commits of the recovery from it.
    struct Tried {
        CrashPoint point;
        std::vector<CommitText> recovery;
    };

    /// \return whether there is something with which other runs can be compared.
    bool isRightAtFirst() {
        const bool failed = !clean_.end.starts_with(wireName(ExecutionStatus::succeeded));
        CrashFinding finding{.when = "in the first run, without a crash"};
        if (failed && !subject_.options.mayFail) {
            finding.differences.push_back("the execution " + clean_.end);
            finding.hint =
                "If it is meant to, set mayFail. If not: does setUp register all that it invokes, "
                "does answerCallback\n  answer, does newWorld make what its steps need?";
        }
        for (auto& difference : differencesOf(clean_)) {
            finding.differences.push_back(std::move(difference));
        }
        if (finding.differences.empty()) return true;
        report_.findings.push_back(std::move(finding));
        return false;
    }

    bool isRightAgain() {
        return compare(
            "in the second run, without a crash", {}, runThrough({}),
            "If a step is meant to give another result in each run, as an id or the time, name it "
            "in freshResults.\n  Else it is a mistake: something outside of steps is different in "
            "each run, or is left over from the first\n  one. newWorld, newProcess, setUp and "
            "answerCallback may be the cause too: they must do the same for each run.");
    }

    void sweep(const std::vector<CrashPoint>& points) {
        std::vector<Tried> tried;
        forSome(points.size(), subject_.options.pointsMax, [&](std::size_t i) {
            const auto now = runThrough({points[i]});
            if (!compareCrashed({points[i]}, now)) return;
            ++report_.pointsCovered;
            if (now.lives.size() > 1) tried.push_back({points[i], now.lives[1]});
        });
        if (subject_.options.pairsMax > 0) sweepPairs(tried);
    }

    void sweepPairs(const std::vector<Tried>& tried) {
        std::vector<std::vector<CrashPoint>> pairs;
        for (const auto& first : tried) {
            for (const auto& second : pointsOf(first.recovery)) {
                pairs.push_back({first.point, second});
            }
        }
        report_.pairsPossible = pairs.size();
        forSome(pairs.size(), subject_.options.pairsMax, [&](std::size_t i) {
            if (compareCrashed(pairs[i], runThrough(pairs[i]))) ++report_.pairsCovered;
        });
    }

    /// All moments at which a process with these commits can die.
    [[nodiscard]] std::vector<CrashPoint> pointsOf(const std::vector<CommitText>& commits) const {
        const bool torn = subject_.options.tornCommits;
        std::vector<CrashPoint> points;
        for (std::size_t commit = 1; commit <= commits.size(); ++commit) {
            points.push_back({.commit = commit, .kind = CrashKind::beforeCommit});
            for (std::size_t entries = 1; torn && entries < commits[commit - 1].entries;
                 ++entries) {
                points.push_back(
                    {.commit = commit, .kind = CrashKind::tornCommit, .entriesWritten = entries});
            }
            points.push_back({.commit = commit, .kind = CrashKind::afterCommit});
            points.push_back({.commit = commit, .kind = CrashKind::acknowledgementLost});
        }
        return points;
    }

    /// Calls `visit` for `most` of `count` numbers, spread evenly.
    template <class Visit>
    static void forSome(std::size_t count, std::size_t most, Visit visit) {
        const auto chosen = std::min(count, most);
        for (std::size_t i = 0; i < chosen; ++i) visit(chosen == count ? i : i * count / chosen);
    }

    [[nodiscard]] SweepOutcome runThrough(std::vector<CrashPoint> points, bool parked = true) {
        auto outcome = SweepRun{subject_, std::move(points), parked}.run();
        report_.bodyCalls += outcome.bodyCalls;
        return outcome;
    }

    /// \return whether the run came to its crashes as the one without them did.
    bool compareCrashed(const std::vector<CrashPoint>& points, const SweepOutcome& now) {
        std::string when;
        for (std::size_t i = 0; i < points.size() && i < now.crashes; ++i) {
            when += (i == 0 ? "" : ", and in the recovery from that ") +
                    textOf(points[i], now.lives[i][points[i].commit - 1]);
        }
        if (now.crashes == points.size()) {
            compare(std::move(when), points, now);
            return true;
        }
        const auto& missed = points[now.crashes];
        report_.findings.push_back(
            {.when = when.empty() ? "without a crash" : std::move(when),
             .crashes = {points.begin(), points.begin() + static_cast<std::ptrdiff_t>(now.crashes)},
             .differences = {fmt::format("this time there was no commit {}: the workflow does not "
                                         "make the same commits on every run",
                                         missed.commit)}});
        return false;
    }

    /// What other crashes find too needs no torn commit.
    void hintAtTornCommits() {
        const auto isTorn = [](const CrashFinding& finding) {
            return std::ranges::find(finding.crashes, CrashKind::tornCommit, &CrashPoint::kind) !=
                   finding.crashes.end();
        };
        if (!std::ranges::all_of(report_.findings, isTorn)) return;
        for (auto& finding : report_.findings) {
            finding.hint =
                "Only torn commits show this. If a batch or combinator ends early here (any, race, "
                "minSuccessful...) and\n  another branch may win, that is right: set tornCommits "
                "to "
                "false.";
        }
    }

    /// \return whether it went as without a crash.
    bool compare(std::string when, std::vector<CrashPoint> points, const SweepOutcome& now,
                 std::string hint = {}) {
        auto differences = differencesOf(now);
        if (differences.empty()) return true;
        report_.findings.push_back({.when = std::move(when),
                                    .crashes = std::move(points),
                                    .differences = std::move(differences),
                                    .hint = std::move(hint)});
        return false;
    }

    [[nodiscard]] std::vector<std::string> differencesOf(const SweepOutcome& now) const {
        return SweepComparison{clean_, now, subject_.options.cutOffStepsMayFail}.run();
    }

    SweepSubject subject_;
    SweepOutcome clean_;
    CrashSweepReport report_;
};

template <class Function>
[[nodiscard]] CrashSweepReport sweepCrashes(Function handler,
                                            std::function<void(LocalRunner&, StartOptions)> start,
                                            CrashSweepOptions options) {
    const auto registerHandler = [handler = std::move(handler)](LocalRunner& runner) {
        runner.registerHandler(LocalRunnerOptions{}.handlerName, handler);
    };
    return CrashSweep{{registerHandler, std::move(start), std::move(options)}}.run();
}

}  // namespace detail

/// Runs `handler` with `input` once as it is, and then anew for every commit of that run: with the
/// process dying before the commit, after it, in its midst, and with its acknowledgement lost. Each
/// run goes on from what is in the store and must come to what the first one came to: the same end,
/// the same history but for the restart, no body called whose result is recorded, each called as
/// often as its semantics allow, and what `options.check` says of the world outside.
///
///     auto report = durable::testing::crashSweep(processOrder, Order{"A-1"}, {
///         .newWorld = [&] { bank = {}; },
///         .check = [&](auto&) { if (bank.charges != 1) throw std::runtime_error{"charged twice"};
///         },
///     });
///     report.requireNone();
///
/// Beside the crashes it runs the handler a second time as it is, and once with every suspension
/// ending the invocation, which must make no difference either. A step that is meant to give
/// another result in each run, an id or the time, is named in `CrashSweepOptions::freshResults`.
///
/// Not compared are the order of events of different operations, and how far branches came that a
/// batch or combinator did not wait for. Where several branches of one that ends early end at the
/// same moment, another may win after a torn commit, and that is a finding unless
/// `CrashSweepOptions::tornCommits` is false.
///
/// All runs are in the calling thread, on a clock that jumps; there is one for each crash, so time
/// grows with the square of the commits. A workflow of twenty plain steps takes 0.2 s without
/// optimization, with a wait after each 2 s, with three attempts for each 7 s; at `-O2` a tenth.
/// \throws TestFailure if the run without a crash does not end; what the functions of `options`
///     throw, other than `check`.
template <class Function, class Input>
[[nodiscard]] CrashSweepReport crashSweep(Function handler, const Input& input,
                                          CrashSweepOptions options = {}) {
    return detail::sweepCrashes(
        std::move(handler),
        [input](LocalRunner& runner, StartOptions start) {
            (void)runner.start(input, std::move(start));
        },
        std::move(options));
}

/// The same for a handler without input.
template <class Function>
[[nodiscard]] CrashSweepReport crashSweep(Function handler, CrashSweepOptions options = {}) {
    return detail::sweepCrashes(
        std::move(handler),
        [](LocalRunner& runner, StartOptions start) {
            (void)runner.startHandler(LocalRunnerOptions{}.handlerName, std::move(start));
        },
        std::move(options));
}

}  // namespace testing

}  // namespace durable::inline v0
