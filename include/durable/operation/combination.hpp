// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/concurrency/combination_json.hpp>
#include <durable/concurrency/settled.hpp>
#include <durable/operation/run_in_child_context.hpp>
#include <durable/serdes/parse_json.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// \file
/// The life of `all`, `allSettled`, `any` and `race`: operations in, a record of how they ended
/// out. Knows results as text only.

namespace durable::inline v0 {

namespace detail {

enum class Combining { all, allSettled, any, race };

/// What was decided: of `any` and `race` the winner only.
struct CombinationRecord {
    std::vector<SettledText> settled{};
    WinnerText winner{};
};

/// Several operations while they are awaited together.
class Combination {
public:
    Combination(Combining kind, Scope& parent, std::vector<Task<Payload>> operations)
        : kind_{kind},
          branches_{parent},
          operations_{std::move(operations)},
          settled_(operations_.size()) {}
    Combination(const Combination&) = delete;
    Combination& operator=(const Combination&) = delete;
    ~Combination() = default;

    /// Only this operation is run: an earlier run was decided by it.
    void runOnly(std::size_t winner) { only_ = winner; }

    /// Runs the operations until it is decided. Call once.
    Task<void> run() {
        if (operations_.empty()) decide({});
        for (std::size_t i = 0; i < operations_.size(); ++i) {
            if (only_ && *only_ != i) continue;
            tasks_.push_back(runOne(i));
            tasks_.back().start(branches_);
        }
        while (!decided_) co_await changed_.wait();
    }

    /// Waits for the bodies of the operations that are still in flight, and destroys these.
    Task<void> stop() {
        branches_.freeze();
        co_await BodiesReturned{branches_};
        tasks_.clear();
    }

    /// The error that decided it, if one did.
    [[nodiscard]] const std::optional<ErrorObject>& error() const noexcept { return error_; }

    [[nodiscard]] CombinationRecord record() const {
        CombinationRecord record{.settled = settled_, .winner = {}};
        if (winner_) record.winner = {.index = *winner_, .value = settled_[*winner_].value};
        return record;
    }

private:
    Task<void> runOne(std::size_t index) {
        Outcome<Payload> outcome;
        try {
            auto operation = std::move(operations_[index]);
            auto value = co_await std::move(operation);
            outcome.setValue(std::move(value));
        } catch (...) {
            outcome.setException(std::current_exception());
        }
        try {
            settle(index, outcome);
        } catch (...) {  // what is not decided would be awaited for ever
            decide(recordableErrorOf(std::current_exception()));
        }
    }

    void settle(std::size_t index, Outcome<Payload>& outcome) {
        auto& settled = settled_[index];
        if (auto failure = outcome.exception()) {
            settled.error = recordableErrorOf(failure);
        } else {
            settled.value = outcome.take();
        }
        ++ended_;
        if (!failed_ && settled.error) failed_ = index;
        const bool allEnded = ended_ == settled_.size();
        switch (kind_) {
            case Combining::all:
                if (settled.error) return decide(settled.error);
                if (allEnded) decide({});
                return;
            case Combining::allSettled:
                if (allEnded) decide({});
                return;
            case Combining::any:
                if (settled.error) {
                    if (allEnded) decide(allFailed());
                    return;
                }
                break;
            case Combining::race: break;
        }
        winner_ = index;
        decide(settled.error);
    }

    [[nodiscard]] ErrorObject allFailed() const {
        ErrorObject error{.type = "AggregateError", .message = "All promises were rejected"};
        if (failed_) error.cause = std::make_shared<const ErrorObject>(*settled_[*failed_].error);
        return error;
    }

    void decide(std::optional<ErrorObject> error) {
        if (decided_) return;
        decided_ = true;
        error_ = std::move(error);
        branches_.freeze();
        changed_.notifyAll();
    }

    Combining kind_;
    Scope branches_;
    std::vector<Task<Payload>> operations_;
    std::vector<SettledText> settled_;
    std::optional<std::size_t> only_;
    std::optional<std::size_t> winner_;
    std::optional<std::size_t> failed_;
    std::optional<ErrorObject> error_;
    std::size_t ended_{};
    bool decided_{};
    WaitList changed_;
    std::vector<Task<void>> tasks_;
};

[[nodiscard]] constexpr bool hasWinner(Combining kind) {
    return kind == Combining::any || kind == Combining::race;
}

/// How the record stands in the journal.
struct CombinationForm {
    Combining kind{Combining::all};
    bool ofOneType{true};  ///< then the value of a winner stands there alone
};

[[nodiscard]] inline Payload write(const CombinationForm& form, const CombinationRecord& record) {
    if (form.kind == Combining::all) return valuesToJson(record.settled);
    if (form.kind == Combining::allSettled) return settledToJson(record.settled);
    return form.ofOneType ? record.winner.value : Payload{winnerToJson(record.winner)};
}

/// \throws std::exception if `text` is not what `write` gives for `count` operations.
[[nodiscard]] inline CombinationRecord read(const CombinationForm& form, const Payload& text,
                                            std::size_t count) {
    CombinationRecord record;
    if (!hasWinner(form.kind)) {
        record.settled = form.kind == Combining::all ? valuesFromJson(text.value_or(""))
                                                     : settledFromJson(text.value_or(""));
        if (record.settled.size() != count) {
            throw std::invalid_argument{fmt::format(
                "{} results are recorded, {} operations were given", record.settled.size(), count)};
        }
    } else if (form.ofOneType) {
        record.winner.value = text;
    } else {
        record.winner = winnerFromJson(text.value_or(""));
        if (record.winner.index >= count) throw std::invalid_argument{"impossible winner"};
    }
    return record;
}

/// Records the decision. What is too large is given again on replay by the operations' own
/// records; kept are how many there were and which one won.
inline void recordDecision(const OperationCall& call, const CombinationForm& form,
                           const Combination& combination) {
    if (const auto& error = combination.error()) {
        call.record(OperationAction::fail, [&](OperationUpdate& update) { update.error = *error; });
        return;
    }
    const auto record = combination.record();
    auto payload = write(form, record);
    const auto bytesMax = call.invocation().services().limits.inlineResultBytesMax;
    const bool tooLarge = payload && payload->size() > bytesMax;
    if (tooLarge) {
        const auto count = record.settled.size();
        payload = hasWinner(form.kind)
                      ? winnerToJson({.index = record.winner.index, .value = {}, .count = count})
                      : std::to_string(count);
    }
    call.record(OperationAction::succeed, [&](OperationUpdate& update) {
        update.payload = std::move(payload);
        update.replayChildren = tooLarge;
    });
}

/// How many operations an earlier run got, of a combination that is not recorded whole. Empty if an
/// earlier version, which did not say, recorded it.
[[nodiscard]] inline Payload recordedCount(const Operation& context, const WinnerText& winner,
                                           Combining kind) {
    const bool ended = isTerminal(context.status);
    if (ended && hasWinner(kind)) {
        return winner.count ? Payload{std::to_string(*winner.count)} : Payload{};
    }
    return context.result && !context.result->empty() ? context.result : Payload{};
}

/// Awaits operations together, or gives what was recorded when they were.
inline Task<CombinationRecord> runCombination(const OperationCall& call, CombinationForm form,
                                              std::vector<Task<Payload>> operations) {
    co_await call.admitted();
    const Operation& context = call.operation();
    const bool ended = isTerminal(context.status);
    if (ended && context.status != OperationStatus::succeeded) {
        throw CombinatorError{call.error()};
    }
    const auto count = operations.size();
    const auto countText = std::to_string(count);
    CombinationRecord recorded;
    if (ended) {
        const bool readable = call.orHalt("could not be read back", [&] {
            if (!context.replayChildren) {
                recorded = read(form, context.result, count);
            } else if (hasWinner(form.kind)) {
                recorded.winner = winnerFromJson(context.result.value_or(""));
                if (recorded.winner.index >= recorded.winner.count.value_or(count)) {
                    throw std::invalid_argument{"impossible winner"};
                }
            }
        });
        if (!readable) co_await Never{};
        if (!context.replayChildren) co_return recorded;
    } else {
        call.recordStart([&](OperationUpdate& update) { update.payload = countText; });
    }
    if (const auto before = recordedCount(context, recorded.winner, form.kind).value_or(countText);
        before != countText) {
        call.haltAtOtherOperations(before, countText);
        co_await Never{};
    }

    Scope& parent = co_await RunningScope{};
    Combination combination{form.kind, parent, std::move(operations)};
    if (ended && hasWinner(form.kind)) combination.runOnly(recorded.winner.index);
    co_await combination.run();
    if (!ended) recordDecision(call, form, combination);
    co_await combination.stop();
    if (combination.error()) throw CombinatorError{*combination.error()};
    // A replay reads the results out of one text, in which they are nested deeper.
    const bool readable = context.replayChildren || call.orHalt("could not be read back", [&] {
        requireJsonDepth(context.result.value_or(""));
    });
    if (!readable) co_await Never{};
    co_return combination.record();
}

// --- from operations to text and back ---------------------------------------------------------

/// An operation whose value is text.
template <class T>
Task<Payload> asText(const OperationCall& call, Task<T> operation) {
    const Codec<T> codec{AnySerdes{}};
    auto encoding = encoded<T>(call, codec, std::move(operation));
    auto text = co_await std::move(encoding);
    co_return text;
}

template <class... Ts>
[[nodiscard]] std::vector<Task<Payload>> asTexts(const OperationCall& call,
                                                 std::tuple<Task<Ts>...>& operations) {
    std::vector<Task<Payload>> texts;
    texts.reserve(sizeof...(Ts));
    std::apply([&](auto&... each) { (texts.push_back(asText(call, std::move(each))), ...); },
               operations);
    return texts;
}

template <class T>
[[nodiscard]] std::vector<Task<Payload>> asTexts(const OperationCall& call,
                                                 std::vector<Task<T>>& operations) {
    std::vector<Task<Payload>> texts;
    texts.reserve(operations.size());
    for (auto& each : operations) texts.push_back(asText(call, std::move(each)));
    return texts;
}

/// \throws SerdesError
template <class T>
[[nodiscard]] Combined<T> fromText(const OperationCall& call, const Payload& text) {
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        const auto id = call.id();
        return Codec<T>{AnySerdes{}}.decode(text, call.serdesContext(id));
    }
}

/// \throws SerdesError
template <class T>
[[nodiscard]] Settled<T> settledFromText(const OperationCall& call, const SettledText& text) {
    if (text.error) return Settled<T>{*text.error};
    return Settled<T>{fromText<T>(call, text.value)};
}

}  // namespace detail

}  // namespace durable::inline v0
