// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/memory_store.hpp>
#include <durable/store/store.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// Another store, as it is but for what a class derived from this one does otherwise. Never says
/// that its appends wait for nothing.
///
/// Thread-safety: as the store behind it.
class ForwardingStore : public Store {
public:
    /// In front of a new store in memory.
    ForwardingStore() : ForwardingStore{std::make_shared<MemoryStore>()} {}
    explicit ForwardingStore(std::shared_ptr<Store> store) : store_{std::move(store)} {}

    void append(std::span<const Commit> commits) override { store_->append(commits); }
    void read(ExecutionId execution, const EntryVisitor& visit) override {
        store_->read(execution, visit);
    }
    [[nodiscard]] std::optional<ExecutionRecord> find(ExecutionId execution) override {
        return store_->find(execution);
    }
    [[nodiscard]] std::optional<ExecutionRecord> find(std::string_view handlerName,
                                                      std::string_view name) override {
        return store_->find(handlerName, name);
    }
    [[nodiscard]] std::vector<ExecutionRecord> list(const ExecutionFilter& filter) override {
        return store_->list(filter);
    }
    [[nodiscard]] ExecutionId lastExecution() override { return store_->lastExecution(); }

protected:
    /// Lets the store go; nothing may be asked of it then.
    void close() noexcept { store_.reset(); }

private:
    std::shared_ptr<Store> store_;
};

}  // namespace testing

}  // namespace durable::inline v0
