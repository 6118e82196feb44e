// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/memory_store.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// A memory store that remembers its transactions, so that a test can go back to what was durable
/// after any of them.
class RecordingStore final : public durable::Store {
public:
    void append(std::span<const durable::Commit> commits) override {
        auto& transaction = transactions_.emplace_back();
        for (const auto& commit : commits) transaction.emplace_back(commit);
        store_.append(commits);
    }

    std::vector<durable::Entry> load(durable::ExecutionId id) override { return store_.load(id); }
    std::optional<durable::ExecutionRecord> find(durable::ExecutionId id) override {
        return store_.find(id);
    }
    std::optional<durable::ExecutionRecord> find(std::string_view handlerName,
                                                 std::string_view name) override {
        return store_.find(handlerName, name);
    }
    std::vector<durable::ExecutionRecord> list(const durable::ExecutionFilter& filter) override {
        return store_.list(filter);
    }
    durable::ExecutionId lastExecution() override { return store_.lastExecution(); }

    [[nodiscard]] std::size_t transactions() const { return transactions_.size(); }

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

private:
    struct Kept {
        explicit Kept(const durable::Commit& original)
            : fields{original}, entries{original.entries.begin(), original.entries.end()} {}

        [[nodiscard]] durable::Commit commit() const {
            auto copy = fields;
            copy.entries = entries;
            return copy;
        }

        durable::Commit fields;
        std::vector<durable::Entry> entries;
    };

    durable::MemoryStore store_;
    std::vector<std::vector<Kept>> transactions_;
};
