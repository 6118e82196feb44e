// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <string>

namespace durable::inline v0 {

namespace testing {

/// How a process dies around a commit.
enum class CrashKind {
    /// Just before it: what it would have written is lost, though step bodies have run.
    beforeCommit,

    /// Just after it: nothing of the program ran on from there. But at the commit of a start, or of
    /// an answer to a callback, who waits for it is told that it failed, and frames of the handler
    /// are destroyed.
    afterCommit,

    /// It is written, but the engine is told that it failed, and goes on with everything else. Who
    /// called `start` calls it again; then the process is stopped in order and started anew.
    acknowledgementLost,

    /// In the midst of it: only its first entries are written.
    ///
    /// `MemoryStore` and `SqliteStore` write a commit whole or not at all, but what is in one is a
    /// matter of time: a step that runs longer than `EngineOptions::startVisibleAfter` has its
    /// start written alone, and branches that end at different moments are written apart. In a
    /// sweep no time passes while bodies run; torn commits stand for that, though not each of them
    /// can come of it. For a store of one's own that appends entry by entry they are what a power
    /// cut leaves, provided that the store clears `Suspension::waiting` before the entries, and
    /// sets it, and the end of an execution, after them.
    tornCommit,
};

/// One moment at which a process dies.
struct CrashPoint {
    std::size_t commit{};  ///< number of the commit since the process began, from 1
    CrashKind kind{CrashKind::beforeCommit};
    std::size_t entriesWritten{};  ///< of a torn commit: at least 1, fewer than it has

    friend bool operator==(const CrashPoint&, const CrashPoint&) = default;
};

/// One commit, for people.
struct CommitText {
    std::string what{};  ///< such as `step "charge" (1) succeeded`
    std::size_t entries{};

    friend bool operator==(const CommitText&, const CommitText&) = default;
};

/// The moment, for people; `commit` is the one that it is about.
[[nodiscard]] inline std::string textOf(const CrashPoint& point, const CommitText& commit) {
    const auto place = fmt::format("commit {} [{}]", point.commit, commit.what);
    switch (point.kind) {
        case CrashKind::beforeCommit: return "the process died before " + place;
        case CrashKind::afterCommit: return "the process died after " + place;
        case CrashKind::acknowledgementLost:
            return "the engine was told that it failed to write " + place + ", which is written";
        case CrashKind::tornCommit:
            return fmt::format("the process died in {}, {} of {} entries of it written", place,
                               point.entriesWritten, commit.entries);
    }
    return "";
}

}  // namespace testing

}  // namespace durable::inline v0
