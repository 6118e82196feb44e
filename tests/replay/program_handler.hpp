// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>

#include <fmt/core.h>
#include <replay/random_program.hpp>
#include <replay/witness.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// \file
/// Runs a program as a handler: each statement is a durable operation, and what it gives is told
/// to the witness and is part of the value of its block, up to the result of the execution.

namespace program {

class OwnError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] inline void raise(Fault fault, const std::string& path) {
    switch (fault) {
        case Fault::runtimeError: throw std::runtime_error{"failed at " + path};
        case Fault::ownType: throw OwnError{"failed at " + path};
        case Fault::unknownType: throw 42;
        case Fault::withData: break;
    }
    throw durable::StepError{
        {.type = "Declined", .message = "failed at " + path, .data = "data of " + path}};
}

[[nodiscard]] inline std::string padded(std::string text, std::size_t padding) {
    return text + std::string(padding, '.');
}

/// A short text in place of a long one: different texts give different ones.
[[nodiscard]] inline std::string digest(const std::string& text) {
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return fmt::format("{:x}", hash);
}

/// Not JSON, and not even balanced.
[[nodiscard]] inline durable::AnySerdes ownSerdes(bool wanted) {
    if (!wanted) return {};
    return durable::Serdes<std::string>{
        .serialize = [](const std::string& value,
                        const durable::SerdesContext&) { return "{" + value; },
        .deserialize = [](const std::string& text,
                          const durable::SerdesContext&) { return text.substr(1); }};
}

[[nodiscard]] inline durable::AnySerdes ownBatchSerdes(bool wanted) {
    if (!wanted) return {};
    return durable::Serdes<durable::BatchRecord>{
        .serialize =
            [](const durable::BatchRecord& record, const durable::SerdesContext&) {
                return "#" + durable::toJsonText(record, [](std::size_t) { return true; });
            },
        .deserialize =
            [](const std::string& text, const durable::SerdesContext&) {
                return durable::batchFromJson(text.substr(1), [](std::size_t) { return true; });
            }};
}

[[nodiscard]] inline durable::CompletionDecision ask(const Policy& policy,
                                                     const durable::CompletionProgress& progress) {
    using enum durable::CompletionDecision;
    const auto number = policy.number;
    switch (policy.predicate) {
        case Predicate::none: break;
        case Predicate::failIfFailureFirst:
            if (progress.failureCount == 1 && progress.successCount == 0) return completeAsFailed;
            break;
        case Predicate::succeedAtCountEven:
            if (progress.successCount == number && progress.failureCount % 2 == 0 &&
                progress.completedCount > 0) {
                return completeAsSucceeded;
            }
            break;
        case Predicate::succeedAtRemainder:
            if ((progress.completedCount + 1) % 3 == number % 3) return completeAsSucceeded;
            break;
        case Predicate::succeedWithItem:
            if (number < progress.items.size() &&
                progress.items[number].status == durable::BatchItemStatus::succeeded) {
                return completeAsSucceeded;
            }
            break;
        case Predicate::failAtOnce: return completeAsFailed;
        case Predicate::throwAtCount:
            if (progress.completedCount == number) throw OwnError{"predicate"};
            break;
    }
    return goOn;
}

[[nodiscard]] inline durable::CompletionConfig completionOf(const Policy& policy) {
    durable::CompletionConfig config{
        .minSuccessful = policy.minSuccessful,
        .toleratedFailureCount = policy.toleratedFailureCount,
        .toleratedFailurePercentage = policy.toleratedFailurePercentage};
    if (policy.predicate != Predicate::none) {
        config.shouldComplete = [policy](const durable::CompletionProgress& progress) {
            return ask(policy, progress);
        };
    }
    return config;
}

template <class Config>
[[nodiscard]] Config batchConfig(const Node& node) {
    Config config;
    if (node.maxConcurrency > 0) {
        config.maxConcurrency = static_cast<std::int64_t>(node.maxConcurrency);
    }
    config.completionConfig = completionOf(node.policy);
    config.nesting = node.isVirtual ? durable::Nesting::flat : durable::Nesting::nested;
    config.itemSerdes = ownSerdes(node.ownSerdes);
    config.serdes = ownBatchSerdes(node.ownBatchSerdes);
    if (node.summary) {
        config.summaryGenerator = [](const durable::BatchRecord& record) {
            return fmt::format("{} items", record.items.size());
        };
    }
    return config;
}

/// What `call` gives, or its error.
template <class Call>
[[nodiscard]] std::string outcomeOf(const Call& call) {
    std::exception_ptr failure;
    try {
        return call();
    } catch (...) {
        failure = std::current_exception();
    }
    return describe(failure);
}

/// Every field of a batch result but the values.
template <class Result>
[[nodiscard]] std::string describeBatch(const Result& result) {
    auto text = fmt::format("{} {} total {} ok {} failed {} started {} hasFailure {} not started [",
                            durable::toString(result.status()),
                            durable::toString(result.completionReason()), result.totalCount(),
                            result.successCount(), result.failureCount(), result.startedCount(),
                            result.hasFailure());
    for (const auto index : result.notStarted()) text += fmt::format("{} ", index);
    text += "]";
    for (const auto& item : result.all()) {
        text +=
            fmt::format(" | {} \"{}\" {}", item.index, item.name, durable::toString(item.status));
        if (item.error) text += " " + describe(std::make_exception_ptr(*item.error));
    }
    text += fmt::format(" | succeeded {} failed {} in flight {} throwIfError: ",
                        result.succeeded().size(), result.failed().size(), result.started().size());
    return text + outcomeOf([&]() -> std::string {
               result.throwIfError();
               return "nothing";
           });
}

[[nodiscard]] inline std::string describe(const durable::BatchResult<std::string>& result) {
    auto text = describeBatch(result) + " values:";
    for (const auto& item : result.all()) text += " " + item.result.value_or("none");
    return text + " getResults: " + outcomeOf([&] {
               std::string all;
               for (const auto& value : result.getResults()) all += value + " ";
               return all;
           });
}

[[nodiscard]] inline std::string describe(
    const durable::ParallelResult<std::string, std::int64_t, void>& result) {
    return fmt::format("{} values: {} {} {} getResults: {}", describeBatch(result),
                       result.result<0>().value_or("none"), result.result<1>().value_or(-1),
                       result.result<2>().has_value(), outcomeOf([&]() -> std::string {
                           return std::get<0>(result.getResults());
                       }));
}

/// Runs the statements of a program. Everything is kept by whoever runs the program, and outlives
/// the frames.
class Interpreter {
public:
    Interpreter(Witness& witness, const durable::Clock& clock) : witness_{witness}, clock_{clock} {}

    durable::Task<std::string> run(durable::DurableContext& ctx, std::string path) {
        return runBlock(ctx, witness_.block(path), path);
    }
    durable::Task<std::string> runRoot(durable::DurableContext& ctx) {
        return runBlock(ctx, witness_.program().block, "");
    }

private:
    using Context = durable::DurableContext;
    template <class T>
    using Task = durable::Task<T>;

    Task<std::string> runBlock(Context& ctx, const Block& block, std::string path) {
        std::string seen;
        for (std::size_t i = 0; i < block.size(); ++i) {
            const auto& node = block[i];
            const auto here = fmt::format("{}/{}", path, i);
            if (node.verb == Verb::log) {
                witness_.log(ctx, here);
                continue;
            }
            if (node.verb == Verb::fail) raise(node.fault, here);
            std::string text;
            std::exception_ptr failure;
            try {
                auto running = runNode(ctx, node, here);
                text = co_await std::move(running);
            } catch (...) {
                failure = std::current_exception();
            }
            if (failure) text = describe(failure);
            witness_.observe(here, text);
            if (failure && !node.caught) std::rethrow_exception(failure);
            seen += text;
        }
        co_return fmt::format("{}={}", path, digest(seen));
    }

    Task<std::string> runNode(Context& ctx, const Node& node, const std::string& path) {
        switch (node.verb) {
            case Verb::step: return runStep(ctx, node, path);
            case Verb::wait: return runWait(ctx, node, path);
            case Verb::condition: return runCondition(ctx, node, path);
            case Verb::callback: return runCallback(ctx, node, path);
            case Verb::waitForCallback: return runWaitForCallback(ctx, node, path);
            case Verb::invoke:
                return ctx.invoke<std::string>(path, "block", Witness::innerPath(node, path, 0));
            case Verb::child: return runChild(ctx, node, path);
            case Verb::map: return runMap(ctx, node, path);
            case Verb::parallel: return runParallel(ctx, node, path);
            case Verb::typed: return runTyped(ctx, node, path);
            case Verb::log:
            case Verb::fail: break;
        }
        throw std::logic_error{"no operation"};
    }

    static durable::RetryStrategy retries(const Node& node) {
        return durable::retry::fixed(node.attempts, std::chrono::seconds{node.seconds});
    }

    Task<std::string> runStep(Context& ctx, const Node& node, std::string path) {
        auto body = [this, &node, path](durable::StepContext& step) {
            witness_.call(path, step.attempt());
            step.logger().info("{}#{}", path, step.attempt());
            if (step.attempt() <= node.failures) raise(node.fault, path);
            return padded(fmt::format("{}#{}", path, step.attempt()), node.padding);
        };
        return ctx.step(path, body,
                        {.retryStrategy = retries(node),
                         .semantics = node.atMostOnce ? durable::StepSemantics::atMostOncePerRetry
                                                      : durable::StepSemantics::atLeastOncePerRetry,
                         .serdes = ownSerdes(node.ownSerdes)});
    }

    Task<std::string> runWait(Context& ctx, const Node& node, std::string path) {
        co_await ctx.wait(path, std::chrono::seconds{node.seconds});
        co_return "waited";
    }

    Task<std::string> runCondition(Context& ctx, const Node& node, std::string path) {
        auto check = [this, &node, path](const std::string& state, durable::StepContext& step) {
            witness_.call(path, step.attempt());
            if (node.failing && step.attempt() == node.attempts) raise(node.fault, path);
            return fmt::format("{}+{}", state, step.attempt());
        };
        return ctx.waitForCondition<std::string>(
            path, check,
            {.initialState = "s",
             .waitStrategy = [&node](const std::string&, std::uint32_t attempt, double) {
                 return attempt >= node.attempts
                            ? durable::WaitDecision::stop()
                            : durable::WaitDecision::again(std::chrono::seconds{node.seconds});
             }});
    }

    Task<std::string> runCallback(Context& ctx, const Node& node, std::string path) {
        durable::CallbackConfig config;
        setTimeouts(config, node);
        auto callback = co_await ctx.createCallback<std::string>(path, config);
        witness_.opened(path, callback.id(), node, clock_.now());
        co_return co_await callback.result();
    }

    Task<std::string> runWaitForCallback(Context& ctx, const Node& node, std::string path) {
        durable::WaitForCallbackConfig config{.retryStrategy = retries(node)};
        setTimeouts(config, node);
        auto submitter = [this, &node, path](std::string id, durable::StepContext& step) {
            witness_.call(path, step.attempt());
            if (step.attempt() <= node.failures) raise(node.fault, path);
            witness_.opened(path, id, node, clock_.now());
        };
        return ctx.waitForCallback<std::string>(path, submitter, config);
    }

    template <class Config>
    static void setTimeouts(Config& config, const Node& node) {
        const std::chrono::seconds length{node.seconds};
        if (node.end == CallbackEnd::timeOut) config.timeout = length;
        if (node.end == CallbackEnd::missHeartbeat) config.heartbeatTimeout = length;
    }

    Task<std::string> runChild(Context& ctx, const Node& node, std::string path) {
        durable::ChildContextConfig config{.serdes = ownSerdes(node.ownSerdes),
                                           .virtualContext = node.isVirtual};
        if (node.summary) {
            config.summaryGenerator = [](const std::string& text) {
                return fmt::format("{} bytes", text.size());
            };
        }
        if (node.failing) {
            config.errorMapper = [](const durable::ErrorObject& error) {
                return std::make_exception_ptr(OwnError{"mapped " + describe(error)});
            };
        }
        auto body = [this, &node, path](Context& child) { return runInner(child, node, path, 0); };
        return ctx.runInChildContext(path, body, config);
    }

    /// The block at `index`, with its value made as long as the node says.
    Task<std::string> runInner(Context& ctx, const Node& node, std::string path,
                               std::size_t index) {
        auto running = runBlock(ctx, node.blocks[index], Witness::innerPath(node, path, index));
        auto value = co_await std::move(running);
        co_return padded(std::move(value), node.padding);
    }

    Task<std::string> runMap(Context& ctx, const Node& node, std::string path) {
        std::vector<std::size_t> items;
        for (std::size_t i = 0; i < node.blocks.size(); ++i) items.push_back(i);
        auto config = batchConfig<durable::MapConfig>(node);
        if (node.summary) {
            config.itemNamer = [path](std::size_t index) {
                return fmt::format("{}:{}", path, index);
            };
        }
        auto body = [this, &node, path](Context& item, std::size_t index) {
            return runInner(item, node, path, index);
        };
        const auto result = co_await ctx.map(path, items, body, config);
        co_return describe(result);
    }

    struct BranchBody {
        Interpreter* self;
        const Node* node;
        std::string path;
        std::size_t index;
        Task<std::string> operator()(Context& ctx) const {
            return self->runInner(ctx, *node, path, index);
        }
    };

    Task<std::string> runParallel(Context& ctx, const Node& node, std::string path) {
        std::vector<durable::Branch<BranchBody>> branches;
        for (std::size_t i = 0; i < node.blocks.size(); ++i) {
            branches.push_back({.name = i == 1 ? "second" : "", .body = {this, &node, path, i}});
        }
        auto running =
            ctx.parallel(path, std::move(branches), batchConfig<durable::ParallelConfig>(node));
        const auto result = co_await std::move(running);
        co_return describe(result);
    }

    Task<std::int64_t> sizeOfInner(Context& ctx, const Node& node, std::string path) {
        auto running = runInner(ctx, node, path, 1);
        const auto value = co_await std::move(running);
        co_return static_cast<std::int64_t>(value.size());
    }
    Task<void> dropInner(Context& ctx, const Node& node, std::string path) {
        auto running = runInner(ctx, node, path, 2);
        co_await std::move(running);
    }

    Task<std::string> runTyped(Context& ctx, const Node& node, std::string path) {
        auto text = [this, &node, path](Context& c) { return runInner(c, node, path, 0); };
        auto number = [this, &node, path](Context& c) { return sizeOfInner(c, node, path); };
        auto nothing = [this, &node, path](Context& c) { return dropInner(c, node, path); };
        auto running =
            ctx.parallel(path, durable::branch("text", text), durable::branch("number", number),
                         nothing, batchConfig<durable::ParallelConfig>(node));
        const auto result = co_await std::move(running);
        co_return describe(result);
    }

    Witness& witness_;
    const durable::Clock& clock_;
};

}  // namespace program
