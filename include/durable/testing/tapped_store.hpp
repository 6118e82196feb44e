// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/store/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0 {

namespace testing {

/// Another store, with somebody who is told of every entry that it has taken, and a plug that can
/// be pulled.
///
/// Thread-safety: as the store behind it; `unplug` from the thread that appends.
class TappedStore final : public Store {
public:
    using Tap = std::function<void(ExecutionId, const Entry&)>;

    TappedStore(std::shared_ptr<Store> store, Tap tap)
        : store_{std::move(store)}, tap_{std::move(tap)} {}

    /// Nothing is written any more, as when the process is killed.
    void unplug() noexcept { unplugged_ = true; }

    void append(std::span<const Commit> commits) override {
        if (unplugged_) throw StoreError{"the process has been killed"};
        store_->append(commits);
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) tap_(commit.execution, entry);
        }
    }

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

private:
    std::shared_ptr<Store> store_;
    Tap tap_;
    bool unplugged_{};
};

}  // namespace testing

}  // namespace durable::inline v0
