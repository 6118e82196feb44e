// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/journal/names.hpp>
#include <durable/journal/operation_id.hpp>
#include <durable/journal/replay_check.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using durable::describe;
using durable::mismatch;
using durable::missingFromPast;
using durable::Operation;
using durable::OperationIdentity;
using durable::operationIdOf;
using durable::OperationStatus;
using durable::OperationSubType;
using durable::OperationType;

namespace {

/// Operation 1-4, recorded as the step "reserve-stock".
Operation& reserveStock(Operation& root) {
    auto& operation = root.place(1).place(4);
    operation.status = OperationStatus::succeeded;
    operation.type = OperationType::step;
    operation.subType = OperationSubType::step;
    operation.name = "reserve-stock";
    return operation;
}

const OperationIdentity coolDown{
    .type = OperationType::wait, .subType = OperationSubType::wait, .name = "cool-down"};

}  // namespace

TEST_CASE("an operation's id is the numbers on the way to it") {
    Operation root;

    CHECK(operationIdOf(root).empty());
    CHECK(operationIdOf(root.place(1)) == "1");
    CHECK(operationIdOf(root.place(1).place(4).place(2)) == "1-4-2");
    CHECK(operationIdOf(root.place(12).place(1'000'000)) == "12-1000000");
}

TEST_CASE("an operation is found by its id, and a place that is not there is not made") {
    Operation root;
    auto& operation = root.place(3).place(2);

    CHECK(findOperation(root, "") == &root);
    CHECK(findOperation(root, "3-2") == &operation);
    CHECK(findOperation(root, "3") == &root.place(3));
    CHECK(findOperation(root, "2") == nullptr);
    CHECK(findOperation(root, "4") == nullptr);
    CHECK(findOperation(root, "3-2-1") == nullptr);
    CHECK(findOperation(root, "3-3") == nullptr);
    CHECK(root.children.size() == 3);
}

TEST_CASE("what is not an operation id finds nothing") {
    Operation root;
    root.place(1).place(1);

    for (const auto* id : {"0", "1-0", "-1", "1--1", "a", "1-a", "1a", "1 ", " 1", "+1", "1x1",
                           "4294967297", "99999999999999999999"}) {
        CAPTURE(id);
        CHECK(findOperation(root, id) == nullptr);
    }
}

TEST_CASE("an operation is described as an author would call it") {
    using enum OperationSubType;
    const std::pair<OperationSubType, std::string> words[]{
        {step, "step"},
        {wait, "wait"},
        {callback, "createCallback"},
        {chainedInvoke, "invoke"},
        {runInChildContext, "runInChildContext"},
        {map, "map"},
        {mapIteration, "item of a map"},
        {parallel, "parallel"},
        {parallelBranch, "branch of a parallel"},
        {waitForCallback, "waitForCallback"},
        {waitForCondition, "waitForCondition"},
        {none, "operation"},
    };

    for (const auto& [subType, word] : words) {
        CHECK(describe({.subType = subType, .name = "charge"}) == word + " \"charge\"");
        CHECK(describe({.subType = subType}) == word + " without a name");
    }
}

TEST_CASE("the call that was recorded is no mismatch") {
    Operation root;
    const auto& recorded = reserveStock(root);

    CHECK(mismatch(recorded, {.name = "reserve-stock"}) == std::nullopt);
}

TEST_CASE("a place where nothing was recorded takes any call") {
    Operation root;

    CHECK(mismatch(root.place(1), coolDown) == std::nullopt);
}

TEST_CASE("another call than the recorded one is told by place, both calls and usual causes") {
    Operation root;
    const auto& recorded = reserveStock(root);

    CHECK(mismatch(recorded, coolDown) ==
          "Replay left the recorded path at operation 1-4.\n"
          "  recorded:  step \"reserve-stock\"\n"
          "  requested: wait \"cool-down\"\n"
          "Outside steps, a handler must make the same calls in the same order on every run.\n"
          "Usual causes: the handler was changed, or it read a clock, a random number or an\n"
          "unordered container outside a step.");
}

TEST_CASE("a call of another name, kind or type is a mismatch") {
    Operation root;
    const auto& recorded = reserveStock(root);

    CHECK(mismatch(recorded, {.name = "reserve-stocks"}).has_value());
    CHECK(mismatch(recorded, {.name = ""}).has_value());
    CHECK(
        mismatch(recorded, {.subType = OperationSubType::waitForCondition, .name = "reserve-stock"})
            .has_value());
    CHECK(
        mismatch(recorded, {.type = OperationType::context, .name = "reserve-stock"}).has_value());
}

TEST_CASE("a call that an ended context did not record is told with the reason") {
    Operation root;

    CHECK(missingFromPast(root.place(2).place(1), coolDown) ==
          "Replay left the recorded path at operation 2-1.\n"
          "  recorded:  nothing\n"
          "  requested: wait \"cool-down\"\n"
          "The operation around it has ended, so every call inside it must be in the journal.\n"
          "Usual causes: the handler was changed, or it read a clock, a random number or an\n"
          "unordered container outside a step.");
    CHECK_THAT(missingFromPast(reserveStock(root), coolDown),
               Catch::Matchers::ContainsSubstring("  recorded:  not ended\n"));
}

TEST_CASE("every enumerator has a name on the wire, from which it is read back") {
    const auto check = [](const auto& names) {
        for (const auto& [value, name] : names) {
            using Enum = std::remove_cvref_t<decltype(value)>;
            CHECK(durable::wireName(value) == name);
            CHECK(durable::fromWireName<Enum>(name) == value);
        }
    };
    check(durable::detail::NamesOf<OperationType>::names);
    check(durable::detail::NamesOf<OperationSubType>::names);
    check(durable::detail::NamesOf<OperationStatus>::names);
    check(durable::detail::NamesOf<durable::ExecutionStatus>::names);
    check(durable::detail::NamesOf<durable::EntryKind>::names);

    CHECK(durable::wireName(OperationType::chainedInvoke) == "CHAINED_INVOKE");
    CHECK(durable::wireName(OperationStatus::timedOut) == "TIMED_OUT");
    CHECK(durable::fromWireName<OperationType>("STEPS") == std::nullopt);
}
