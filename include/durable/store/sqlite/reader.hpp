// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry_json.hpp>
#include <durable/journal/names.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/serdes/parse_json.hpp>
#include <durable/store/sqlite/connection.hpp>
#include <durable/store/sqlite/iso_time.hpp>
#include <durable/store/sqlite/last_positions.hpp>
#include <durable/store/sqlite/statement.hpp>
#include <durable/store/store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace durable::inline v0::sqlite {

/// Reads a journal, on a connection of its own, so that nobody who reads waits for a commit.
///
/// Thread-safety: none, but for `visit`; the store locks.
class Reader {
public:
    explicit Reader(Connection& connection) : connection_{connection} {}

    struct JournalRow {
        Position position{};
        std::string entries;
    };

    /// The rows of an execution whose chain ends at `last`, the last one first, as the way to them
    /// is. Kept as text, which is half of what the entries would take.
    [[nodiscard]] std::vector<JournalRow> chain(ExecutionId execution, Position last) {
        const ReadTransaction transaction{connection_};
        std::vector<JournalRow> chain;
        for (auto position = last; position != 0;) {
            auto rows = rowsFrom_.query(position);
            position = readNearby(rows, execution, position, chain);
        }
        return chain;
    }

    /// Visits the entries of a chain, the first one first. Needs no lock.
    void visit(std::vector<JournalRow> chain, const EntryVisitor& visitor) const {
        for (std::vector<Entry> entries; !chain.empty(); chain.pop_back()) {
            readEntries(chain.back(), entries);
            for (const auto& entry : entries) visitor(entry);
        }
    }

    /// The end of the chain of an execution that has ended; 0 if there is none.
    [[nodiscard]] Position endedPosition(ExecutionId execution) {
        auto rows = endedPosition_.query(execution);
        return rows.next() ? rows.integer(0) : 0;
    }

    [[nodiscard]] std::optional<ExecutionRecord> find(ExecutionId execution) {
        return recordOf(findById_.query(execution));
    }

    [[nodiscard]] std::optional<ExecutionRecord> find(std::string_view handlerName,
                                                      std::string_view name) {
        return recordOf(findByName_.query(handlerName, name));
    }

    [[nodiscard]] std::vector<ExecutionRecord> list(const ExecutionFilter& filter) {
        constexpr std::size_t limitMax = std::numeric_limits<std::int64_t>::max();
        std::optional<std::string_view> status;
        if (filter.status) status = wireName(*filter.status);
        std::vector<ExecutionRecord> records;
        for (auto rows = listing(filter).query(filter.after, filter.handlerName, status,
                                               std::min(filter.countMax, limitMax));
             rows.next();) {
            records.push_back(readRecord(rows));
        }
        return records;
    }

    [[nodiscard]] ExecutionId lastExecution() {
        auto rows = lastExecution_.query();
        return rows.next() ? rows.integer(0) : 0;
    }

private:
    using Rows = Statement::Rows;

    /// Adds the row at `position` and those before it in its chain, as long as they lie near to
    /// each other: going on is cheaper than seeking.
    /// \return where the chain goes on; 0 at its end.
    [[nodiscard]] Position readNearby(Rows& rows, ExecutionId execution, Position position,
                                      std::vector<JournalRow>& chain) const {
        constexpr int nearby = 8;
        for (int passed = 0; position != 0 && passed < nearby;) {
            const auto found = rows.next() ? rows.integer(0) : 0;
            if (found > position) {
                ++passed;
                continue;
            }
            if (found < position) failAsDamaged(position, "is missing");
            if (rows.integer(1) != execution) failAsDamaged(position, "is of another execution");
            const auto previous = rows.integer(2);
            if (previous < 0 || previous >= position) failAsDamaged(position, "points forward");
            chain.push_back({position, std::string{rows.text(3)}});
            position = previous;
            passed = 0;
        }
        return position;
    }

    void readEntries(const JournalRow& row, std::vector<Entry>& entries) const {
        entries.clear();
        try {
            entriesFromJson(row.entries, entries);
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception& error) {
            failAsDamaged(row.position, std::string{"cannot be read: "} + error.what());
        }
    }

    /// Few executions are unfinished or unacknowledged: those lists start from them.
    [[nodiscard]] Statement& listing(const ExecutionFilter& filter) {
        if (filter.onlyUnacknowledged) return listUnacknowledged_;
        return filter.status == ExecutionStatus::running ? listUnfinished_ : listAll_;
    }

    [[nodiscard]] std::optional<ExecutionRecord> recordOf(Rows&& rows) {
        if (!rows.next()) return std::nullopt;
        return readRecord(rows);
    }

    [[nodiscard]] ExecutionRecord readRecord(const Rows& rows) {
        ExecutionRecord record;
        record.id = rows.integer(0);
        record.start = {.handlerName = std::string{rows.text(1)},
                        .name = std::string{rows.text(2)},
                        .input = rows.optionalText(3),
                        .startTime = readTime(rows, 4),
                        .tenantId = rows.optionalText(6).value_or(""),
                        .invokerExecution = rows.integer(7),
                        .invokerOperation = rows.optionalText(8).value_or("")};
        if (!rows.isNull(5)) record.start.timeout = std::chrono::seconds{rows.integer(5)};
        record.endAcknowledged = rows.integer(9) != 0;
        record.suspension.waiting = rows.integer(10) != 0;
        if (!rows.isNull(11)) record.suspension.wakeAt = readTime(rows, 11);
        if (!rows.isNull(13)) record.end = readEnd(record.id, rows);
        return record;
    }

    [[nodiscard]] ExecutionEnd readEnd(ExecutionId execution, const Rows& rows) {
        const auto status = fromWireName<ExecutionStatus>(rows.text(12));
        if (!status) failAsDamaged(execution, "an unknown status", rows.text(12));
        ExecutionEnd end{
            .status = *status, .result = rows.optionalText(14), .endTime = readTime(rows, 13)};
        if (!rows.isNull(15)) {
            try {
                end.error = errorFromJson(parseJson(rows.text(15)));
            } catch (const std::bad_alloc&) {
                throw;
            } catch (const std::exception& error) {
                failAsDamaged(execution,
                              std::string{"an error that cannot be read ("} + error.what() + ")",
                              rows.text(15).substr(0, shownMax));
            }
        }
        return end;
    }

    [[nodiscard]] TimePoint readTime(const Rows& rows, int column) {
        const auto time = timeFromIso(rows.text(column));
        if (!time) failAsDamaged(rows.integer(0), "a time that cannot be read", rows.text(column));
        return *time;
    }

    [[noreturn]] void failAsDamaged(Position position, std::string_view what) const {
        connection_.failAsDamaged("row " + std::to_string(position) + " " + std::string{what});
    }
    [[noreturn]] void failAsDamaged(ExecutionId execution, std::string_view what,
                                    std::string_view found) const {
        connection_.failAsDamaged("execution " + std::to_string(execution) + " has " +
                                  std::string{what} + ", \"" + std::string{found} + "\"");
    }

    Statement prepare(std::string_view sql) { return {connection_, "read", sql}; }

    Statement prepareRecords(std::string_view from, std::string_view where) {
        std::string sql =
            "select x.id, x.handler, x.name, x.input, x.start_time, x.timeout, x.tenant, x.invoker,"
            " x.invoker_operation, x.end_acknowledged, u.waiting, u.wake_at, x.status, x.end_time,"
            " x.result, x.error from ";
        sql += from;
        sql += " where ";
        sql += where;
        return prepare(sql);
    }

    // In the order of ids whatever else is asked: `after` makes the next page start where this one
    // ended, without reading what came before it. `id` is that of the table that is read first, or
    // each page would be sorted out of all rows that are left.
    Statement prepareList(std::string_view id, std::string_view from, std::string_view where) {
        std::string sql{id};
        sql += " > ?1 and (?2 is null or x.handler = ?2) and (?3 is null or x.status = ?3)";
        sql += where;
        sql += " order by ";
        sql += id;
        sql += " limit ?4";
        return prepareRecords(from, sql);
    }

    static constexpr std::size_t shownMax = 200;  // bytes of a text that cannot be read

    static constexpr std::string_view all =
        "executions x left join unfinished u on u.execution = x.id";

    Connection& connection_;
    Statement rowsFrom_ = prepare(
        "select position, execution, coalesce(previous, 0), entries from journal "
        "where position <= ? order by position desc");
    Statement endedPosition_ = prepare("select last_position from executions where id = ?");
    Statement lastExecution_ = prepare("select coalesce(max(id), 0) from executions");
    Statement findById_ = prepareRecords(all, "x.id = ?");
    Statement findByName_ = prepareRecords(all, "x.handler = ? and x.name = ?");
    Statement listAll_ = prepareList("x.id", all, "");
    Statement listUnfinished_ = prepareList(
        "u.execution", "unfinished u cross join executions x on x.id = u.execution", "");
    Statement listUnacknowledged_ = prepareList(
        "x.id",
        "executions x indexed by unacknowledged left join unfinished u on u.execution = x.id",
        " and x.invoker is not null and x.end_time is not null and x.end_acknowledged = 0");
};

}  // namespace durable::inline v0::sqlite
