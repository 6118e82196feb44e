// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/forwarding_store.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

/// A memory store that remembers its transactions, so that a test can go back to what was durable
/// after any of them.
class RecordingStore final : public durable::testing::ForwardingStore {
public:
    void append(std::span<const durable::Commit> commits) override {
        auto& transaction = transactions_.emplace_back();
        for (const auto& commit : commits) transaction.emplace_back(commit);
        ForwardingStore::append(commits);
    }

    [[nodiscard]] std::size_t transactions() const { return transactions_.size(); }

    /// The number of the transaction that ended `execution`, from 1; or 0.
    [[nodiscard]] std::size_t transactionOfEnd(durable::ExecutionId execution) const {
        for (std::size_t i = 0; i < transactions_.size(); ++i) {
            for (const auto& kept : transactions_[i]) {
                if (kept.fields.execution == execution && kept.fields.end) return i + 1;
            }
        }
        return 0;
    }

    /// A store as a crash after the first `count` transactions would have left it.
    [[nodiscard]] std::shared_ptr<RecordingStore> after(std::size_t count) const {
        auto store = std::make_shared<RecordingStore>();
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<durable::Commit> commits;
            for (const auto& kept : transactions_[i]) commits.push_back(kept.commit());
            store->append(commits);
        }
        return store;
    }

    /// A store that holds everything but that `execution` has ended: an engine runs its handler
    /// once more, over its complete past.
    [[nodiscard]] std::shared_ptr<RecordingStore> withoutEndOf(
        durable::ExecutionId execution) const {
        auto store = std::make_shared<RecordingStore>();
        for (const auto& transaction : transactions_) {
            auto kept = transaction;
            for (auto& each : kept) {
                if (each.fields.execution == execution && each.fields.end) each.removeEnd();
            }
            std::vector<durable::Commit> commits;
            for (const auto& each : kept) commits.push_back(each.commit());
            store->append(commits);
        }
        return store;
    }

private:
    struct Kept {
        explicit Kept(const durable::Commit& original)
            : fields{original}, entries{original.entries.begin(), original.entries.end()} {}

        [[nodiscard]] durable::Commit commit() const {
            auto copy = fields;
            copy.entries = entries;
            return copy;
        }

        void removeEnd() {
            fields.end.reset();
            std::erase_if(entries, [](const durable::Entry& entry) {
                return entry.operationId.empty() && entry.kind != durable::EntryKind::started;
            });
        }

        durable::Commit fields;
        std::vector<durable::Entry> entries;
    };

    std::vector<std::vector<Kept>> transactions_;
};
