// SPDX-License-Identifier: Apache-2.0
// The text of a journal's row: read, folded into a state, told as history, written again; and what
// `apply` grants in that state must fit into it.
#include <durable/journal/entry_json.hpp>
#include <durable/journal/history_json.hpp>
#include <durable/journal/service.hpp>
#include <durable/testing/golden_history.hpp>

#include <fuzz/fuzz_target.hpp>
#include <support/heard_json.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace durable;

namespace {

void fold(ExecutionState& state, const std::vector<Entry>& entries) {
    for (const auto& entry : entries) state.fold(entry);
}

/// Every action on one operation; each that is granted must fold into a state like this one.
void updateEverything(const std::vector<Entry>& entries, const std::string& id,
                      OperationType type) {
    for (int action = 0; action <= static_cast<int>(OperationAction::completeInvocation);
         ++action) {
        ExecutionState state;
        fold(state, entries);
        OperationUpdate update{.action = static_cast<OperationAction>(action),
                               .operationId = id,
                               .type = type,
                               .delay = std::chrono::seconds{1}};
        if (update.action == OperationAction::completeInvocation) update.operationId.clear();
        const auto applied = apply(state, std::move(update), TimePoint{});
        if (const auto* entry = std::get_if<Entry>(&applied)) {
            require(accepts([&] { state.fold(*entry); }), "what is granted can be folded");
        }
    }
}

}  // namespace

void fuzz(std::string_view bytes) {
    if (const auto heard = heardFromPlainReader(bytes)) {
        require(heard == heardFromParser(bytes), "two parsers agree");
    }

    std::vector<Entry> entries;
    if (!accepts([&] { entriesFromJson(bytes, entries); })) {
        require(entries.empty(), "what cannot be read adds no entry");
        return;
    }
    const auto text = entriesToJson(entries);
    std::vector<Entry> again;
    require(accepts([&] { entriesFromJson(text, again); }), "what is written can be read");
    require(entriesToJson(again) == text, "what is read is what was written");

    ExecutionState state;
    if (!accepts<std::invalid_argument>([&] { fold(state, entries); })) {
        require(!accepts([&] { (void)historyOf(entries); }), "a damaged journal has no history");
        return;
    }
    const auto history = historyOf(entries);
    (void)historyToJson(history).dump();
    (void)testing::goldenText(history);
    (void)state.nextDue();
    if (entries.empty() || entries.size() > 20) return;
    updateEverything(entries, "", OperationType::execution);
    updateEverything(entries, entries.back().operationId, entries.back().type);
    updateEverything(entries, "1", OperationType::step);
}
