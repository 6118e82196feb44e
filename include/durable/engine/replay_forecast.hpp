// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/invocation.hpp>
#include <durable/engine/replay_report.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// What a replay did that is not recorded yet: the run must do the same when it comes there. So a
/// handler is found that does something the first time only, when the replay comes first.
class ReplayForecast {
public:
    /// Takes over what `replay` did over and above the entries that it was given.
    void keep(Invocation& replay) {
        const auto& trace = *replay.trace();
        ends_.clear();
        for (const auto& entry : trace.entries()) {
            if (entry.kind != EntryKind::started) ends_.push_back(entry);
        }
        for (const auto& call : trace.calls()) {
            if (call.wasRecorded || !call.awaited || call.isVirtual) continue;
            auto id = operationIdOf(*call.place);
            std::erase_if(calls_, [&](const Expected& old) { return old.id == id; });
            calls_.push_back({std::move(id), call});
        }
    }

    /// \param exact whether the run has gone as far as it can.
    /// \return what an author is told of what the run does otherwise, or empty.
    [[nodiscard]] std::optional<std::string> brokenBy(Invocation& run, bool exact) {
        if (!std::ranges::all_of(ends_,
                                 [&](const Entry& end) { return holds(end, run.state()); })) {
            calls_.clear();  // branches ended in another order, and what follows may differ
        }
        for (const auto& [id, call] : calls_) {
            const auto* place = findOperation(run.state().root(), id);
            const auto* made = place != nullptr ? run.trace()->find(place) : nullptr;
            std::string recorded = "nothing";
            if (made != nullptr) {
                if (made->type == call.type && made->subType == call.subType &&
                    made->name == call.name) {
                    continue;
                }
                recorded = detail::describeCall(*made);
            } else if (!exact || !comesThere(id, run)) {
                continue;
            }
            return detail::replayReport("operation " + id, recorded, detail::describeCall(call));
        }
        std::erase_if(calls_, [&](const Expected& expected) {
            const auto* place = findOperation(run.state().root(), expected.id);
            return place != nullptr && run.trace()->find(place) != nullptr;
        });
        return std::nullopt;
    }

private:
    struct Expected {
        std::string id{};
        CallTrace::Call call{};  ///< its place is gone
    };

    /// Whether the operation has ended in the run as it has in the replay.
    [[nodiscard]] static bool holds(const Entry& end, const ExecutionState& state) {
        const auto* operation = state.find(end.operationId);
        if (operation == nullptr || !isTerminal(operation->status)) return false;
        const bool succeeded = operation->status == OperationStatus::succeeded;
        if (succeeded != (end.kind == EntryKind::succeeded)) return false;
        return operation->result == end.payload &&
               operation->error.has_value() == end.error.has_value();
    }

    /// Whether the code that would make the call runs, and has not been dropped.
    [[nodiscard]] static bool comesThere(const std::string& id, Invocation& run) {
        const auto last = id.rfind('-');
        const auto* context = last == std::string::npos
                                  ? &run.state().root()
                                  : findOperation(run.state().root(), id.substr(0, last));
        return context != nullptr && run.trace()->ran(*context);
    }

    std::vector<Expected> calls_;
    std::vector<Entry> ends_;
};

}  // namespace durable::inline v0
