// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

/// What one process of the engine under test needs to know.
struct WorkerOptions {
    std::filesystem::path journal{};  ///< the SQLite file; goes on with what it holds
    std::filesystem::path log{};      ///< gets log lines added, so that they survive a crash
    bool parked{};
};

/// Answers requests, a line of JSON each, from standard input to standard output until it ends.
/// Every request says what time it is; nothing happens between two requests.
///
/// | request | reply |
/// |---|---|
/// | `{"op":"start","handler":H,"name":N,"input":I}` | `{"executionArn":A}` |
/// | `{"op":"next","until":ms}`: what is due first, at its time, if that is not later |
/// `{"fired":bool,"now":ms}` | | `{"op":"history","handler":H,"name":N}` | `{"Events":[...]}` | |
/// `{"op":"execution","handler":H,"name":N}` | `{"Status":S,"Result":"text"}` | |
/// `{"op":"callback",...}` as in the protocol of the requirements | `{}` |
int runWorker(const WorkerOptions& options);
