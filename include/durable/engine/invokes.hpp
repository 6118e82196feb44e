// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/driver_host.hpp>
#include <durable/engine/execution_driver.hpp>
#include <durable/engine/handler_registry.hpp>
#include <durable/engine/world_updates.hpp>
#include <durable/store/store.hpp>

#include <fmt/core.h>

#include <exception>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>

namespace durable::inline v0 {

/// Executions that executions start: begun once for each invoke, and their end told to the invoker.
///
/// The name of an invoked execution says which invoke it belongs to, and is one that nobody can
/// give to `start`. So whether it exists is asked of the store, and a crash between the record of
/// an invoke and the start of its execution is mended when the invoker is loaded.
///
/// Thread-safety: all members.
class Invokes {
public:
    Invokes(Store& store, const HandlerRegistry& handlers, const Clock& clock, DriverHost& host)
        : store_{store}, handlers_{handlers}, clock_{clock}, host_{host} {}

    /// Makes sure that the execution which `operation` of `invoker` asks for exists and goes on.
    /// An execution that can never be started fails the operation; one that could not be written
    /// is lost, and the invoker with it, whose next driver asks again. On the invoker's strand.
    /// \throws StoreError
    void ensure(ExecutionDriver& invoker, const Operation& operation) {
        const auto& handlerName = operation.details->handlerName;
        const auto invokerId = invoker.identity().id;
        auto operationId = operationIdOf(operation);
        auto name = fmt::format("invoke.{}.{}", invokerId, operationId);
        if (!begin(name)) return;
        Ending beginning{*this, name};
        if (const auto child = store_.find(handlerName, name)) {
            if (child->start.invokerExecution != invokerId) {
                return invoker.change(failedInvoke(operationId, "ResourceConflictException",
                                                   fmt::format("the name {} is taken", name)));
            }
            if (child->end) return complete(invoker, *child);
            return host_.dispatch(child->id, [](ExecutionDriver&) {});
        }
        if (handlers_.find(handlerName) == nullptr) {
            return invoker.change(
                failedInvoke(operationId, "ResourceNotFoundException",
                             fmt::format("no handler \"{}\" is registered", handlerName)));
        }
        beginning.passOn();
        host_.create({.handlerName = handlerName,
                      .name = name,
                      .input = operation.result,
                      .startTime = clock_.now(),
                      .tenantId = operation.details->tenantId,
                      .invokerExecution = invokerId,
                      .invokerOperation = operationId},
                     [this, name, invokerId, operationId](const Refusal* refusal, auto&&) {
                         begun(name, invokerId, operationId, refusal);
                     });
    }

    /// Tells the invoking execution how an invoked one ended.
    void tellInvoker(const ExecutionRecord& child) {
        host_.dispatch(child.start.invokerExecution,
                       [child](ExecutionDriver& invoker) { complete(invoker, child); });
    }

private:
    static void complete(ExecutionDriver& invoker, const ExecutionRecord& child) {
        invoker.change(invokeUpdate(child));
        invoker.acknowledgeChild(child.id);
    }

    /// Gives a name that was begun back, unless that is passed on.
    class Ending {
    public:
        Ending(Invokes& invokes, const std::string& name) : invokes_{&invokes}, name_{name} {}
        Ending(const Ending&) = delete;
        Ending& operator=(const Ending&) = delete;
        ~Ending() {
            if (invokes_ != nullptr) invokes_->end(name_);
        }
        void passOn() noexcept { invokes_ = nullptr; }

    private:
        Invokes* invokes_;
        const std::string& name_;
    };

    /// Until a new execution is durable the store does not tell of it. Comes before the store is
    /// asked, or that could answer with what was so before.
    bool begin(const std::string& name) {
        const std::scoped_lock lock{mutex_};
        return beginning_.insert(name).second;
    }

    void end(const std::string& name) {
        const std::scoped_lock lock{mutex_};
        beginning_.erase(name);
    }

    void begun(const std::string& name, ExecutionId invokerId, const std::string& operationId,
               const Refusal* refusal) {
        end(name);
        if (refusal != nullptr) {
            host_.dispatch(
                invokerId, [operationId, message = refusal->message](ExecutionDriver& invoker) {
                    invoker.change(
                        failedInvoke(operationId, "InvalidParameterValueException", message));
                });
        }
    }

    Store& store_;
    const HandlerRegistry& handlers_;
    const Clock& clock_;
    DriverHost& host_;
    std::mutex mutex_;
    std::unordered_set<std::string> beginning_;  // executions on their way into the store
};

}  // namespace durable::inline v0
