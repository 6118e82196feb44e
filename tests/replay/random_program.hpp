// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// \file
/// Workflows as data: a small tree that `program_handler.hpp` runs as a handler,
/// `program_text.hpp` prints, and `shrink.hpp` makes smaller.

namespace program {

struct Node;

/// Statements, one after the other. Its value tells everything that was seen in it.
using Block = std::vector<Node>;

enum class Verb {
    step,
    wait,
    condition,  ///< waitForCondition
    callback,   ///< createCallback, and its result
    waitForCallback,
    invoke,    ///< of a handler that runs the one block
    child,     ///< runInChildContext around the one block
    map,       ///< an item for each block
    parallel,  ///< a branch for each block
    typed,     ///< parallel of three branches of different types
    log,
    fail,  ///< throws out of the block
};

enum class Fault {
    runtimeError,
    ownType,
    unknownType,  ///< not derived from std::exception
    withData,     ///< a durable error that carries data
};

enum class CallbackEnd { complete, fail, timeOut, missHeartbeat };

/// What a completion predicate says. Most of them take back what they said before.
enum class Predicate {
    none,
    failIfFailureFirst,  ///< fails exactly while one has failed and none succeeded
    succeedAtCountEven,  ///< at `number` successes, while the failures are even
    succeedAtRemainder,  ///< while the finished ones are `number` modulo three
    succeedWithItem,     ///< once the item `number` has succeeded
    failAtOnce,          ///< before anything starts
    throwAtCount,        ///< throws when `number` have finished
};

struct Policy {
    std::optional<std::size_t> minSuccessful{};
    std::optional<std::size_t> toleratedFailureCount{};
    std::optional<double> toleratedFailurePercentage{};
    Predicate predicate{Predicate::none};
    std::size_t number{};
};

struct Node {
    Verb verb{Verb::step};
    bool caught{true};  ///< whether the block goes on after an error

    std::int64_t seconds{1};    ///< of a wait, a retry delay, or until a callback ends
    std::uint32_t failures{};   ///< attempts of a step that fail
    std::uint32_t attempts{1};  ///< of a step; or the check that ends a condition
    std::size_t padding{};      ///< bytes added to the value
    bool atMostOnce{};
    Fault fault{Fault::runtimeError};
    bool failing{};  ///< a condition: its check throws; a child context: its errors are mapped
    CallbackEnd end{CallbackEnd::complete};

    bool isVirtual{};              ///< a virtual child context, or a flat batch
    std::size_t maxConcurrency{};  ///< 0: all
    Policy policy{};
    bool ownSerdes{};       ///< results that are not JSON
    bool ownBatchSerdes{};  ///< a batch as a text of its own
    bool summary{};         ///< with a summary generator

    std::vector<Block> blocks{};
};

struct Program {
    Block block{};
    std::size_t inlineResultBytesMax{256 * 1024};
};

[[nodiscard]] inline bool isBatch(const Node& node) {
    return node.verb == Verb::map || node.verb == Verb::parallel || node.verb == Verb::typed;
}

/// Calls `visit` for each node, outer ones first.
template <class AnyBlock, class Visit>
void forEachNode(AnyBlock& block, const Visit& visit) {
    for (auto& node : block) {
        visit(node);
        for (auto& inner : node.blocks) forEachNode(inner, visit);
    }
}

[[nodiscard]] inline std::size_t size(const Program& program) {
    std::size_t nodes = 0;
    forEachNode(program.block, [&](const Node&) { ++nodes; });
    return nodes;
}

/// Makes programs of random numbers. The same seed makes the same program on every platform.
class Generator {
public:
    explicit Generator(std::uint32_t seed) : random_{seed} {}

    [[nodiscard]] Program program() {
        budget_ = 4 + below(14);
        Program made;
        made.inlineResultBytesMax = pick<std::size_t>({40, 150, 600, 256 * 1024});
        made.block = block(0);
        return made;
    }

    /// From 0 to below `bound`.
    [[nodiscard]] std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(random_() % bound);
    }

private:
    [[nodiscard]] bool oneIn(std::uint32_t count) { return below(count) == 0; }

    template <class T>
    [[nodiscard]] T pick(const std::vector<T>& values) {
        return values[below(static_cast<std::uint32_t>(values.size()))];
    }

    [[nodiscard]] Block block(std::size_t depth) {
        Block made;
        const auto length = depth == 0 ? 2 + below(4) : (oneIn(12) ? 0 : 1 + below(3));
        for (std::uint32_t i = 0; i < length && budget_ > 0; ++i) {
            --budget_;
            made.push_back(node(depth));
            if (made.back().verb == Verb::fail) break;
        }
        return made;
    }

    [[nodiscard]] Verb verb(std::size_t depth) {
        using enum Verb;
        static const std::vector<Verb> flat{step, step, step, step,     step,      wait,
                                            wait, log,  log,  callback, condition, waitForCallback,
                                            fail};
        static const std::vector<Verb> deep{
            step,  step,   step,     wait,      wait,           log,   log,
            map,   map,    map,      parallel,  parallel,       typed, child,
            child, invoke, callback, condition, waitForCallback};
        if (depth >= 3 || budget_ == 0) return pick(flat);
        const auto chosen = pick(deep);
        return depth > 0 && oneIn(12) ? fail : chosen;
    }

    [[nodiscard]] Node node(std::size_t depth) {
        Node made{.verb = verb(depth)};
        made.caught = !oneIn(4);
        made.seconds = 1 + static_cast<std::int64_t>(below(1'000'000));
        made.padding = pick<std::size_t>({0, 0, 0, 10, 60, 200});
        made.fault =
            pick<Fault>({Fault::runtimeError, Fault::ownType, Fault::unknownType, Fault::withData});
        made.attempts = 1 + below(3);
        switch (made.verb) {
            case Verb::step:
                made.failures = oneIn(2) ? 0 : below(made.attempts + 2);
                made.atMostOnce = oneIn(5);
                made.ownSerdes = oneIn(5);
                break;
            case Verb::condition: made.failing = oneIn(4); break;
            case Verb::callback:
            case Verb::waitForCallback:
                made.end = pick<CallbackEnd>({CallbackEnd::complete, CallbackEnd::complete,
                                              CallbackEnd::fail, CallbackEnd::timeOut,
                                              CallbackEnd::missHeartbeat});
                made.failures = made.verb == Verb::callback || oneIn(2) ? 0 : below(3);
                break;
            case Verb::child:
                made.isVirtual = oneIn(3);
                made.failing = oneIn(4);
                made.ownSerdes = oneIn(4);
                made.summary = oneIn(3);
                break;
            default: break;
        }
        if (made.verb == Verb::child || made.verb == Verb::invoke) {
            made.blocks.push_back(block(depth + 1));
        }
        if (isBatch(made)) makeBatch(made, depth);
        return made;
    }

    void makeBatch(Node& made, std::size_t depth) {
        const auto items = made.verb == Verb::typed ? 3 : oneIn(12) ? 0 : 1 + below(4);
        for (std::uint32_t i = 0; i < items; ++i) made.blocks.push_back(block(depth + 1));
        made.isVirtual = oneIn(3);
        made.maxConcurrency = pick<std::size_t>({0, 0, 1, 2, 3});
        made.ownSerdes = made.verb != Verb::typed && oneIn(4);
        made.ownBatchSerdes = !made.ownSerdes && oneIn(5);
        made.summary = oneIn(3);
        made.policy = policy(items);
    }

    [[nodiscard]] Policy policy(std::uint32_t items) {
        Policy made;
        made.number = below(items + 1);
        switch (below(6)) {
            case 0: break;
            case 1: made.toleratedFailurePercentage = 100; break;
            case 2:
            case 3: {
                using enum Predicate;
                made.predicate =
                    pick<Predicate>({failIfFailureFirst, failIfFailureFirst, succeedAtCountEven,
                                     succeedAtCountEven, succeedAtRemainder, succeedWithItem,
                                     succeedWithItem, failAtOnce, throwAtCount});
                break;
            }
            default:
                if (oneIn(2)) made.minSuccessful = 1 + below(std::max(items, 1U));
                if (oneIn(2)) made.toleratedFailureCount = below(items + 1);
                if (oneIn(3)) made.toleratedFailurePercentage = pick<double>({0, 25, 33.4, 50, 75});
        }
        return made;
    }

    std::mt19937 random_;
    std::uint32_t budget_{};
};

}  // namespace program
