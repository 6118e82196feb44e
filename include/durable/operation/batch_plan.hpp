// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/concurrency/batch_json.hpp>
#include <durable/concurrency/concurrent_executor.hpp>
#include <durable/context/durable_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// What a batch is to do, made of the items or branches and the options of a map or parallel.

namespace durable::inline v0 {

namespace detail {

/// Everything about a batch but its branches' code.
struct BatchPlan {
    OperationSubType itemSubType{OperationSubType::mapIteration};
    std::string_view summaryType{};
    std::vector<std::string> names;  ///< one for each item
    CompletionPolicy policy;
    ConcurrentExecutor::Config executor{};
    Nesting nesting{Nesting::nested};
    AnySerdes serdes{};
    std::function<std::string(const BatchRecord&)> summaryGenerator{};
    WritesJson writesJson{};
};

/// Runs the author's code for the item at an index; gives its result as text.
using ItemCode = std::function<Task<Payload>(DurableContext&, std::size_t index)>;

/// The options of a batch in the form that the executor takes.
/// \throws InvalidConfig
template <class Config>
[[nodiscard]] ConcurrentExecutor::Config executorConfig(const Config& config) {
    ConcurrentExecutor::Config executor;
    if (config.maxConcurrency) {
        requireAtLeast<std::int64_t>("maxConcurrency", *config.maxConcurrency, 1);
        executor.maxConcurrency = static_cast<std::size_t>(*config.maxConcurrency);
    }
    executor.onProgress = config.onProgress;
    return executor;
}

/// Runs `check`; what it finds out of range is told with the operation's name before it.
template <class Check>
decltype(auto) refusing(OperationSubType subType, std::string_view name, Check check) {
    try {
        return check();
    } catch (const InvalidConfig& error) {
        const OperationIdentity identity{
            .type = OperationType::context, .subType = subType, .name = name};
        throw InvalidConfig{describe(identity) + ": " + error.what()};
    }
}

}  // namespace detail

}  // namespace durable::inline v0
