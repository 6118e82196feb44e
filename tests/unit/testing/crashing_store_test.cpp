// SPDX-License-Identifier: Apache-2.0
#include <durable/store/memory_store.hpp>
#include <durable/testing/crashing_store.hpp>

#include <support/catch.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

using namespace durable;
using enum durable::testing::CrashKind;
using durable::testing::CrashingStore;
using durable::testing::CrashPoint;

namespace {

constexpr ExecutionId execution = 1;

/// A store with the start of an execution in it, about to write the two entries of a step.
struct Scene {
    std::shared_ptr<MemoryStore> inner = std::make_shared<MemoryStore>();
    CrashingStore store{inner};
    int crashes{};
    std::vector<Entry> start{{.kind = EntryKind::started}};
    std::vector<Entry> step{
        {.kind = EntryKind::started,
         .operationId = "1",
         .type = OperationType::step,
         .subType = OperationSubType::step,
         .name = "charge"},
        {.kind = EntryKind::succeeded, .operationId = "1", .attempt = 1},
    };

    explicit Scene(std::optional<CrashPoint> point) {
        store.beginLife(point, [this] { ++crashes; });
        const std::array commits{
            Commit{.execution = execution,
                   .start = ExecutionStart{.handlerName = "handler", .name = "sweep"},
                   .entries = start}};
        store.append(commits);
    }

    void appendStep() {
        const std::array commits{Commit{.execution = execution,
                                        .entries = step,
                                        .end = ExecutionEnd{},
                                        .suspension = Suspension{.waiting = true}}};
        store.append(commits);
    }

    [[nodiscard]] std::size_t written() const { return inner->load(execution).size() - 1; }
};

CrashPoint second(testing::CrashKind kind, std::size_t entriesWritten = 0) {
    return {.commit = 2, .kind = kind, .entriesWritten = entriesWritten};
}

}  // namespace

TEST_CASE("without a crash everything is written, and told") {
    Scene scene{std::nullopt};
    CHECK_FALSE(scene.store.isRecorded(execution, "1", 1));
    scene.appendStep();

    CHECK(scene.written() == 2);
    CHECK(scene.store.isRecorded(execution, "1", 1));
    CHECK_FALSE(scene.store.isRecorded(execution, "1", 2));
    CHECK(scene.store.commits() ==
          std::vector<testing::CommitText>{
              {.what = "the execution started", .entries = 1},
              {.what = "step \"charge\" (1) started, step \"charge\" (1) succeeded", .entries = 2},
          });
    CHECK(scene.crashes == 0);
    CHECK_FALSE(scene.store.crashed());
}

TEST_CASE("before a commit: nothing of it is written, and nothing can be any more") {
    Scene scene{second(beforeCommit)};
    CHECK_THROWS_AS(scene.appendStep(), StoreError);

    CHECK(scene.crashes == 1);
    CHECK(scene.store.crashed() == second(beforeCommit));
    CHECK(scene.written() == 0);
    CHECK_FALSE(scene.store.isRecorded(execution, "1", 1));
    CHECK_THROWS_AS(scene.appendStep(), StoreError);
    CHECK(scene.written() == 0);

    scene.store.beginLife(std::nullopt, [] {});
    scene.appendStep();
    CHECK(scene.written() == 2);
}

TEST_CASE("after a commit: it is written, and nothing can be any more") {
    Scene scene{second(afterCommit)};
    CHECK_THROWS_AS(scene.appendStep(), StoreError);

    CHECK(scene.crashes == 1);
    CHECK(scene.written() == 2);
    CHECK(scene.store.isRecorded(execution, "1", 1));
    CHECK(scene.inner->find(execution)->end);
    CHECK_THROWS_AS(scene.appendStep(), StoreError);
    CHECK(scene.written() == 2);
}

TEST_CASE("acknowledgement lost: it is written, told as failed, and others can be written") {
    Scene scene{second(acknowledgementLost)};
    CHECK_THROWS_AS(scene.appendStep(), StoreError);
    CHECK(scene.crashes == 1);
    CHECK(scene.written() == 2);
    CHECK(scene.store.isRecorded(execution, "1", 1));

    CHECK_NOTHROW(scene.appendStep());
    CHECK(scene.crashes == 1);
}

TEST_CASE("a torn commit: its first entries are written, and not that it waits or has ended") {
    Scene scene{second(tornCommit, 1)};
    CHECK_THROWS_AS(scene.appendStep(), StoreError);

    CHECK(scene.written() == 1);
    CHECK_FALSE(scene.store.isRecorded(execution, "1", 1));
    CHECK_FALSE(scene.inner->find(execution)->end);
    CHECK_FALSE(scene.inner->find(execution)->suspension.waiting);
    CHECK_THROWS_AS(scene.appendStep(), StoreError);
    CHECK(scene.written() == 1);
}
