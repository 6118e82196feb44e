// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/boxed.hpp>
#include <durable/base/clock.hpp>
#include <durable/base/error_object.hpp>
#include <durable/journal/entry.hpp>
#include <durable/journal/execution_status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// The port to where journals live. A store keeps and gives back; it decides nothing.

namespace durable::inline v0 {

/// Number of an execution within its store, from 1; given by the engine, never used twice.
using ExecutionId = std::int64_t;

/// What identifies an execution, fixed when it is started.
struct ExecutionStart {
    std::string handlerName{};
    std::string name{};  ///< unique among the executions of its handler
    std::optional<std::string> input{};
    TimePoint startTime{};
    std::optional<std::chrono::seconds> timeout{};
    std::string tenantId{};

    /// The execution and operation that invoked this one; 0 and empty if started from outside.
    ExecutionId invokerExecution{};
    std::string invokerOperation{};
};

/// How an execution ended.
struct ExecutionEnd {
    ExecutionStatus status{ExecutionStatus::succeeded};
    std::optional<std::string> result{};
    Boxed<ErrorObject> error{};
    TimePoint endTime{};
};

/// Whether an execution only waits for the world, and until when.
struct Suspension {
    bool waiting{};                     ///< false: it runs, or did when the process ended
    std::optional<TimePoint> wakeAt{};  ///< the next timer, or empty if there is none

    friend bool operator==(const Suspension&, const Suspension&) = default;
};

/// What one commit adds to one execution. Members left empty are not changed.
struct Commit {
    ExecutionId execution{};
    std::optional<ExecutionStart> start{};  ///< of the first commit of an execution
    std::span<const Entry> entries{};       ///< may be empty
    std::optional<ExecutionEnd> end{};      ///< of the last commit of an execution
    std::optional<Suspension> suspension{};
    std::vector<ExecutionId> acknowledged{};  ///< invoked executions whose end is now recorded
};

/// An execution as the list of executions tells it.
struct ExecutionRecord {
    ExecutionId id{};
    ExecutionStart start{};
    std::optional<ExecutionEnd> end{};  ///< empty while it is not ended
    Suspension suspension{};

    /// Whether the execution that invoked this one has recorded its end.
    bool endAcknowledged{};

    [[nodiscard]] ExecutionStatus status() const {
        return end ? end->status : ExecutionStatus::running;
    }
};

/// Which executions to list. An empty member does not count.
struct ExecutionFilter {
    std::optional<std::string> handlerName{};
    std::optional<ExecutionStatus> status{};

    /// Executions that were invoked, have ended, and whose end is not acknowledged.
    bool onlyUnacknowledged{};

    ExecutionId after{};         ///< ids greater than this, in rising order
    std::size_t countMax{1000};  ///< at least 1
};

using EntryVisitor = std::function<void(const Entry&)>;

/// Where journals live. One engine owns a store at a time.
///
/// Every member throws `StoreError` if the store cannot do it.
/// Thread-safety: all members; `append` is called by one thread at a time.
class Store {
public:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;

    /// Writes all commits, in their order, or none of them. Durable when it returns. Refuses the
    /// start of an execution that exists or whose name is taken, and anything of one that does not.
    ///
    /// When it throws, nothing of it is there. If that was because the disk failed to sync what it
    /// had been given, a crash before the next append that returns may bring all of it back, as if
    /// only the acknowledgement had been lost.
    virtual void append(std::span<const Commit> commits) = 0;

    /// Visits all entries of an execution, in the order they were appended; none if there is no
    /// such execution. `visit` must not call the store. What it throws goes on to the caller.
    virtual void read(ExecutionId execution, const EntryVisitor& visit) = 0;

    /// All entries of an execution at once.
    [[nodiscard]] std::vector<Entry> load(ExecutionId execution) {
        std::vector<Entry> entries;
        read(execution, [&](const Entry& entry) { entries.push_back(entry); });
        return entries;
    }

    [[nodiscard]] virtual std::optional<ExecutionRecord> find(ExecutionId execution) = 0;
    [[nodiscard]] virtual std::optional<ExecutionRecord> find(std::string_view handlerName,
                                                              std::string_view name) = 0;
    [[nodiscard]] virtual std::vector<ExecutionRecord> list(const ExecutionFilter& filter) = 0;

    /// The greatest id that was ever given, or 0.
    [[nodiscard]] virtual ExecutionId lastExecution() = 0;

    /// Whether `append` waits for nothing, so that commits need not wait for each other's company.
    [[nodiscard]] virtual bool isInstant() const noexcept { return false; }
};

/// Visits every execution that `filter` lets through, however many there are.
template <class Visit>
void forEachRecord(Store& store, ExecutionFilter filter, Visit visit) {
    for (;;) {
        const auto records = store.list(filter);
        for (const auto& record : records) visit(record);
        if (records.size() < filter.countMax) return;
        filter.after = records.back().id;
    }
}

}  // namespace durable::inline v0
