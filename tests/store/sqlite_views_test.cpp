// SPDX-License-Identifier: Apache-2.0
#include <durable/journal/execution_state.hpp>
#include <durable/journal/names.hpp>
#include <durable/journal/operation_id.hpp>
#include <durable/journal/service.hpp>
#include <durable/sqlite.hpp>
#include <durable/store/sqlite/iso_time.hpp>

#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;
using durable::sqlite::isoTime;

namespace {

/// An execution whose updates go through `apply` into a store.
class Recorded {
public:
    Recorded(Store& store, ExecutionId id, std::string name) : store_{&store}, id_{id} {
        append(store, started(id, std::move(name)));
        update({.action = OperationAction::start}, at(0));
    }

    /// \return whether `apply` took the update.
    bool update(OperationUpdate update, TimePoint now) {
        auto entry = apply(state, std::move(update), now);
        if (std::holds_alternative<Refusal>(entry)) return false;
        state.fold(std::get<Entry>(entry));
        const std::vector entries{std::get<Entry>(entry)};
        append(*store_, {.execution = id_, .entries = entries});
        return true;
    }

    void end() { append(*store_, {.execution = id_, .end = ExecutionEnd{}}); }

    ExecutionState state;

private:
    Store* store_;
    ExecutionId id_;
};

OperationUpdate start(OperationType type, std::string id, std::string name,
                      std::optional<std::chrono::seconds> delay = {}) {
    return {.operationId = std::move(id), .type = type, .name = std::move(name), .delay = delay};
}

/// All recorded operations under `operation` in the order of ids, as `v_operations` tells them.
void describe(const Operation& operation, std::map<std::string, std::string>& lines) {
    for (const auto& child : operation.children) {
        if (!child) continue;
        describe(*child, lines);
        if (!child->recorded()) continue;
        const auto id = operationIdOf(*child);
        const bool hasOutcome = child->status != OperationStatus::started || child->attempt > 0;
        auto& line = lines[id];
        line = id + "|" + child->name + "|" + std::string{wireName(child->type)} + "|" +
               std::string{wireName(child->subType)} + "|" + std::string{wireName(child->status)} +
               "|" + std::to_string(child->attempt) + "|" + isoTime(child->startTime) + "|" +
               (isTerminal(child->status) ? isoTime(child->endTime) : "") + "|" +
               (hasOutcome ? child->result.value_or("") : "") + "|";
        if (child->error) appendJson(line, *child->error);
    }
}

std::string describe(const ExecutionState& state) {
    std::map<std::string, std::string> lines;
    describe(state.root(), lines);
    std::string text;
    for (const auto& [id, line] : lines) text += line + "\n";
    return text;
}

/// An update of an operation of a small tree; many of them are refused by `apply`.
OperationUpdate randomUpdate(std::mt19937& random) {
    const auto oneOf = [&](const auto& values) { return values[random() % std::size(values)]; };
    static const std::map<std::string, OperationType> tree{
        {"1", OperationType::context},      {"1-1", OperationType::step},
        {"1-2", OperationType::wait},       {"1-3", OperationType::context},
        {"1-3-1", OperationType::callback}, {"1-3-2", OperationType::step},
        {"2", OperationType::step},         {"3", OperationType::wait},
        {"4", OperationType::callback},     {"5", OperationType::chainedInvoke},
        {"6", OperationType::callback}};
    const auto& [id, type] = *std::next(tree.begin(), static_cast<int>(random() % tree.size()));
    OperationUpdate update = start(type, id, "operation " + id);
    using Action = OperationAction;
    update.action = oneOf(std::vector{Action::start, Action::start, Action::succeed, Action::fail,
                                      Action::retry, Action::cancel, Action::becomeReady,
                                      Action::timeOut, Action::stop, Action::heartbeat});
    update.subType = type == OperationType::context ? OperationSubType::runInChildContext
                                                    : OperationSubType::none;
    if (update.action == Action::start && type == OperationType::callback) {
        EntryDetails details{.callbackId = "callback " + id};
        if (random() % 2 == 0) details.heartbeatTimeout = std::chrono::seconds{random() % 90};
        update.details = std::move(details);
        if (random() % 2 == 0) update.delay = std::chrono::seconds{random() % 90};
    }
    if (update.action == Action::retry || type == OperationType::wait) {
        update.delay = std::chrono::seconds{random() % 90};
    }
    if (update.action == Action::fail || update.action == Action::timeOut) {
        update.error = ErrorObject{.type = "Declined", .message = "\"no\""};
    } else if (random() % 2 == 0) {
        update.payload = "{\"x\": \"" + std::to_string(random() % 100) + "\"}";
    }
    return update;
}

/// The contexts around the operation that are recorded, from the nearest to the farthest.
std::vector<const Operation*> contextsAround(const ExecutionState& state, std::string id) {
    std::vector<const Operation*> contexts;
    for (auto dash = id.rfind('-'); dash != std::string::npos; dash = id.rfind('-')) {
        id.resize(dash);
        if (const auto* context = state.find(id)) contexts.push_back(context);
    }
    return contexts;
}

/// An update that can follow what is recorded, or that `apply` refuses.
std::optional<OperationUpdate> possibleUpdate(std::mt19937& random, const ExecutionState& state) {
    auto update = randomUpdate(random);
    const auto contexts = contextsAround(state, update.operationId);
    const auto hasEnded = [](const Operation* context) { return isTerminal(context->status); };
    if (std::ranges::any_of(contexts, hasEnded)) return std::nullopt;
    // `apply` takes the retry of a step that was not started; `fold` does not.
    const bool isFresh = state.find(update.operationId) == nullptr;
    if (isFresh && update.action == OperationAction::retry) return std::nullopt;
    if (!contexts.empty()) update.parentId = operationIdOf(*contexts.front());
    return update;
}

}  // namespace

TEST_CASE("v_waiting tells what unfinished executions wait for, and until when") {
    const TemporaryDirectory directory;
    const auto store = SqliteStore::open(directory / "orders.db");
    Recorded monday{*store, 1, "monday"};
    monday.update(start(OperationType::wait, "1", "cool-down", 60s), at(1));
    auto approval = start(OperationType::callback, "2", "approval", 24h);
    approval.details = EntryDetails{.callbackId = "abc", .heartbeatTimeout = 10s};
    monday.update(approval, at(2));
    monday.update(
        {.action = OperationAction::heartbeat, .operationId = "2", .type = OperationType::callback},
        at(100));
    auto invoke = start(OperationType::chainedInvoke, "3", "pay");
    invoke.details = EntryDetails{.handlerName = "charge"};
    monday.update(invoke, at(3));
    monday.update(start(OperationType::step, "4", "ship"), at(4));
    monday.update({.action = OperationAction::retry,
                   .operationId = "4",
                   .type = OperationType::step,
                   .delay = 30s},
                  at(5));
    monday.update(start(OperationType::step, "5", "running"), at(6));
    monday.update(start(OperationType::wait, "6", "over", 1s), at(7));
    monday.update(
        {.action = OperationAction::succeed, .operationId = "6", .type = OperationType::wait},
        at(8));
    Recorded ended{*store, 2, "ended"};
    ended.update(start(OperationType::wait, "1", "left behind", 60s), at(1));
    ended.end();

    ForeignProgram reader{directory / "orders.db"};
    CHECK(reader.query("select * from v_waiting", 10) ==
          "1|settle|monday|1|cool-down|WAIT|2026-11-23T00:00:01.000Z|2026-11-23T00:01:01.000Z||\n"
          "1|settle|monday|2|approval|CALLBACK|2026-11-23T00:00:02.000Z|2026-11-23T00:01:50.000Z|"
          "abc|\n"
          "1|settle|monday|3|pay|CHAINED_INVOKE|2026-11-23T00:00:03.000Z|||charge\n"
          "1|settle|monday|4|ship|STEP|2026-11-23T00:00:04.000Z|2026-11-23T00:00:35.000Z||");
}

TEST_CASE("v_waiting leaves out what lies under a context that has ended") {
    const TemporaryDirectory directory;
    const auto store = SqliteStore::open(directory / "orders.db");
    Recorded monday{*store, 1, "monday"};
    const auto startIn = [&](const char* parent, OperationUpdate update) {
        update.parentId = parent;
        monday.update(update, at(1));
    };
    startIn("", start(OperationType::context, "1", "batch"));
    startIn("1", start(OperationType::context, "1-1", "branch"));
    startIn("1-1", start(OperationType::wait, "1-1-1", "lost", 60s));
    startIn("", start(OperationType::context, "2", "running"));
    startIn("2", start(OperationType::wait, "2-1", "awaited", 60s));
    monday.update(
        {.action = OperationAction::succeed, .operationId = "1", .type = OperationType::context},
        at(2));

    ForeignProgram reader{directory / "orders.db"};
    CHECK(reader.query("select name from v_waiting") == "awaited");
}

TEST_CASE("v_operations tells the current state of every operation") {
    const TemporaryDirectory directory;
    const auto store = SqliteStore::open(directory / "orders.db");
    Recorded monday{*store, 1, "monday"};
    auto charge = start(OperationType::step, "1-1", "charge");
    charge.parentId = "1";
    charge.subType = OperationSubType::step;
    monday.update(start(OperationType::context, "1", "items"), at(1));
    monday.update(charge, at(2));
    charge.action = OperationAction::fail;
    charge.error = ErrorObject{.type = "Declined"};
    monday.update(charge, at(3));

    ForeignProgram reader{directory / "orders.db"};
    CHECK(reader.query("select * from v_operations", 14) ==
          "1|settle|monday|1||items|CONTEXT||STARTED||2026-11-23T00:00:01.000Z|||\n"
          "1|settle|monday|1-1|1|charge|STEP|Step|FAILED|1|2026-11-23T00:00:02.000Z|"
          "2026-11-23T00:00:03.000Z||{\"ErrorType\":\"Declined\"}");
}

TEST_CASE("v_history tells what happened, in order and numbered") {
    const TemporaryDirectory directory;
    const auto store = SqliteStore::open(directory / "orders.db");
    Recorded monday{*store, 1, "monday"};
    Recorded tuesday{*store, 2, "tuesday"};
    monday.update(start(OperationType::step, "1", "charge"), at(2));
    tuesday.update(start(OperationType::wait, "1", "cool-down", 60s), at(3));
    monday.update({.action = OperationAction::retry,
                   .operationId = "1",
                   .type = OperationType::step,
                   .delay = 30s,
                   .payload = "7"},
                  at(4));

    ForeignProgram reader{directory / "orders.db"};
    CHECK(reader.query("select execution_name, seq, time, kind, id, name, type, attempt, delay, "
                       "payload from v_history",
                       10) ==
          "monday|1|2026-11-23T00:00:00.000Z|started||||||\n"
          "monday|2|2026-11-23T00:00:02.000Z|started|1|charge|STEP|||\n"
          "monday|3|2026-11-23T00:00:04.000Z|retried|1|charge|STEP|1|30|7\n"
          "tuesday|1|2026-11-23T00:00:00.000Z|started||||||\n"
          "tuesday|2|2026-11-23T00:00:03.000Z|started|1|cool-down|WAIT||60|");
}

TEST_CASE("v_executions tells every execution, and of the unfinished ones what they do") {
    const TemporaryDirectory directory;
    const auto store = SqliteStore::open(directory / "orders.db");
    append(*store, started(1, "running"));
    append(*store, started(2, "waiting"));
    append(*store, {.execution = 2, .suspension = Suspension{.waiting = true, .wakeAt = at(60)}});
    auto failed = started(3, "failed");
    failed.end = ExecutionEnd{.status = ExecutionStatus::timedOut,
                              .error = ErrorObject{.message = "too late"},
                              .endTime = at(4)};
    append(*store, failed);

    ForeignProgram reader{directory / "orders.db"};
    CHECK(reader.query("select execution_name, status, start_time, end_time, waiting, wake_at, "
                       "error from v_executions",
                       7) ==
          "running|RUNNING|2026-11-23T00:00:01.000Z||0||\n"
          "waiting|RUNNING|2026-11-23T00:00:02.000Z||1|2026-11-23T00:01:00.000Z|\n"
          "failed|TIMED_OUT|2026-11-23T00:00:03.000Z|2026-11-23T00:00:04.000Z|||"
          "{\"ErrorMessage\":\"too late\"}");
}

TEST_CASE("the views agree with the state of an execution, whatever happened to it") {
    const TemporaryDirectory directory;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (const std::int64_t recoveredRowsMax : {3, 65'536}) {
        const auto file = directory / (std::to_string(recoveredRowsMax) + ".db");
        const auto store = SqliteStore::open(file, {.recoveredRowsMax = recoveredRowsMax});
        ForeignProgram reader{file};
        for (ExecutionId id = 1; id <= 15; ++id) {
            Recorded recorded{*store, id, std::to_string(id)};
            for (int seconds = 1; seconds < 120; ++seconds) {
                auto update = possibleUpdate(random, recorded.state);
                if (update) recorded.update(std::move(*update), at(seconds));
            }
            if (id % 4 == 0) {
                append(*store, {.execution = id, .suspension = Suspension{.waiting = true}});
            }
            const auto where = " where execution = " + std::to_string(id);

            auto operations = reader.query(
                "select id, name, type, sub_type, status, coalesce(attempt, 0),"
                " started, ended, result, error from v_operations" +
                    where + " order by id",
                10);
            operations += '\n';
            REQUIRE(operations == describe(recorded.state));
            const auto due = recorded.state.nextDue();
            REQUIRE(reader.query("select min(until) from v_waiting" + where) ==
                    isoTime(due).value_or(""));
            REQUIRE(reader.query("select max(seq) from v_history" + where) ==
                    std::to_string(recorded.state.entryCount()));
        }
    }
}
