// SPDX-License-Identifier: Apache-2.0
//
// A plugin watches executions: here it draws what a tracer would send, and adds a field to each log
// line. What it does has no effect on what it watches.
//
//   $ ./20_plugins
//   > invocation (first)
//   >   1 STEP reserve
//   |     attempt 1: FAILED, busy
//   |     attempt 2: SUCCEEDED
//   <   1 SUCCEEDED after 2 attempts
//   >   2 CONTEXT report
//   >   2-1 STEP write
//   |     attempt 1: SUCCEEDED
//   <   2-1 SUCCEEDED after 1 attempts
//   log: written traceId=trace-of-a
//   <   2 SUCCEEDED
//   < invocation SUCCEEDED

#include <durable/durable.hpp>

#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;
using namespace std::chrono_literals;

/// Hooks come from the thread of the handler and from those of step bodies: what a plugin keeps, it
/// protects.
class Tracer : public Plugin {
public:
    void onInvocationStart(const InvocationInfo& info) override {
        print(fmt::format("> invocation ({})", info.isFirstInvocation ? "first" : "again"));
    }
    void onInvocationEnd(const InvocationEndInfo& info) override {
        print(fmt::format("< invocation {}", toString(info.status)));
    }
    void onOperationStart(const OperationInfo& info) override {
        print(fmt::format(">   {} {} {}", info.id, wireName(info.type), info.name));
    }
    void onOperationEnd(const OperationInfo& info) override {
        const auto attempts = info.attempt ? fmt::format(" after {} attempts", *info.attempt) : "";
        print(fmt::format("<   {} {}{}", info.id, wireName(info.status), attempts));
    }
    void onOperationAttemptEnd(const AttemptEndInfo& info) override {
        const auto why = info.error ? ", " + info.error->messageOr("") : "";
        print(fmt::format("|     attempt {}: {}{}", info.attempt.attempt, toString(info.outcome),
                          why));
    }
    void enrichLogContext(const LogRecord& record, std::vector<LogField>& fields) override {
        fields.push_back({"traceId", fmt::format("trace-of-{}", record.executionName)});
    }

private:
    void print(const std::string& line) {
        const std::scoped_lock lock{mutex_};
        fmt::print("{}\n", line);
    }

    std::mutex mutex_;
};

Task<void> order(DurableContext& ctx) {
    co_await ctx.step("reserve",
                      [](StepContext& step) {
                          if (step.attempt() == 1) throw std::runtime_error{"busy"};
                      },
                      {.retryStrategy = retry::fixed(2, 1s)});
    co_await ctx.runInChildContext("report", [](DurableContext& child) -> Task<void> {
        co_await child.step("write", [] {});
        child.logger().info("written");
    });
}

int main() {
    EngineOptions options;
    options.plugins = {std::make_shared<Tracer>()};
    options.log = [](const LogRecord& record) {
        fmt::print("log: {}", record.message);
        for (const auto& field : record.fields) fmt::print(" {}={}", field.name, field.value);
        fmt::print("\n");
    };
    Engine engine{std::make_shared<MemoryStore>(), options};
    engine.registerHandler("order", order);
    engine.start("order", {.name = "a"}).result<void>();
}
