// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>
#include <replay/random_program.hpp>

#include <cstddef>
#include <string>

namespace program {

[[nodiscard]] inline const char* nameOf(Verb verb) {
    switch (verb) {
        case Verb::step: return "step";
        case Verb::wait: return "wait";
        case Verb::condition: return "waitForCondition";
        case Verb::callback: return "createCallback";
        case Verb::waitForCallback: return "waitForCallback";
        case Verb::invoke: return "invoke";
        case Verb::child: return "runInChildContext";
        case Verb::map: return "map";
        case Verb::parallel: return "parallel";
        case Verb::typed: return "parallel of three types";
        case Verb::log: return "log";
        case Verb::fail: return "throw";
    }
    return "";
}

[[nodiscard]] inline const char* nameOf(Fault fault) {
    switch (fault) {
        case Fault::runtimeError: return "std::runtime_error";
        case Fault::ownType: return "OwnError";
        case Fault::unknownType: return "an int";
        case Fault::withData: return "StepError with data";
    }
    return "";
}

[[nodiscard]] inline const char* nameOf(CallbackEnd end) {
    switch (end) {
        case CallbackEnd::complete: return "completed";
        case CallbackEnd::fail: return "failed";
        case CallbackEnd::timeOut: return "timed out";
        case CallbackEnd::missHeartbeat: return "a heartbeat, then none";
    }
    return "";
}

[[nodiscard]] inline std::string textOf(const Policy& policy) {
    const auto number = policy.number;
    switch (policy.predicate) {
        case Predicate::none: break;
        case Predicate::failIfFailureFirst: return ", fails at 0 successes and 1 failure";
        case Predicate::succeedAtCountEven:
            return fmt::format(", succeeds at {} successes and even failures", number);
        case Predicate::succeedAtRemainder:
            return fmt::format(", succeeds while (finished + 1) % 3 == {}", number % 3);
        case Predicate::succeedWithItem:
            return fmt::format(", succeeds when item {} has succeeded", number);
        case Predicate::failAtOnce: return ", fails before anything starts";
        case Predicate::throwAtCount:
            return fmt::format(", predicate throws when {} have finished", number);
    }
    std::string text;
    if (policy.minSuccessful) text += fmt::format(", minSuccessful {}", *policy.minSuccessful);
    if (policy.toleratedFailureCount) {
        text += fmt::format(", toleratedFailureCount {}", *policy.toleratedFailureCount);
    }
    if (policy.toleratedFailurePercentage) {
        text += fmt::format(", toleratedFailurePercentage {}", *policy.toleratedFailurePercentage);
    }
    return text;
}

/// The node without its blocks, on one line.
[[nodiscard]] inline std::string lineOf(const Node& node) {
    std::string text = nameOf(node.verb);
    switch (node.verb) {
        case Verb::step:
            text += fmt::format(" {} bytes, {} of {} attempts fail", node.padding, node.failures,
                                node.attempts);
            if (node.failures > 0) {
                text +=
                    fmt::format(" with {}, retried after {} s", nameOf(node.fault), node.seconds);
            }
            break;
        case Verb::wait: text += fmt::format(" {} s", node.seconds); break;
        case Verb::condition:
            text += fmt::format(" until check {}{}, every {} s", node.attempts,
                                node.failing ? ", which throws" : "", node.seconds);
            break;
        case Verb::callback:
        case Verb::waitForCallback:
            text += fmt::format(" {} after {} s", nameOf(node.end), node.seconds);
            if (node.failures > 0) {
                text += fmt::format(", {} submissions fail", node.failures);
            }
            break;
        case Verb::fail: text += fmt::format(" {}", nameOf(node.fault)); break;
        case Verb::child:
            if (node.isVirtual) text += ", virtual";
            if (node.failing) text += ", errors mapped";
            break;
        default: break;
    }
    if (isBatch(node)) {
        text += node.isVirtual ? ", flat" : ", nested";
        if (node.maxConcurrency > 0) text += fmt::format(", at most {}", node.maxConcurrency);
        text += textOf(node.policy);
    }
    if (node.atMostOnce) text += ", at most once";
    if (node.ownSerdes) text += ", own serdes";
    if (node.ownBatchSerdes) text += ", own serdes of the batch";
    if (node.summary) text += ", summary";
    if (node.verb != Verb::log && node.verb != Verb::fail && !node.caught) text += ", not caught";
    return text;
}

[[nodiscard]] inline std::string textOf(const Block& block, const std::string& indent) {
    if (block.empty()) return indent + "(nothing)\n";
    std::string text;
    for (std::size_t i = 0; i < block.size(); ++i) {
        const auto& node = block[i];
        text += fmt::format("{}{} {}\n", indent, i, lineOf(node));
        for (std::size_t branch = 0; branch < node.blocks.size(); ++branch) {
            if (isBatch(node)) text += fmt::format("{}  [{}]\n", indent, branch);
            text += textOf(node.blocks[branch], indent + "    ");
        }
    }
    return text;
}

/// The program for people. Paths in complaints, such as `/2[1]/0`, are these numbers.
[[nodiscard]] inline std::string textOf(const Program& program) {
    return fmt::format("results up to {} bytes are recorded inline\n{}",
                       program.inlineResultBytesMax, textOf(program.block, "  "));
}

}  // namespace program
