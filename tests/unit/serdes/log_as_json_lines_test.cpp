// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/serdes/log_as_json_lines.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using durable::LogField;
using durable::LogLevel;
using durable::LogRecord;
using durable::TimePoint;
using durable::toJsonLine;
using namespace std::chrono_literals;

namespace {

LogRecord whole() {
    return {.time = TimePoint{1'700'000'000'007ms},
            .level = LogLevel::warn,
            .message = "three of \"four\"\n",
            .executionArn = "arn:x",
            .executionName = "2026-11-23",
            .handlerName = "settle-orders",
            .tenantId = "t1",
            .operationId = "1-4",
            .operationName = "charge",
            .attempt = 2};
}

}  // namespace

TEST_CASE("a log line as JSON has all that is known, in a fixed order") {
    CHECK(toJsonLine(whole()) ==
          R"({"timestamp":"2023-11-14T22:13:20.007Z","level":"WARN","executionArn":"arn:x",)"
          R"("executionName":"2026-11-23","handlerName":"settle-orders","tenantId":"t1",)"
          R"("operationId":"1-4","operationName":"charge","attempt":2,)"
          R"("message":"three of \"four\"\n"})");
}

TEST_CASE("a log line as JSON leaves out what is not known") {
    LogRecord record;
    record.message = "engine";

    CHECK(toJsonLine(record) ==
          R"({"timestamp":"1970-01-01T00:00:00.000Z","level":"INFO","message":"engine"})");
}

TEST_CASE("fields of plugins come before the message and win over the record's own") {
    const std::vector<LogField> fields{{"traceId", "a\"b"}, {"attempt", "none"}, {"traceId", "c"}};
    LogRecord record;
    record.message = "m";
    record.attempt = 1;
    record.fields = fields;

    CHECK(toJsonLine(record) ==
          R"({"timestamp":"1970-01-01T00:00:00.000Z","level":"INFO","attempt":"none",)"
          R"("traceId":"c","message":"m"})");
}

TEST_CASE("a message that is not UTF-8 is still a line of JSON") {
    LogRecord record;
    record.message = "caf\xe9";

    CHECK(nlohmann::json::parse(toJsonLine(record))["message"] == "caf\xEF\xBF\xBD");
}

TEST_CASE("the sink writes whole lines, from several threads too") {
    std::ostringstream out;
    {
        const auto sink = durable::logAsJsonLines(out);
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([sink] {
                for (int line = 0; line < 50; ++line) sink(whole());
            });
        }
    }
    std::istringstream lines{out.str()};
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) CHECK(line == toJsonLine(whole()));
    CHECK(count == 200);
}
