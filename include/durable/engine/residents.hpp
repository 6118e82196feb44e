// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/completion.hpp>
#include <durable/engine/execution_driver.hpp>
#include <durable/engine/parked.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// Where the executions are that have not ended: in memory, where they run or are parked, or in the
/// store only, where they wait for the world.
///
/// Thread-safety: none.
class Residents {
public:
    explicit Residents(std::size_t parkedMax) : parked_{parkedMax} {}

    [[nodiscard]] std::size_t size() const noexcept { return drivers_.size(); }
    [[nodiscard]] std::size_t running() const noexcept { return drivers_.size() - parked_.size(); }
    [[nodiscard]] std::size_t parked() const noexcept { return parked_.size(); }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
    [[nodiscard]] bool mayPark() const noexcept { return parked_.limit() > 0; }

    /// The driver of an execution in memory, or null.
    [[nodiscard]] std::shared_ptr<ExecutionDriver> find(ExecutionId id) const {
        const auto found = drivers_.find(id);
        return found == drivers_.end() ? nullptr : found->second;
    }

    template <class Visit>
    void forEach(Visit visit) const {
        for (const auto& [id, driver] : drivers_) visit(*driver);
    }

    void add(ExecutionId id, std::shared_ptr<ExecutionDriver> driver) {
        waiting_.erase(id);
        drivers_.emplace(id, std::move(driver));
    }

    /// \return the execution that has to go for it, if too many are parked now.
    [[nodiscard]] std::optional<ExecutionId> park(ExecutionId id) { return parked_.add(id); }
    void unpark(ExecutionId id) { parked_.remove(id); }

    /// The execution is in the store only. One that is in memory stays there.
    /// \return whether it is.
    bool addWaiting(ExecutionId id) {
        if (drivers_.contains(id)) return false;
        waiting_.insert(id);
        return true;
    }

    /// The execution is in memory no longer.
    void remove(const ExecutionDriver& driver) {
        const auto id = driver.identity().id;
        const auto found = drivers_.find(id);
        if (found == drivers_.end() || found->second.get() != &driver) return;
        parked_.remove(id);
        drivers_.erase(found);
    }

    /// Ready when no execution runs: see `tellIfIdle`.
    [[nodiscard]] std::shared_ptr<const Promised<bool>> idle() {
        awaitingIdle_.push_back(std::make_shared<Promised<bool>>());
        const auto idle = awaitingIdle_.back();
        tellIfIdle();
        return idle;
    }

    /// To be called when an execution has stopped to run and nothing it leads to is left to do.
    void tellIfIdle() {
        if (running() > 0) return;
        for (const auto& idle : std::exchange(awaitingIdle_, {})) idle->set(true);
    }

private:
    std::unordered_map<ExecutionId, std::shared_ptr<ExecutionDriver>> drivers_;
    std::unordered_set<ExecutionId> waiting_;
    Parked parked_;
    std::vector<std::shared_ptr<Promised<bool>>> awaitingIdle_;
};

}  // namespace durable::inline v0
