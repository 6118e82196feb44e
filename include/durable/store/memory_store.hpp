// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/store/store.hpp>

#include <fmt/core.h>

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// Keeps journals in memory: for tests, and for programs that need no durability. Several engines
/// may use one after another, as if the process had been restarted.
class MemoryStore final : public Store {
public:
    void append(std::span<const Commit> commits) override {
        const std::scoped_lock lock{mutex_};
        requirePossible(commits);
        for (const auto& commit : commits) append(commit);
    }

    void read(ExecutionId execution, const EntryVisitor& visit) override {
        const std::scoped_lock lock{mutex_};
        const auto found = executions_.find(execution);
        if (found == executions_.end()) return;
        for (const auto& entry : found->second.entries) visit(entry);
    }

    [[nodiscard]] std::optional<ExecutionRecord> find(ExecutionId execution) override {
        const std::scoped_lock lock{mutex_};
        const auto found = executions_.find(execution);
        if (found == executions_.end()) return std::nullopt;
        return found->second.record;
    }

    [[nodiscard]] std::optional<ExecutionRecord> find(std::string_view handlerName,
                                                      std::string_view name) override {
        const std::scoped_lock lock{mutex_};
        const auto found = names_.find({std::string{handlerName}, std::string{name}});
        if (found == names_.end()) return std::nullopt;
        return executions_.at(found->second).record;
    }

    [[nodiscard]] std::vector<ExecutionRecord> list(const ExecutionFilter& filter) override {
        const std::scoped_lock lock{mutex_};
        std::vector<ExecutionRecord> records;
        for (auto at = executions_.upper_bound(filter.after);
             at != executions_.end() && records.size() < filter.countMax; ++at) {
            if (matches(at->second.record, filter)) records.push_back(at->second.record);
        }
        return records;
    }

    [[nodiscard]] bool isInstant() const noexcept override { return true; }

    [[nodiscard]] ExecutionId lastExecution() override {
        const std::scoped_lock lock{mutex_};
        return executions_.empty() ? 0 : executions_.rbegin()->first;
    }

private:
    struct Kept {
        ExecutionRecord record;
        std::deque<Entry> entries;  // grows without moving what is there
    };

    using Name = std::pair<std::string, std::string>;

    [[nodiscard]] static Name nameOf(const ExecutionStart& start) {
        return {start.handlerName, start.name};
    }

    void requirePossible(std::span<const Commit> commits) const {
        std::set<ExecutionId> started;
        std::set<Name> names;
        for (const auto& commit : commits) {
            const auto id = commit.execution;
            const bool known = executions_.contains(id) || started.contains(id);
            if (known == commit.start.has_value()) {
                refuse(fmt::format("execution {} is {} in it", id, known ? "already" : "not"));
            }
            if (!commit.start) continue;
            started.insert(id);
            const auto name = nameOf(*commit.start);
            if (names_.contains(name) || !names.insert(name).second) {
                refuse(fmt::format("the name \"{}\" is taken", commit.start->name));
            }
        }
    }

    [[noreturn]] static void refuse(const std::string& why) {
        throw StoreError{"Could not append to the journal: " + why};
    }

    void append(const Commit& commit) {
        auto& [record, entries] = executions_[commit.execution];
        if (commit.start) {
            record.id = commit.execution;
            record.start = *commit.start;
            names_.emplace(nameOf(*commit.start), commit.execution);
        }
        entries.insert(entries.end(), commit.entries.begin(), commit.entries.end());
        if (commit.end) record.end = *commit.end;
        if (record.end) {
            record.suspension = {};
        } else if (commit.suspension) {
            record.suspension = *commit.suspension;
        }
        for (const auto child : commit.acknowledged) {
            const auto found = executions_.find(child);
            if (found != executions_.end()) found->second.record.endAcknowledged = true;
        }
    }

    [[nodiscard]] static bool matches(const ExecutionRecord& record,
                                      const ExecutionFilter& filter) {
        if (filter.handlerName && record.start.handlerName != *filter.handlerName) return false;
        if (filter.status && record.status() != *filter.status) return false;
        if (!filter.onlyUnacknowledged) return true;
        return record.start.invokerExecution != 0 && record.end && !record.endAcknowledged;
    }

    std::mutex mutex_;
    std::map<ExecutionId, Kept> executions_;
    std::map<Name, ExecutionId> names_;
};

}  // namespace durable::inline v0
