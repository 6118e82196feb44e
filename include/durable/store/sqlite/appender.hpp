// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry_json.hpp>
#include <durable/journal/names.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/store/sqlite/connection.hpp>
#include <durable/store/sqlite/iso_time.hpp>
#include <durable/store/sqlite/last_positions.hpp>
#include <durable/store/sqlite/schema.hpp>
#include <durable/store/sqlite/statement.hpp>
#include <durable/store/store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

namespace durable::inline v0::sqlite {

/// What one transaction changes in `LastPositions`, kept apart until it is durable: a transaction
/// that fails changes nothing, and a reader finds no row that is not there.
struct ChangedPosition {
    Position last{};
    bool ended{};
};
using ChangedPositions = std::unordered_map<ExecutionId, ChangedPosition>;

/// Writes commits. The hot path is one insert at the end of one table per commit.
///
/// Rows of an execution are chained backwards: each knows the one before it. The ends of the chains
/// are in `LastPositions`; on disk they are written only now and then, for all at once, together
/// with the position they cover. A crash loses the ends in memory, never a chain: whoever opens the
/// file takes the ends from disk and goes through the rows after the covered position.
///
/// Thread-safety: none; the store locks.
class Appender {
public:
    Appender(Connection& connection, std::int64_t recoveredRowsMax)
        : connection_{connection}, recoveredRowsMax_{recoveredRowsMax} {
        Statement state{connection, "open",
                        "select coalesce(max(position), 0), (select covered_position from recovery)"
                        " from journal"};
        auto rows = state.query();
        if (!rows.next() || rows.isNull(1)) connection.failAsDamaged("it has no recovery row");
        last_ = rows.integer(0);
        covered_ = rows.integer(1);
    }

    /// The ends of all unfinished executions' chains, as the last commit left them.
    [[nodiscard]] LastPositions recover() {
        LastPositions positions;
        Statement stored{connection_, "open",
                         "select execution, last_position from unfinished order by execution"};
        for (auto rows = stored.query(); rows.next();) {
            positions.set(rows.integer(0), rows.integer(1));
        }
        Statement tail{connection_, "open",
                       "select position, execution from journal where position > ? order by 1"};
        for (auto rows = tail.query(covered_); rows.next();) {
            // An ended execution's last position is in its row, always up to date.
            if (positions.find(rows.integer(1))) positions.set(rows.integer(1), rows.integer(0));
        }
        return positions;
    }

    /// Writes all of `commits` or nothing. Durable when it returns. See `commit` for what a failure
    /// may leave.
    /// \return how `positions` has to change; valid until the next call.
    const ChangedPositions& append(std::span<const Commit> commits,
                                   const LastPositions& positions) {
        changed_.clear();
        Transaction transaction{connection_, "append to"};
        const bool covers = last_ - covered_ >= recoveredRowsMax_;
        if (covers) writePositions(positions);
        Position last = last_;
        for (const auto& commit : commits) write(commit, positions, last);
        commit(transaction);

        if (covers) covered_ = last_;
        last_ = last;
        return changed_;
    }

    /// Writes the ends of the chains, so that the next one to open the file finds nothing to do.
    void cover(const LastPositions& positions) {
        if (covered_ == last_) return;
        Transaction transaction{connection_, "close"};
        writePositions(positions);
        transaction.commit();
        covered_ = last_;
    }

private:
    /// Commits. If that fails, all of it may be in the log and only not be synced: a recovery after
    /// a crash would find it there. The next transaction overwrites it, so one that changes nothing
    /// is made at once. If that fails too, what a crash leaves is open until the next one goes
    /// well.
    void commit(Transaction& transaction) {
        try {
            transaction.commit();
        } catch (...) {
            try {
                Transaction nothing{connection_, "append to"};
                writeMark(connection_);
                nothing.commit();
            } catch (...) {
                // The first failure is the one to tell.
            }
            throw;
        }
    }

    void write(const Commit& commit, const LastPositions& positions, Position& last) {
        if (commit.start) start(commit.execution, *commit.start);
        if (!commit.entries.empty() || commit.end || commit.suspension) {
            auto& changed = placeOf(commit.execution, positions);
            if (!commit.entries.empty()) {
                ++last;
                add(commit.execution, commit.entries, changed, last);
            }
            if (commit.end) end(commit.execution, *commit.end, changed);
            if (commit.suspension) suspend(commit.execution, *commit.suspension, changed);
        }
        for (const auto child : commit.acknowledged) acknowledge_.run(child);
    }

    void start(ExecutionId execution, const ExecutionStart& start) {
        const auto orNull = [](const std::string& text) {
            return text.empty() ? std::nullopt : std::optional<std::string_view>{text};
        };
        std::optional<std::int64_t> timeout;
        if (start.timeout) timeout = start.timeout->count();
        std::optional<ExecutionId> invoker;
        if (start.invokerExecution != 0) invoker = start.invokerExecution;
        addExecution_.run(execution, start.handlerName, start.name,
                          wireName(ExecutionStatus::running), isoTime(start.startTime), timeout,
                          orNull(start.tenantId), invoker, orNull(start.invokerOperation),
                          start.input);
        addUnfinished_.run(execution);
        changed_[execution] = {};
    }

    /// Where the execution's chain ends now, within this transaction.
    ChangedPosition& placeOf(ExecutionId execution, const LastPositions& positions) {
        if (const auto changed = changed_.find(execution); changed != changed_.end()) {
            return changed->second;
        }
        if (const auto position = positions.find(execution)) {
            return changed_[execution] = {.last = *position};
        }
        auto rows = endedPosition_.query(execution);
        if (rows.next()) return changed_[execution] = {.last = rows.integer(0), .ended = true};
        throw StoreError{"Could not append to the journal " + connection_.file() + ": execution " +
                         std::to_string(execution) + " is not in it"};
    }

    void add(ExecutionId execution, std::span<const Entry> entries, ChangedPosition& changed,
             Position position) {
        std::optional<Position> previous;
        if (changed.last != 0) previous = changed.last;
        addRow_.run(position, execution, previous, entriesToJson(entries));
        changed.last = position;
        if (changed.ended) moveEndedPosition_.run(execution, position);
    }

    void end(ExecutionId execution, const ExecutionEnd& end, ChangedPosition& changed) {
        std::optional<std::string> error;
        if (end.error) appendJson(error.emplace(), *end.error);
        endExecution_.run(execution, wireName(end.status), isoTime(end.endTime), changed.last,
                          end.result, error);
        removeUnfinished_.run(execution);
        changed.ended = true;
    }

    void suspend(ExecutionId execution, const Suspension& suspension,
                 const ChangedPosition& changed) {
        if (changed.ended) return;
        suspend_.run(execution, changed.last, suspension.waiting, isoTime(suspension.wakeAt));
    }

    /// Writes the ends that may have changed since the last time: those after the covered position.
    void writePositions(const LastPositions& positions) {
        positions.forEachAfter(covered_, [&](ExecutionId execution, Position position) {
            movePosition_.run(execution, position);
        });
        cover_.run(last_);
    }

    Statement prepare(std::string_view sql) { return {connection_, "append to", sql}; }

    Connection& connection_;
    std::int64_t recoveredRowsMax_;
    Position last_{};     // of all rows
    Position covered_{};  // as the row in `recovery` says
    ChangedPositions changed_{};

    Statement addRow_ = prepare("insert into journal values (?1, ?2, ?3, ?4)");
    Statement addExecution_ = prepare(
        "insert into executions (id, handler, name, status, start_time, timeout, tenant, invoker,"
        " invoker_operation, end_acknowledged, last_position, input)"
        " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, ?10)");
    Statement addUnfinished_ = prepare("insert into unfinished values (?1, 0, 0, null)");
    Statement endExecution_ = prepare(
        "update executions set status = ?2, end_time = ?3, last_position = ?4, result = ?5,"
        " error = ?6 where id = ?1");
    Statement removeUnfinished_ = prepare("delete from unfinished where execution = ?1");
    Statement suspend_ = prepare(
        "update unfinished set last_position = ?2, waiting = ?3, wake_at = ?4"
        " where execution = ?1");
    Statement acknowledge_ = prepare("update executions set end_acknowledged = 1 where id = ?1");
    Statement endedPosition_ = prepare("select last_position from executions where id = ?1");
    Statement moveEndedPosition_ =
        prepare("update executions set last_position = ?2 where id = ?1");
    Statement movePosition_ =
        prepare("update unfinished set last_position = ?2 where execution = ?1");
    Statement cover_ = prepare("update recovery set covered_position = ?1");
};

}  // namespace durable::inline v0::sqlite
