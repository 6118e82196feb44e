// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/crash_sweep_report.hpp>

#include <support/catch.hpp>

/// No finding, and every point was tried.
inline void requireRight(const durable::testing::CrashSweepReport& report) {
    INFO(report.text());
    CHECK(report.findings.empty());
    CHECK(report.notSwept.empty());
    CHECK(report.pointsCovered == report.pointsPossible);
    report.requireNone();
}
