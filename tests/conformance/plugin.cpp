// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"
#include "plugins.hpp"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using durable::AttemptEndInfo;
using durable::AttemptInfo;
using durable::branch;
using durable::ChildContextEndInfo;
using durable::ChildContextInfo;
using durable::DurableContext;
using durable::ExecutionInfo;
using durable::InvocationEndInfo;
using durable::InvocationInfo;
using durable::InvocationStatus;
using durable::OperationChangeInfo;
using durable::OperationInfo;
using durable::OperationSubType;
using durable::OperationType;
using durable::ParallelConfig;
using durable::Plugin;
using durable::StepContext;
using durable::Task;
using durable::wireName;
using nlohmann::json;
using namespace std::chrono_literals;
namespace retry = durable::retry;

namespace {

// --- the handlers
// ---------------------------------------------------------------------------------

Task<std::string> greet(DurableContext& ctx, std::string name) {
    auto greeting = co_await ctx.step([&](StepContext& step) {
        step.logger().info("Greeting step running for: {}", name);
        return "Hello, " + name + "!";
    });
    co_return greeting;
}

Task<std::string> retried(DurableContext& ctx) {
    auto result = co_await ctx.step(
        [](StepContext& step) {
            if (step.attempt() == 1) throw std::runtime_error{"first attempt fails"};
            return std::string{"Operation succeeded"};
        },
        {.retryStrategy = retry::fixed(2, 1s)});
    co_return result;
}

Task<void> waiting(DurableContext& ctx) { co_await ctx.wait(2s); }

Task<json> twoBranches(DurableContext& ctx) {
    const ParallelConfig config{.maxConcurrency = 1};
    const auto first = [](DurableContext&) -> Task<std::string> { co_return "task-1"; };
    const auto second = [](DurableContext&) -> Task<std::string> { co_return "task-2"; };
    auto batch = co_await ctx.parallel("parallel", first, second, config);
    co_return json(batch.getResults());
}

Task<void> secondFails(DurableContext& ctx) {
    co_await ctx.step([] { return std::string{"task-a"}; });
    co_await ctx.step([] { throw std::runtime_error{"boom"}; }, {.retryStrategy = retry::none()});
}

Task<json> twoWaits(DurableContext& ctx) {
    const ParallelConfig config{.maxConcurrency = 2};
    const auto first = [](DurableContext& c) -> Task<std::string> {
        co_await c.wait("short", 2s);
        co_return "short-done";
    };
    const auto second = [](DurableContext& c) -> Task<std::string> {
        co_await c.wait("long", 8s);
        co_return "long-done";
    };
    auto batch = co_await ctx.parallel("waits", first, second, config);
    co_return json(batch.getResults());
}

Task<std::string> waitAndReturn(DurableContext& ctx, std::string input) {
    co_await ctx.wait(2s);
    co_return "done-" + input;
}

Task<std::string> namedStep(DurableContext& ctx) {
    auto result = co_await ctx.step("greet", [] { return std::string{"task-a"}; });
    co_return result;
}

Task<std::string> flakyStep(DurableContext& ctx) {
    auto result = co_await ctx.step("flaky",
                                    [](StepContext& step) {
                                        if (step.attempt() == 1)
                                            throw std::runtime_error{"first attempt fails"};
                                        return std::string{"ok"};
                                    },
                                    {.retryStrategy = retry::fixed(2, 1s)});
    co_return result;
}

Task<json> namedBranches(DurableContext& ctx) {
    const ParallelConfig config{.maxConcurrency = 1};
    const auto first = [](DurableContext& c) -> Task<std::string> {
        co_await c.step("inner", [] { return std::string{"x"}; });
        co_await c.wait(2s);
        co_return "a-done";
    };
    const auto second = [](DurableContext&) -> Task<std::string> { co_return "b-done"; };
    auto batch =
        co_await ctx.parallel("ctx", branch("branch-a", first), branch("branch-b", second), config);
    co_return json(batch.getResults());
}

// --- the plugins
// ----------------------------------------------------------------------------------

std::string isoTime(durable::TimePoint time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

bool isTerminal(InvocationStatus status) {
    return status == InvocationStatus::succeeded || status == InvocationStatus::failed;
}

/// What a hook tells of an operation; what is not known is left out.
json fieldsOf(const OperationInfo& info) {
    json fields{{"id", info.id},
                {"type", wireName(info.type)},
                {"subType", wireName(info.subType)},
                {"status", wireName(info.status)},
                {"startTimestamp", isoTime(info.startTime)},
                {"isReplay", info.isReplay}};
    if (!info.name.empty()) fields["name"] = info.name;
    if (!info.parentId.empty()) fields["parentId"] = info.parentId;
    if (info.endTime) fields["endTimestamp"] = isoTime(*info.endTime);
    if (info.error) fields["error"] = info.error->messageOr("");
    if (info.attempt) fields["attempt"] = *info.attempt;
    return fields;
}

json fieldsOf(const AttemptInfo& info) {
    auto fields = fieldsOf(info.operation);
    for (const auto* key : {"status", "error", "endTimestamp"}) fields.erase(key);
    fields["attempt"] = info.attempt;
    fields["startTimestamp"] = isoTime(info.startTime);
    return fields;
}

json fieldsOf(const InvocationInfo& info) {
    return {{"isFirstInvocation", info.isFirstInvocation},
            {"requestId", info.requestId},
            {"operationsCount", info.operations.size()},
            {"updatedOperationsCount", info.updatedOperations.size()},
            {"executionStartTimestamp", isoTime(info.execution->startTime)}};
}

/// Writes lines about the executions of one handler.
class Recorder : public Plugin {
public:
    Recorder(std::ostream& log, std::string handlerName, std::string name = "CONFPLUGIN")
        : log_{log}, handlerName_{std::move(handlerName)}, name_{std::move(name)} {}

protected:
    void write(const ExecutionInfo& execution, const char* hook, json fields) {
        if (execution.handlerName != handlerName_) return;
        fields["plugin"] = name_;
        fields["hook"] = hook;
        fields["durableExecutionArn"] = execution.arn;
        log_ << fields.dump() << std::endl;  // NOLINT(performance-avoid-endl): survives a crash
    }

private:
    std::ostream& log_;
    std::string handlerName_;
    std::string name_;
};

class Invocations : public Recorder {
public:
    using Recorder::Recorder;

    void onInvocationStart(const InvocationInfo& info) override {
        write(*info.execution, "invocation-start", {{"first", info.isFirstInvocation}});
    }
    void onInvocationEnd(const InvocationEndInfo& info) override {
        write(*info.invocation.execution, "invocation-end",
              {{"first", info.invocation.isFirstInvocation},
               {"terminal", isTerminal(info.status)},
               {"status", toString(info.status)}});
    }
};

/// Operations of one type.
class Operations : public Recorder {
public:
    Operations(std::ostream& log, std::string handlerName, OperationType type)
        : Recorder{log, std::move(handlerName)}, type_{type} {}

    void onOperationStart(const OperationInfo& info) override {
        if (info.type != type_) return;
        write(*info.execution, "operation-start",
              {{"op", info.id},
               {"type", wireName(info.type)},
               {"name", info.name},
               {"replay", info.isReplay},
               {"pending", !info.endTime.has_value()}});
    }
    void onOperationEnd(const OperationInfo& info) override {
        if (info.type != type_) return;
        write(*info.execution, "operation-end",
              {{"op", info.id},
               {"type", wireName(info.type)},
               {"name", info.name},
               {"status", wireName(info.status)},
               {"result", info.result.value_or("NONE")},
               {"error", info.error ? info.error->messageOr("") : "NONE"}});
    }

private:
    OperationType type_;
};

class Attempts : public Recorder {
public:
    using Recorder::Recorder;

    void onOperationAttemptStart(const AttemptInfo& info) override {
        write(*info.operation.execution, "attempt-start",
              {{"n", info.attempt}, {"op", info.operation.id}});
    }
    void onOperationAttemptEnd(const AttemptEndInfo& info) override {
        write(*info.attempt.operation.execution, "attempt-end",
              {{"n", info.attempt.attempt},
               {"outcome", toString(info.outcome)},
               {"op", info.attempt.operation.id}});
    }
};

class Changes : public Recorder {
public:
    using Recorder::Recorder;

    void onOperationChange(const OperationChangeInfo& info) override {
        for (const auto& [id, operation] : info.updatedOperations) {
            if (operation.type != OperationType::step) continue;
            write(*info.execution, "operation-change",
                  {{"op", id},
                   {"status", wireName(operation.status)},
                   {"in_full_map", info.operations.all().contains(id)}});
        }
    }
};

class UpdatedWaits : public Recorder {
public:
    using Recorder::Recorder;

    void onInvocationStart(const InvocationInfo& info) override {
        for (const auto& [id, operation] : info.updatedOperations) {
            if (operation.type != OperationType::wait) continue;
            write(*info.execution, "updated-on-invoke",
                  {{"op", id},
                   {"status", wireName(operation.status)},
                   {"first", info.isFirstInvocation}});
        }
    }
};

class BranchFunctions : public Recorder {
public:
    using Recorder::Recorder;

    void onChildContextStart(const ChildContextInfo& info) override {
        const auto& operation = info.operation;
        if (operation.subType != OperationSubType::parallelBranch) return;
        write(*operation.execution, "fn-start",
              {{"op", operation.id}, {"parent", parentOf(operation)}});
    }
    void onChildContextEnd(const ChildContextEndInfo& info) override {
        const auto& operation = info.context.operation;
        if (operation.subType != OperationSubType::parallelBranch) return;
        write(*operation.execution, "fn-end",
              {{"op", operation.id},
               {"parent", parentOf(operation)},
               {"outcome", toString(info.outcome)}});
    }

private:
    static std::string parentOf(const OperationInfo& operation) {
        return operation.parentId.empty() ? "NONE" : operation.parentId;
    }
};

class Healthy : public Recorder {
public:
    using Recorder::Recorder;

    void onInvocationStart(const InvocationInfo& info) override {
        write(*info.execution, "invocation-start", {{"first", info.isFirstInvocation}});
        afterwards();
    }
    void onOperationStart(const OperationInfo& info) override {
        write(*info.execution, "operation-start", {{"op", info.id}});
        afterwards();
    }
    void onOperationAttemptStart(const AttemptInfo& info) override {
        write(*info.operation.execution, "attempt-start", {{"op", info.operation.id}});
        afterwards();
    }
    void onOperationAttemptEnd(const AttemptEndInfo& info) override {
        write(*info.attempt.operation.execution, "attempt-end",
              {{"op", info.attempt.operation.id}, {"outcome", toString(info.outcome)}});
        afterwards();
    }
    void onOperationEnd(const OperationInfo& info) override {
        write(*info.execution, "operation-end",
              {{"op", info.id}, {"status", wireName(info.status)}});
        afterwards();
    }
    void onInvocationEnd(const InvocationEndInfo& info) override {
        write(*info.invocation.execution, "invocation-end", {{"status", toString(info.status)}});
        afterwards();
    }

protected:
    virtual void afterwards() {}
};

class Faulty : public Healthy {
public:
    using Healthy::Healthy;

protected:
    void afterwards() override { throw std::runtime_error{"a plugin fails"}; }
};

class InvocationFields : public Recorder {
public:
    using Recorder::Recorder;

    void onInvocationStart(const InvocationInfo& info) override {
        write(*info.execution, "invocation-start", fieldsOf(info));
    }
    void onInvocationEnd(const InvocationEndInfo& info) override {
        auto fields = fieldsOf(info.invocation);
        fields["status"] = toString(info.status);
        fields["terminal"] = isTerminal(info.status);
        if (info.error) fields["executionError"] = info.error->messageOr("");
        write(*info.invocation.execution, "invocation-end", std::move(fields));
    }
};

class OperationFields : public Recorder {
public:
    using Recorder::Recorder;

    void onOperationStart(const OperationInfo& info) override {
        if (info.type != OperationType::step) return;
        write(*info.execution, "operation-start", fieldsOf(info));
    }
    void onOperationEnd(const OperationInfo& info) override {
        if (info.type != OperationType::step) return;
        write(*info.execution, "operation-end", fieldsOf(info));
    }
};

class AttemptFields : public Recorder {
public:
    using Recorder::Recorder;

    void onOperationAttemptStart(const AttemptInfo& info) override {
        write(*info.operation.execution, "attempt-start", fieldsOf(info));
    }
    void onOperationAttemptEnd(const AttemptEndInfo& info) override {
        auto fields = fieldsOf(info.attempt);
        fields["endTimestamp"] = isoTime(info.endTime);
        fields["outcome"] = toString(info.outcome);
        if (info.error) fields["error"] = info.error->messageOr("");
        write(*info.attempt.operation.execution, "attempt-end", std::move(fields));
    }
};

class ChangeFields : public Recorder {
public:
    using Recorder::Recorder;

    void onOperationChange(const OperationChangeInfo& info) override {
        for (const auto& [id, operation] : info.updatedOperations) {
            if (operation.type != OperationType::step) continue;
            auto fields = fieldsOf(operation);
            fields["executionArn"] = info.execution->arn;
            fields["updatedOperationsCount"] = info.updatedOperations.size();
            fields["operationsCount"] = info.operations.size();
            fields["inFullMap"] = info.operations.find(id).has_value();
            write(*info.execution, "operation-change", std::move(fields));
        }
    }
};

class ContextFields : public Recorder {
public:
    using Recorder::Recorder;

    void onOperationStart(const OperationInfo& info) override {
        if (info.type != OperationType::context) return;
        write(*info.execution, "operation-start", fieldsOf(info));
    }
    void onChildContextStart(const ChildContextInfo& info) override {
        auto fields = fieldsOf(info.operation);
        fields["isReplayingChildren"] = info.isReplayingChildren;
        write(*info.operation.execution, "fn-start", std::move(fields));
    }
};

}  // namespace

void registerPlugin(durable::testing::LocalRunner& runner) {
    for (const auto* requirement : {"10-1", "10-2", "10-5", "10-8", "10-17"}) {
        runner.registerHandler(requirement, greet);
    }
    for (const auto* requirement : {"10-9", "10-10", "10-16"}) {
        runner.registerHandler(requirement, waiting);
    }
    runner.registerHandler("10-3", retried)
        .registerHandler("10-12", twoBranches)
        .registerHandler("10-14", secondFails)
        .registerHandler("10-18", twoWaits)
        .registerHandler("10-19", waitAndReturn)
        .registerHandler("10-20", namedStep)
        .registerHandler("10-21", flakyStep)
        .registerHandler("10-22", namedStep)
        .registerHandler("10-23", namedBranches);
}

std::vector<std::shared_ptr<Plugin>> pluginsUnderTest(std::ostream& log) {
    return {
        std::make_shared<Invocations>(log, "10-1"),
        std::make_shared<Operations>(log, "10-2", OperationType::step),
        std::make_shared<Attempts>(log, "10-3"),
        std::make_shared<Invocations>(log, "10-5", "CONFPLUGIN-A"),
        std::make_shared<Invocations>(log, "10-5", "CONFPLUGIN-B"),
        std::make_shared<Changes>(log, "10-8"),
        std::make_shared<UpdatedWaits>(log, "10-9"),
        std::make_shared<Operations>(log, "10-10", OperationType::wait),
        std::make_shared<BranchFunctions>(log, "10-12"),
        std::make_shared<Operations>(log, "10-14", OperationType::step),
        std::make_shared<Invocations>(log, "10-16"),
        std::make_shared<Faulty>(log, "10-17", "CONFPLUGIN-FAULTY"),
        std::make_shared<Healthy>(log, "10-17", "CONFPLUGIN-HEALTHY"),
        std::make_shared<Operations>(log, "10-18", OperationType::wait),
        std::make_shared<InvocationFields>(log, "10-19"),
        std::make_shared<OperationFields>(log, "10-20"),
        std::make_shared<AttemptFields>(log, "10-21"),
        std::make_shared<ChangeFields>(log, "10-22"),
        std::make_shared<ContextFields>(log, "10-23"),
    };
}
