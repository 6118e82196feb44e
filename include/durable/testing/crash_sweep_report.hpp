// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/crash_point.hpp>
#include <durable/testing/test_failure.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// One run that was not as it would have been without a crash.
struct CrashFinding {
    std::string when{};  ///< what befell it, such as `the process died before commit 2 [...]`

    /// The same as data. Empty: it needs no crash, and `when` says what it does need.
    std::vector<CrashPoint> crashes{};

    std::vector<std::string> differences{};  ///< at least one; the most telling first

    /// What else it may come from, and what to do then. Empty: nothing is known.
    std::string hint{};

    [[nodiscard]] std::string text() const {
        auto text = when + ":";
        for (const auto& difference : differences) text += "\n  - " + difference;
        if (!hint.empty()) text += "\n  " + hint;
        return text;
    }
};

/// What a crash sweep found.
struct CrashSweepReport {
    std::string end{};             ///< of the first run, such as `SUCCEEDED with "shipped"`
    std::size_t commits{};         ///< of the run without a crash
    std::size_t pointsPossible{};  ///< moments at which a process can die
    std::size_t pointsCovered{};   ///< at which one has died
    std::size_t pairsPossible{};   ///< of two such moments; 0 if pairs were not wanted
    std::size_t pairsCovered{};
    std::size_t bodyCalls{};  ///< calls of step bodies, over all runs
    bool checked{};           ///< whether there was a `check` to look at the world
    std::string notSwept{};   ///< why no crash was tried; empty if one was
    std::vector<CrashFinding> findings{};

    /// The numbers, and the findings in full; at most `findingsMax` of them.
    [[nodiscard]] std::string text(std::size_t findingsMax = 5) const {
        auto text =
            fmt::format("crash sweep: {} of {} crash points", pointsCovered, pointsPossible);
        if (pairsPossible > 0) {
            text += fmt::format(", {} of {} pairs", pairsCovered, pairsPossible);
        }
        text += fmt::format(", {} calls of step bodies; {} finding{}", bodyCalls, findings.size(),
                            findings.size() == 1 ? "" : "s");
        if (!notSwept.empty()) text += "\nNo crash was tried: " + notSwept;
        if (!checked) text += "\nNo check was given: only the journals were compared.";
        const auto told = std::min(findings.size(), findingsMax);
        for (std::size_t i = 0; i < told; ++i) {
            text += fmt::format("\n{}. {}", i + 1, findings[i].text());
        }
        if (told < findings.size()) text += fmt::format("\n... {} more", findings.size() - told);
        return text;
    }

    /// \throws TestFailure with `text()` if there is a finding.
    void requireNone() const {
        if (!findings.empty()) throw TestFailure{text()};
    }
};

}  // namespace testing

}  // namespace durable::inline v0
