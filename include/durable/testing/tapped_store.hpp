// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/forwarding_store.hpp>

#include <functional>
#include <memory>
#include <span>
#include <utility>

namespace durable::inline v0 {

namespace testing {

/// Another store, with somebody who is told of every entry that it has taken, and a plug that can
/// be pulled.
///
/// Thread-safety: as the store behind it; `unplug` from the thread that appends.
class TappedStore final : public ForwardingStore {
public:
    using Tap = std::function<void(ExecutionId, const Entry&)>;

    TappedStore(std::shared_ptr<Store> store, Tap tap)
        : ForwardingStore{std::move(store)}, tap_{std::move(tap)} {}

    /// Nothing is written any more, as when the process is killed.
    void unplug() noexcept { unplugged_ = true; }

    void append(std::span<const Commit> commits) override {
        if (unplugged_) throw StoreError{"the process has been killed"};
        ForwardingStore::append(commits);
        for (const auto& commit : commits) {
            for (const auto& entry : commit.entries) tap_(commit.execution, entry);
        }
    }

private:
    Tap tap_;
    bool unplugged_{};
};

}  // namespace testing

}  // namespace durable::inline v0
