// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/journal/replay_check.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/crash_point.hpp>
#include <durable/testing/forwarding_store.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// Another store, whose process can be made to die around any commit. Knows what was written.
///
/// Thread-safety: none but the store's behind it.
class CrashingStore final : public ForwardingStore {
public:
    using ForwardingStore::ForwardingStore;

    /// A process begins: its commits are counted from 1, and it dies at `point`. `onCrash` is
    /// called then.
    void beginLife(std::optional<CrashPoint> point, std::function<void()> onCrash) {
        point_ = point;
        onCrash_ = std::move(onCrash);
        crashed_.reset();
        commits_.clear();
    }

    /// How the process has died; empty if it lives.
    [[nodiscard]] const std::optional<CrashPoint>& crashed() const noexcept { return crashed_; }

    /// The commits of this life, the one at which it ended included.
    [[nodiscard]] const std::vector<CommitText>& commits() const noexcept { return commits_; }

    /// Whether the end of that attempt has been written.
    [[nodiscard]] bool isRecorded(ExecutionId execution, const std::string& operationId,
                                  std::uint32_t attempt) const {
        return attempts_.contains({execution, operationId, attempt});
    }

    void append(std::span<const Commit> commits) override {
        if (crashed_ && crashed_->kind != CrashKind::acknowledgementLost) {
            throw StoreError{"the process has been killed"};
        }
        commits_.push_back(describe(commits));
        if (!point_ || point_->commit != commits_.size()) return write(commits);
        crashed_ = std::exchange(point_, std::nullopt);
        if (crashed_->kind == CrashKind::tornCommit) {
            write(beginningOf(commits, crashed_->entriesWritten));
        } else if (crashed_->kind != CrashKind::beforeCommit) {
            write(commits);
        }
        onCrash_();
        throw StoreError{"the commit failed, as the crash sweep wanted"};
    }

private:
    void write(std::span<const Commit> commits) {
        ForwardingStore::append(commits);
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) {
                if (entry.attempt == 0) continue;
                attempts_.emplace(commit.execution, entry.operationId, entry.attempt);
            }
        }
    }

    /// The first entries of the commits. Before them an execution no longer counts as waiting; that
    /// it waits again, or has ended, is said after them.
    [[nodiscard]] static std::vector<Commit> beginningOf(std::span<const Commit> commits,
                                                         std::size_t entries) {
        std::vector<Commit> beginning;
        for (const auto& commit : commits) {
            if (entries == 0) break;
            auto& kept = beginning.emplace_back(commit);
            const auto count = std::min(entries, commit.entries.size());
            entries -= count;
            if (count == commit.entries.size()) continue;
            kept.entries = commit.entries.first(count);
            kept.end.reset();
            if (kept.suspension) kept.suspension = Suspension{};
            kept.acknowledged.clear();
        }
        return beginning;
    }

    [[nodiscard]] CommitText describe(std::span<const Commit> commits) {
        CommitText text;
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) {
                constexpr std::size_t toldMax = 3;
                const auto told = describe(commit.execution, entry);
                if (text.entries++ < toldMax) text.what += (text.what.empty() ? "" : ", ") + told;
                if (text.entries == toldMax + 1) text.what += ", ...";
            }
        }
        if (text.entries == 0) text.what = "that it waits";
        return text;
    }

    [[nodiscard]] std::string describe(ExecutionId execution, const Entry& entry) {
        auto& operation = names_[{execution, entry.operationId}];
        if (operation.empty()) {
            operation = entry.operationId.empty()
                            ? "the execution"
                            : fmt::format("{} ({})",
                                          durable::describe({.type = entry.type,
                                                             .subType = entry.subType,
                                                             .name = entry.name}),
                                          entry.operationId);
        }
        return operation + ' ' + std::string{verbOf(entry.kind)};
    }

    [[nodiscard]] static std::string_view verbOf(EntryKind kind) {
        switch (kind) {
            case EntryKind::started: return "started";
            case EntryKind::succeeded: return "succeeded";
            case EntryKind::failed: return "failed";
            case EntryKind::retried: return "will be tried again";
            case EntryKind::becameReady: return "is due again";
            case EntryKind::timedOut: return "timed out";
            case EntryKind::cancelled: return "was cancelled";
            case EntryKind::stopped: return "was stopped";
            case EntryKind::heartbeat: return "got a heartbeat";
            case EntryKind::invocationCompleted: return "ended an invocation";
        }
        return "";
    }

    std::optional<CrashPoint> point_;
    std::optional<CrashPoint> crashed_;
    std::function<void()> onCrash_;
    std::vector<CommitText> commits_;
    std::set<std::tuple<ExecutionId, std::string, std::uint32_t>> attempts_;
    std::map<std::pair<ExecutionId, std::string>, std::string> names_;
};

}  // namespace testing

}  // namespace durable::inline v0
