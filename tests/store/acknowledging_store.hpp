// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry_json.hpp>
#include <durable/journal/names.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/forwarding_store.hpp>

#include <fmt/core.h>

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

/// All that a store holds, as text.
inline std::string contentOf(durable::Store& store) {
    std::string text;
    durable::forEachRecord(store, {}, [&](const durable::ExecutionRecord& record) {
        const auto& [waiting, wakeAt] = record.suspension;
        text += fmt::format("{} {} {} {} {} {}\n{}\n", record.id, record.start.name,
                            durable::wireName(record.status()),
                            record.end ? record.end->result.value_or("-") : "", waiting,
                            wakeAt ? wakeAt->time_since_epoch().count() : 0,
                            durable::entriesToJson(store.load(record.id)));
    });
    return text;
}

/// A store that remembers which appends have returned, and which have thrown.
class AcknowledgingStore final : public durable::testing::ForwardingStore {
public:
    using Entries = std::map<durable::ExecutionId, std::vector<std::string>>;

    using ForwardingStore::ForwardingStore;

    void append(std::span<const durable::Commit> commits) override {
        try {
            ForwardingStore::append(commits);
        } catch (const durable::StoreError&) {
            remember(commits, failed_);
            throw;
        }
        remember(commits, acknowledged_);
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) {
                const bool isStep = entry.type == durable::OperationType::step;
                if (isStep && entry.kind == durable::EntryKind::succeeded) {
                    steps_.insert(entry.name);
                }
            }
        }
        if (afterAppend_) afterAppend_();
    }

    /// Lets the store go. What was remembered stays.
    using ForwardingStore::close;

    /// Called after each append that returned.
    void afterAppend(std::function<void()> action) { afterAppend_ = std::move(action); }

    /// The entries whose append returned, by execution, each as JSON.
    [[nodiscard]] const Entries& acknowledged() const { return acknowledged_; }

    /// Those whose append threw.
    [[nodiscard]] const Entries& failed() const { return failed_; }

    /// Names of the steps whose result is acknowledged.
    [[nodiscard]] const std::set<std::string>& steps() const { return steps_; }

private:
    static void remember(std::span<const durable::Commit> commits, Entries& entries) {
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) {
                entries[commit.execution].push_back(durable::entriesToJson({&entry, 1}));
            }
        }
    }

    Entries acknowledged_;
    Entries failed_;
    std::set<std::string> steps_;
    std::function<void()> afterAppend_;
};
