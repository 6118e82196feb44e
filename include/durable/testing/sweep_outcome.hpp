// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/history.hpp>
#include <durable/journal/replay_check.hpp>
#include <durable/store/store.hpp>
#include <durable/testing/body_calls.hpp>
#include <durable/testing/crash_point.hpp>
#include <durable/testing/golden_history.hpp>
#include <durable/testing/hidden_texts.hpp>
#include <durable/testing/manual_clock.hpp>
#include <durable/testing/test_operation.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// \file
/// What one run of a crash sweep came to, in a form in which two runs can be compared: by name and
/// id, without ids that are drawn anew in each run, without invocations.

namespace durable::inline v0 {

namespace testing {

struct SeenEvent {
    std::string time{};  ///< such as `5s`, since the beginning of the run
    std::string what{};  ///< type and details
};

struct SeenOperation {
    std::string what{};  ///< such as `step "charge" (1)`
    std::string status{};
    std::vector<SeenEvent> events{};

    /// Whether a crash may change it: it had not ended when the execution did, or is part of a
    /// context of which not everything had. How far such things come is a matter of time.
    bool open{};

    /// Whether a crash cut off an attempt of it that must not be repeated.
    bool cutOff{};

    bool isStep{};
};

struct SeenExecution {
    std::string end{};                                  ///< such as `SUCCEEDED with "shipped"`
    std::map<std::string, SeenOperation> operations{};  ///< by id
    std::string invoker{};                              ///< name of the execution that invoked it
    std::string invokerOperation{};

    /// Whether the operation, or one that it is part of, may be changed by a crash.
    [[nodiscard]] bool isOpen(std::string id) const {
        for (;;) {
            const auto found = operations.find(id);
            if (found != operations.end() && found->second.open) return true;
            const auto cut = id.rfind('-');
            if (cut == std::string::npos) return false;
            id.resize(cut);
        }
    }
};

struct SweepOutcome {
    std::map<std::string, SeenExecution> executions{};  ///< by name
    std::map<BodyCalls::Place, BodyCalls::Calls> calls{};
    std::size_t bodyCalls{};
    std::vector<std::string> violations{};
    std::vector<std::vector<CommitText>> lives{};  ///< the commits of each process
    std::size_t crashes{};
    std::string end{};    ///< of the execution that is swept
    std::string stuck{};  ///< why it did not end; empty if it did
    std::string wrong{};  ///< what the author's own check says; empty if it is content

    /// Whether a crash cut off an attempt that must not be repeated.
    [[nodiscard]] bool cutOff() const {
        for (const auto& [name, execution] : executions) {
            for (const auto& [id, operation] : execution.operations) {
                if (operation.cutOff) return true;
            }
        }
        return false;
    }
};

namespace detail {

/// Reads the executions of a store.
class SweepReader {
public:
    /// `freshResults` as in `CrashSweepOptions`.
    SweepReader(Store& store, const std::vector<std::string>& freshResults)
        : store_{store}, freshResults_{freshResults} {}

    [[nodiscard]] std::map<std::string, SeenExecution> read() {
        std::vector<ExecutionRecord> records;
        forEachRecord(store_, {}, [&](const ExecutionRecord& record) {
            records.push_back(record);
            auto& entries = journals_[record.id] = store_.load(record.id);
            hideFresh(record.start.name, entries);
        });
        std::map<std::string, SeenExecution> executions;
        for (const auto& record : records) {
            auto& seen = executions[record.start.name] = read(record);
            const auto invoker =
                std::ranges::find(records, record.start.invokerExecution, &ExecutionRecord::id);
            if (invoker == records.end()) continue;
            seen.invoker = invoker->start.name;
            seen.invokerOperation = record.start.invokerOperation;
        }
        return executions;
    }

private:
    /// Notes what is drawn anew in each run, and hides it where it was drawn.
    void hideFresh(const std::string& execution, std::vector<Entry>& entries) {
        std::set<std::string> fresh;  // ids
        for (auto& entry : entries) {
            const auto& callbackId = entry.details.orDefault().callbackId;
            if (!callbackId.empty()) {
                hidden_.add(callbackId,
                            fmt::format("<callback {} of {}>", entry.operationId, execution));
            }
            if (entry.kind == EntryKind::started) {
                const bool isFresh =
                    !entry.name.empty() &&
                    std::ranges::find(freshResults_, entry.name) != freshResults_.end();
                if (isFresh) fresh.insert(entry.operationId);
            } else if (entry.payload && fresh.contains(entry.operationId)) {
                const auto place = fmt::format("<result {} of {}>", entry.operationId, execution);
                hidden_.add(*std::exchange(entry.payload, place), place);
            }
        }
    }

    [[nodiscard]] SeenExecution read(const ExecutionRecord& record) {
        const auto& entries = journals_[record.id];
        const JournalView view{entries};
        SeenExecution seen;
        seen.end = wireName(record.status());
        if (record.end && record.end->result) seen.end += " with " + *record.end->result;
        if (record.end && record.end->error) {
            seen.end += fmt::format(" with {}: {}", record.end->error->type.value_or("an error"),
                                    record.end->error->messageOr(""));
        }
        hidden_.hideIn(seen.end);
        readOperations(view.state.root(), false, seen);
        for (const auto& event : historyOf(entries)) {
            if (event.operationId.empty()) continue;
            auto details = event.details;
            normalise(details);
            SeenEvent told{.time = secondsAfter(ManualClock{}.now(), event.time),
                           .what = event.eventType};
            if (!details.empty()) told.what += ' ' + details.dump();
            hidden_.hideIn(told.what);
            seen.operations[event.operationId].events.push_back(std::move(told));
        }
        for (const auto& entry : entries) {
            const bool cutOff = entry.error && entry.error->type == "StepInterruptedError";
            if (cutOff) seen.operations[entry.operationId].cutOff = true;
        }
        return seen;
    }

    void readOperations(const Operation& parent, bool open, SeenExecution& seen) {
        for (const auto& child : parent.children) {
            if (!child) continue;
            const bool isOpen = open || hasOpen(*child);
            if (child->recorded()) {
                const auto id = operationIdOf(*child);
                auto& operation = seen.operations[id];
                operation = {.what = fmt::format("{} ({})",
                                                 describe({.type = child->type,
                                                           .subType = child->subType,
                                                           .name = child->name}),
                                                 id),
                             .status = std::string{wireName(child->status)},
                             .open = isOpen,
                             .isStep = child->type == OperationType::step};
                hidden_.hideIn(operation.what);
            }
            readOperations(*child, isOpen, seen);
        }
    }

    /// Whether the operation, or one inside it, has not ended.
    [[nodiscard]] static bool hasOpen(const Operation& operation) {
        if (operation.recorded() && !isTerminal(operation.status)) return true;
        for (const auto& child : operation.children) {
            if (child && hasOpen(*child)) return true;
        }
        return false;
    }

    Store& store_;
    const std::vector<std::string>& freshResults_;
    std::map<ExecutionId, std::vector<Entry>> journals_;
    HiddenTexts hidden_;
};

}  // namespace detail

}  // namespace testing

}  // namespace durable::inline v0
