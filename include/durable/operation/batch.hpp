// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/concurrency/batch_json.hpp>
#include <durable/concurrency/concurrent_executor.hpp>
#include <durable/operation/batch_plan.hpp>
#include <durable/operation/child_context.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// \file
/// The life of a batch, for map and parallel: branches in, a record of how they ended out. Knows
/// results as text only.

namespace durable::inline v0 {

namespace detail {

/// Whether the item at `index` was recorded under the name that it has; else the execution ends.
[[nodiscard]] inline bool isItem(const OperationCall& call, const BatchPlan& plan,
                                 std::size_t index, const std::string& recordedName) {
    if (index >= plan.names.size() || recordedName == plan.names[index]) return true;
    const auto named = [&plan](std::string_view name) -> OperationIdentity {
        return {.type = OperationType::context, .subType = plan.itemSubType, .name = name};
    };
    call.haltAtOtherItem(index, named(recordedName), named(plan.names[index]));
    return false;
}

/// One batch while it is awaited.
class Batch {
public:
    Batch(const OperationCall& call, const BatchPlan& plan, const ItemCode& code, Scope& parent)
        : call_{call},
          plan_{plan},
          code_{code},
          ended_{isTerminal(call.operation().status)},
          scope_{parent},
          context_{call, scope_, ended_ || call.onlyRecorded()},
          executor_{scope_, plan.policy, plan.names, executorOf(call, plan)},
          items_(plan.names.size()) {
        for (std::size_t i = 0; i < items_.size(); ++i) {
            items_[i].index = i;
            items_[i].name = plan.names[i];
        }
    }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    ~Batch() = default;

    /// Runs the branches until the batch is decided, and records the decision. When the task is
    /// done, nothing of the branches is alive.
    Task<BatchRecord> run() {
        const CallTrace::Visit visit{call_.invocation().trace(), call_.operation()};
        co_await settleRecorded();
        std::exception_ptr failure;
        BatchRecord record;
        try {
            record.reason =
                co_await executor_.run([this](std::size_t index) { return runBranch(index); });
            record = collect(record.reason);
        } catch (...) {
            failure = std::current_exception();
        }
        Payload inlined;
        if (!failure) failure = recordEnd(record, inlined);
        if (failure) recordFailure(failure);
        co_await executor_.stopBranches();
        if (failure) throw ChildContextError{recordableErrorOf(failure)};
        const bool readable = !inlined || call_.orHalt("could not be read back",
                                                       [&] { record = readBack(*inlined); });
        if (!readable) co_await Never{};
        co_return record;
    }

    /// The record of a batch that has ended, from its summary and its items' own records.
    Task<BatchRecord> replay() {
        BatchRecord record;
        const bool readable = call_.orHalt("could not be read back", [&] {
            record = batchFromSummary(call_.operation().result.value_or(""));
        });
        if (!readable) co_await Never{};
        if (record.inputCount != items_.size()) co_return record;  // refused by `runBatch`
        for (auto& item : record.items) {
            item.name = items_[item.index].name;
            if (item.status == BatchItemStatus::started) continue;
            auto running = runItem(item.index);
            co_await std::move(running).under(scope_);
            item.payload = items_[item.index].payload;
            item.error = items_[item.index].error;
        }
        co_return record;
    }

    /// The record as its text says, whole.
    [[nodiscard]] BatchRecord readBack(const std::string& text) const {
        if (const auto* serdes = plan_.serdes.get<BatchRecord>()) {
            const auto id = call_.id();
            return serdes->deserialize(text, call_.serdesContext(id));
        }
        return batchFromJson(text, plan_.writesJson);
    }

private:
    [[nodiscard]] static ConcurrentExecutor::Config executorOf(const OperationCall& call,
                                                               const BatchPlan& plan) {
        auto config = plan.executor;
        if (call.invocation().services().unseen) config.onProgress = nullptr;
        return config;
    }

    /// Items that an earlier run of this batch has recorded come first, so that no code runs that
    /// their outcome makes needless.
    Task<void> settleRecorded() {
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const auto* item = call_.operation().child(static_cast<std::uint32_t>(i + 1));
            if (item == nullptr) continue;
            if (item->recorded() && !isItem(call_, plan_, i, item->name)) co_await Never{};
            if (!isTerminal(item->status)) {
                // Of an item of a flat batch only the children tell that it was started.
                if (item->recorded() || !item->children.empty()) {
                    executor_.settleRecorded(i, BatchItemStatus::started);
                }
                continue;
            }
            const bool succeeded = item->status == OperationStatus::succeeded;
            if (succeeded && item->replayChildren) {
                auto running = runItem(i);  // its children give its result again
                co_await std::move(running).under(scope_);
            } else if (succeeded) {
                items_[i].payload = item->result;
            } else {
                keepError(i, item->error ? *item->error : ErrorObject{});
            }
            executor_.settleRecorded(
                i, succeeded ? BatchItemStatus::succeeded : BatchItemStatus::failed);
        }
    }

    /// One branch from its start to its end.
    Task<void> runBranch(std::size_t index) {
        auto running = runItem(index);
        const bool succeeded = co_await std::move(running);
        executor_.settle(index, succeeded ? BatchItemStatus::succeeded : BatchItemStatus::failed);
    }

    /// Runs the item as a context of its own and keeps how it ended. Recorded items give what was
    /// recorded.
    Task<bool> runItem(std::size_t index) {
        auto call = itemCall(index);
        bool succeeded = false;
        try {
            auto running = runContext(
                std::move(call),
                {.summaryGenerator = {}, .isVirtual = plan_.nesting == Nesting::flat},
                [this, index](DurableContext& context) { return code_(context, index); });
            items_[index].payload = co_await std::move(running);
            succeeded = true;
        } catch (const ChildContextError& error) {
            keepError(index, error.error());
        } catch (...) {  // a branch without an end would be awaited for ever
            keepError(index, recordableErrorOf(std::current_exception()));
        }
        co_return succeeded;
    }

    void keepError(std::size_t index, ErrorObject error) {
        items_[index].payload.reset();
        items_[index].error = std::move(error);
    }

    /// An item's place is its position, whatever the order in which items start.
    [[nodiscard]] OperationCall itemCall(std::size_t index) {
        auto& place = call_.operation().place(static_cast<std::uint32_t>(index + 1));
        return {call_.invocation(),
                place,
                call_.id(),
                OperationType::context,
                plan_.itemSubType,
                plan_.names[index],
                ended_ || call_.onlyRecorded()};
    }

    [[nodiscard]] BatchRecord collect(CompletionReason reason) {
        BatchRecord record{.reason = reason, .inputCount = items_.size(), .items = {}};
        const auto wasStarted = [this](const auto& item) {
            return executor_.status(item.index).has_value();
        };
        const auto started = std::ranges::count_if(items_, wasStarted);
        record.items.reserve(static_cast<std::size_t>(started));
        for (auto& item : std::exchange(items_, {})) {
            const auto status = executor_.status(item.index);
            if (!status) continue;
            item.status = *status;
            if (*status == BatchItemStatus::started) {
                item.payload.reset();
                item.error.reset();
            }
            record.items.push_back(std::move(item));
        }
        return record;
    }

    /// Records the decision. The text goes to `inlined` if it is recorded whole.
    [[nodiscard]] std::exception_ptr recordEnd(const BatchRecord& record, Payload& inlined) {
        if (call_.onlyRecorded()) return nullptr;
        const RunLoop::Enter outside{nullptr};
        try {
            const auto bytesMax = call_.invocation().services().limits.inlineResultBytesMax;
            const bool needsNoText = resultBytes(record) > bytesMax && !plan_.serdes;
            auto text = needsNoText ? std::string{} : write(record);
            const bool tooLarge = needsNoText || text.size() > bytesMax;
            if (tooLarge) {
                const auto custom =
                    plan_.summaryGenerator ? plan_.summaryGenerator(record) : std::string{};
                text = toSummaryText(record, plan_.summaryType, custom);
            } else {
                inlined = text;
            }
            call_.record(OperationAction::succeed, [&](OperationUpdate& update) {
                update.payload = std::move(text);
                update.replayChildren = tooLarge;
            });
            return nullptr;
        } catch (...) {
            return std::current_exception();
        }
    }

    /// The length of all results. The text of the batch, of which they are a part, is longer.
    [[nodiscard]] static std::size_t resultBytes(const BatchRecord& record) {
        std::size_t bytes = 0;
        for (const auto& item : record.items) bytes += item.payload ? item.payload->size() : 0;
        return bytes;
    }

    void recordFailure(const std::exception_ptr& failure) {
        executor_.branches().freeze();
        call_.record(OperationAction::fail,
                     [&](OperationUpdate& update) { update.error = errorObjectOf(failure); });
    }

    [[nodiscard]] std::string write(const BatchRecord& record) const {
        if (const auto* serdes = plan_.serdes.get<BatchRecord>()) {
            const auto id = call_.id();
            auto text = serdes->serialize(record, call_.serdesContext(id));
            if (!isUtf8(text)) throw SerdesError{"the text is not UTF-8"};
            return text;
        }
        return toJsonText(record, plan_.writesJson);
    }

    const OperationCall& call_;
    const BatchPlan& plan_;
    const ItemCode& code_;
    bool ended_;
    Scope scope_;
    DurableContext context_;
    ConcurrentExecutor executor_;
    std::vector<BatchRecord::Item> items_;
};

/// Runs a batch, or gives the record of one that has ended.
inline Task<BatchRecord> runBatch(const OperationCall& call, const BatchPlan& plan,
                                  const ItemCode& code) {
    co_await call.admitted();
    const Operation& operation = call.operation();
    if (isTerminal(operation.status) && operation.status != OperationStatus::succeeded) {
        throw ChildContextError{call.error()};
    }
    const bool ended = operation.status == OperationStatus::succeeded;
    const auto items = std::to_string(plan.names.size());
    if (!ended && !call.recordStart([&](OperationUpdate& update) { update.payload = items; }) &&
        operation.result.value_or(items) != items) {  // earlier versions recorded no number
        call.haltAtOtherItems(*operation.result, items);
        co_await Never{};
    }

    Scope& parent = co_await RunningScope{};
    Batch batch{call, plan, code, parent};
    BatchRecord record;
    if (!ended) {
        record = co_await batch.run();
        call.forgetInside();
    } else if (operation.replayChildren) {
        record = co_await batch.replay();
    } else if (!call.orHalt("could not be read back",
                            [&] { record = batch.readBack(operation.result.value_or("")); })) {
        co_await Never{};
    }
    if (record.inputCount != plan.names.size()) {
        call.haltAtOtherItems(std::to_string(record.inputCount), items);
        co_await Never{};
    }
    for (const auto& item : record.items) {
        const bool keptName = !item.name.empty();  // a serdes need not
        if (keptName && !isItem(call, plan, item.index, item.name)) co_await Never{};
    }
    co_return record;
}

}  // namespace detail

}  // namespace durable::inline v0
