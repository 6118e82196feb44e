// SPDX-License-Identifier: Apache-2.0
//
// Log lines know the execution and the operation they belong to, and are written once: a handler's
// logger is silent while the handler passes through its recorded past. Where they go is a function.
//
//   $ ./19_logging
//   INFO trip: booking for lisbon
//   WARN trip [book-flight, attempt 1]: no seat yet
//   INFO trip [book-flight, attempt 2]: seat 12A
//   INFO trip: booked
//   {"timestamp":"2023-11-14T22:13:20.000Z","level":"INFO","executionName":"trip","message":"ok"}
//
// Every suspension here ends the invocation, so the handler runs from its beginning after the
// retry delay; its first line is still there once.

#include <durable/durable.hpp>

#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

using namespace durable;
using namespace std::chrono_literals;

Task<void> bookTrip(DurableContext& ctx, std::string city) {
    ctx.logger().info("booking for {}", city);
    co_await ctx.step("book-flight",
                      [](StepContext& step) {
                          if (step.attempt() == 1) {
                              step.logger().warn("no seat yet");
                              throw std::runtime_error{"no seat"};
                          }
                          step.logger().info("seat {}", "12A");
                      },
                      {.retryStrategy = retry::fixed(2, 1s)});
    ctx.logger().info("booked");
}

/// A sink of your own. One for a logging library looks the same:
///
///     options.log = [](const LogRecord& record) {
///         spdlog::log(levelOf(record.level), "{} {}", record.executionName, record.message);
///     };
///
/// It is called from several threads at once and must not throw.
void print(const LogRecord& record) {
    std::string operation;
    if (!record.operationName.empty() && record.attempt) {
        operation = fmt::format(" [{}, attempt {}]", record.operationName, *record.attempt);
    }
    fmt::print("{} {}{}: {}\n", toString(record.level), record.executionName, operation,
               record.message);
}

int main() {
    EngineOptions options;
    options.log = print;  // for JSON lines: options.log = logAsJsonLines(std::cout);
    options.maxParked = 0;
    Engine engine{std::make_shared<MemoryStore>(), options};
    engine.registerHandler("book-trip", bookTrip);
    engine.start("book-trip", std::string{"lisbon"}, {.name = "trip"}).result<void>();

    const LogRecord sample{
        .time = TimePoint{1'700'000'000s}, .message = "ok", .executionName = "trip"};
    fmt::print("{}\n", toJsonLine(sample));
}
