// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/base/logger.hpp>
#include <durable/testing/manual_clock.hpp>

#include <unistd.h>  // dup2: POSIX

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

using durable::Logger;
using durable::LogLevel;
using durable::LogRecord;
using durable::LogSink;
using durable::testing::ManualClock;
using namespace std::chrono_literals;

namespace {

/// Keeps a log line, whose views end with the call of the sink.
struct Line {
    durable::TimePoint time;
    LogLevel level;
    std::string text;
};

LogSink into(std::vector<Line>& lines) {
    return [&lines](const LogRecord& record) {
        lines.push_back({record.time, record.level,
                         fmt::format("{}|{}|{}|{}|{}|{}", record.message, record.executionName,
                                     record.handlerName, record.operationId, record.operationName,
                                     record.attempt.value_or(0))});
    };
}

}  // namespace

TEST_CASE("a log line carries the time, the level and what it belongs to") {
    ManualClock clock;
    std::vector<Line> lines;
    const LogSink sink = into(lines);
    const Logger logger{sink,
                        clock,
                        {.executionName = "2026-11-23",
                         .handlerName = "settle-orders",
                         .operationId = "1-4",
                         .operationName = "charge",
                         .attempt = 2}};

    const auto before = clock.now();
    clock.advance(1500ms);
    logger.warn("{} of {}", 3, "five");

    REQUIRE(lines.size() == 1);
    CHECK(lines[0].time == before + 1500ms);
    CHECK(lines[0].level == LogLevel::warn);
    CHECK(lines[0].text == "3 of five|2026-11-23|settle-orders|1-4|charge|2");
}

TEST_CASE("each level has a function and a name") {
    const ManualClock clock;
    std::vector<Line> lines;
    const LogSink sink = into(lines);
    const Logger logger{sink, clock, {}};

    logger.debug("d");
    logger.info("i");
    logger.warn("w");
    logger.error("e");

    REQUIRE(lines.size() == 4);
    CHECK(toString(lines[0].level) == "DEBUG");
    CHECK(toString(lines[1].level) == "INFO");
    CHECK(toString(lines[2].level) == "WARN");
    CHECK(toString(lines[3].level) == "ERROR");
}

TEST_CASE("a logger is silent while the handler passes through its recorded past") {
    const ManualClock clock;
    std::vector<Line> lines;
    const LogSink sink = into(lines);
    bool replaying = true;
    const Logger logger{sink, clock, {}, [&] { return replaying; }};

    logger.info("first");
    replaying = false;
    logger.info("second");
    replaying = true;
    logger.error("third");

    REQUIRE(lines.size() == 1);
    CHECK(lines[0].text == "second|||||0");
}

TEST_CASE("a logger that also writes on replay is asked for by the author") {
    const ManualClock clock;
    std::vector<Line> lines;
    const LogSink sink = into(lines);
    const Logger logger{sink, clock, {.executionName = "a"}, [] { return true; }};

    logger.alsoOnReplay().info("again");
    logger.info("silent");

    REQUIRE(lines.size() == 1);
    CHECK(lines[0].text == "again|a||||0");
}

TEST_CASE("a logger without a sink writes nothing") {
    const ManualClock clock;
    const LogSink none{};
    const Logger logger{none, clock, {}};

    CHECK_NOTHROW(logger.info("{}", 1));
}

TEST_CASE("a log line for people tells time, level, execution, operation and a repeated attempt") {
    const std::vector<durable::LogField> fields{{"traceId", "t"}};
    LogRecord record{.time = durable::TimePoint{1'700'000'000'007ms},
                     .level = LogLevel::warn,
                     .message = "three",
                     .executionName = "2026-11-23"};
    CHECK(toLine(record) == "2023-11-14T22:13:20Z WARN  2026-11-23: three");

    record.operationId = "1-4";
    record.operationName = "charge";
    record.attempt = 1;
    CHECK(toLine(record) == "2023-11-14T22:13:20Z WARN  2026-11-23 1-4 \"charge\": three");

    record.attempt = 2;
    record.fields = fields;
    CHECK(toLine(record) ==
          "2023-11-14T22:13:20Z WARN  2026-11-23 1-4 \"charge\" attempt 2: three traceId=t");
}

TEST_CASE("the default sink writes a line to standard error") {
    std::FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    std::fflush(stderr);
    const int before = ::dup(STDERR_FILENO);
    REQUIRE(before >= 0);
    ::dup2(::fileno(file), STDERR_FILENO);
    durable::logToStandardError({.level = LogLevel::error, .message = "lost"});
    std::fflush(stderr);
    ::dup2(before, STDERR_FILENO);
    ::close(before);
    REQUIRE(std::fseek(file, 0, SEEK_SET) == 0);
    char text[100]{};
    const auto length = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);

    CHECK(std::string(text, length) == "1970-01-01T00:00:00Z ERROR : lost\n");
}

TEST_CASE("a manual clock moves only when it is told to") {
    ManualClock clock{durable::TimePoint{1000ms}};

    CHECK(clock.now() == durable::TimePoint{1000ms});
    clock.advance(1ms);
    CHECK(clock.now() == durable::TimePoint{1001ms});
    clock.set(durable::TimePoint{5ms});
    CHECK(clock.now() == durable::TimePoint{5ms});
}
