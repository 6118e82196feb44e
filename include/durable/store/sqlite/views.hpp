// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <string>
#include <string_view>

/// \file
/// What operators ask a journal with SQL, while engines run or not:
///
///     sqlite3 -box orders.db 'select * from v_waiting'
///
/// - `v_executions`: every execution with its status, and what it waits for if it is unfinished.
/// - `v_operations`: every operation with its current state; agrees with `ExecutionState`.
/// - `v_history`: every entry in order, numbered per execution.
/// - `v_waiting`: what unfinished executions wait for, and until when.
///
/// Times are text in UTC, errors are JSON, results are the recorded text. `execution` is
/// `executions.id`, `id` that of the operation within it. `v_operations` and `v_history` read the
/// whole journal, and are much faster with `where execution = 7`. `v_waiting` reads only rows of
/// unfinished executions.

namespace durable::inline v0::sqlite {

namespace detail {

/// One row per entry of the journal's rows in `rows`. `place` rises in the order of appending.
[[nodiscard]] inline std::string entriesOf(std::string_view rows) {
    std::string sql = R"sql(
select j.execution,
       j.position * 16777216 + e.key                as place,
       json_extract(e.value, '$.kind')              as kind,
       json_extract(e.value, '$.time')              as time,
       coalesce(json_extract(e.value, '$.id'), '')  as id,
       json_extract(e.value, '$.type')              as type,
       json_extract(e.value, '$.subType')           as sub_type,
       json_extract(e.value, '$.name')              as name,
       json_extract(e.value, '$.parent')            as parent,
       json_extract(e.value, '$.callbackId')        as callback_id,
       json_extract(e.value, '$.handler')           as handler,
       json_extract(e.value, '$.delay')             as delay,
       json_extract(e.value, '$.heartbeatTimeout')  as heartbeat_timeout,
       json_extract(e.value, '$.attempt')           as attempt,
       json_extract(e.value, '$.payload')           as payload,
       json_extract(e.value, '$.error')             as error
from )sql";
    sql += rows;
    sql += " j, json_each(j.entries) e";
    return sql;
}

/// One row per operation: its entries folded as `ExecutionState` folds them. The first entry says
/// what the operation is, the last one its status, the last one with an outcome its result.
///
/// Windows all the way, no group: only through windows does SQLite hand `where execution = 7` down
/// to the journal.
[[nodiscard]] inline std::string operationsOf(std::string_view entries) {
    std::string sql = R"sql(
select execution, id, place, parent, name, type, sub_type, callback_id, handler, time as started,
       status, attempts as attempt, ended, result, last_error as error,
       due, last_beat + heartbeat_timeout * 1000  as heartbeat_due  -- in milliseconds
from (select *,
             max(case when place = last then
                 case kind when 'started'   then 'STARTED'   when 'retried'   then 'PENDING'
                           when 'ready'     then 'READY'     when 'succeeded' then 'SUCCEEDED'
                           when 'failed'    then 'FAILED'    when 'timedOut'  then 'TIMED_OUT'
                           when 'cancelled' then 'CANCELLED' when 'stopped'   then 'STOPPED' end
                 end) over operation  as status,
             max(attempt) over operation  as attempts,
             max(case when place = outcome and kind <> 'retried' then time end)
                 over operation  as ended,
             max(case when place = outcome then payload end) over operation  as result,
             max(case when place = outcome then error end) over operation  as last_error,
             max(case when place = last and (kind = 'retried' or kind = 'started'
                                             and type in ('WAIT', 'CALLBACK'))
                      then time + delay * 1000 end) over operation  as due,
             max(case when kind in ('started', 'heartbeat') then time end)
                 over operation  as last_beat
      from (select *,
                   min(place) over operation  as first,
                   max(case when kind <> 'heartbeat' then place end) over operation  as last,
                   max(case when kind not in ('started', 'ready', 'heartbeat') then place end)
                       over operation  as outcome
            from )sql";
    sql += entries;
    sql += R"sql(
            where id <> ''
            window operation as (partition by execution, id))
      window operation as (partition by execution, id))
where place = first)sql";
    return sql;
}

/// A column of milliseconds as text.
[[nodiscard]] inline std::string isoColumn(std::string_view milliseconds, std::string_view name) {
    std::string sql = "strftime('%Y-%m-%dT%H:%M:%fZ', ";
    sql += milliseconds;
    sql += " / 1000.0, 'unixepoch') as ";
    sql += name;
    return sql;
}

}  // namespace detail

/// Rows of executions that have not ended, by the way back from what `LastPositions` wrote last,
/// and from the rows after that.
inline constexpr std::string_view unfinishedRowsSql = R"sql(
create view unfinished_rows as
with recursive way(position) as (
    select last_position from unfinished
    union
    select position from journal, recovery
        where position > covered_position and execution in (select execution from unfinished)
    union
    select previous from way join journal using (position)
)
select journal.* from way join journal using (position);
)sql";

/// A wait beneath a context that has ended is never awaited again: it is left out.
inline constexpr std::string_view waitingSql = R"sql(,
open as (
    select * from operation where status = 'PENDING'
        or status = 'STARTED' and type in ('WAIT', 'CALLBACK', 'CHAINED_INVOKE')
),
above(execution, id, context) as (   -- "1-4-2" lies under "1-4" and "1"
    select execution, id, rtrim(rtrim(id, '0123456789'), '-') from open
    union all
    select execution, id, rtrim(rtrim(context, '0123456789'), '-') from above where context <> ''
)
select x.id as execution, x.handler, x.name as execution_name,
       o.id, o.name, o.type, )sql";

[[nodiscard]] inline std::string viewsSql() {
    using detail::isoColumn;
    std::string sql;

    sql += R"sql(
create view v_executions as
select x.id as execution, x.handler, x.name as execution_name, x.status, x.start_time, x.end_time,
       u.waiting, u.wake_at, x.tenant, x.invoker, x.invoker_operation, x.input, x.result, x.error
from executions x left join unfinished u on u.execution = x.id
order by x.id;
create view entries as)sql";
    sql += detail::entriesOf("journal");

    sql +=
        ";\ncreate view v_operations as\n"
        "select x.id as execution, x.handler, x.name as execution_name,\n"
        "       o.id, o.parent, o.name, o.type, o.sub_type, o.status, o.attempt,\n       ";
    sql += isoColumn("o.started", "started") + ",\n       " + isoColumn("o.ended", "ended");
    sql += ",\n       o.result, o.error\nfrom (" + detail::operationsOf("entries");
    sql += ") o join executions x on x.id = o.execution\norder by o.execution, o.place;\n";

    sql +=
        "create view v_history as\n"
        "select x.id as execution, x.handler, x.name as execution_name, h.seq,\n       ";
    sql += isoColumn("h.time", "time");
    sql += R"sql(,
       h.kind, h.id, h.name, h.type, h.sub_type, h.parent, h.attempt, h.delay, h.payload, h.error
from (select *, row_number() over (partition by execution order by place)  as seq
      from (select execution, place, time, kind, id, attempt, delay, payload, error,
                   first_value(name) over operation      as name,
                   first_value(type) over operation      as type,
                   first_value(sub_type) over operation  as sub_type,
                   first_value(parent) over operation    as parent
            from entries
            window operation as (partition by execution, id order by place))) h
join executions x on x.id = h.execution
order by h.execution, h.seq;
)sql";

    sql += unfinishedRowsSql;
    sql += "create view unfinished_entries as" + detail::entriesOf("unfinished_rows");
    sql += ";\ncreate view v_waiting as\nwith recursive operation as (";
    sql += detail::operationsOf("unfinished_entries") + ")";
    sql += waitingSql;
    sql += isoColumn("o.started", "started") + ",\n       ";
    sql += isoColumn("coalesce(min(o.due, o.heartbeat_due), o.due, o.heartbeat_due)", "until");
    sql += R"sql(,
       o.callback_id, o.handler as invoked_handler
from open o join executions x on x.id = o.execution
where not exists (
    select 1 from above a join operation c on c.execution = a.execution and c.id = a.context
    where a.execution = o.execution and a.id = o.id and c.ended is not null)
order by o.execution, o.place;
)sql";
    return sql;
}

}  // namespace durable::inline v0::sqlite
