// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/seed.hpp"

#include <durable/concurrency/concurrent_executor.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using durable::BatchItemStatus;
using durable::BatchProgress;
using durable::CompletionConfig;
using durable::CompletionDecision;
using durable::CompletionPolicy;
using durable::CompletionProgress;
using durable::CompletionReason;
using durable::ConcurrentExecutor;
using durable::RunLoop;
using durable::RunningBody;
using durable::Scope;
using durable::Task;
using durable::WaitList;
using enum durable::BatchItemStatus;
using enum durable::CompletionReason;

namespace {

using Indices = std::vector<std::size_t>;

/// A batch whose items end when the test says so.
class Batch {
public:
    Batch(std::size_t total, CompletionConfig completion, ConcurrentExecutor::Config config = {})
        : policy_{std::move(completion), total},
          names_(makeNames(total)),
          gates_(total),
          outcomes_(total, succeeded),
          executor_{scope_, policy_, names_, std::move(config)} {}

    [[nodiscard]] ConcurrentExecutor& executor() { return executor_; }

    /// Runs the batch until everything waits.
    void run() {
        if (!task_) {
            task_.emplace(
                executor_.run([this](std::size_t index) { return branch(index, frame); }));
            task_->start(scope_);
        }
        loop_.run();
    }

    /// Ends items, as if in one turn of the loop.
    void end(const Indices& indices, BatchItemStatus status = succeeded) {
        for (const auto index : indices) {
            outcomes_[index] = status;
            gates_[index].notifyAll();
        }
        loop_.run();
    }

    /// The reason why the batch has ended, or empty; throws what `run` throws.
    [[nodiscard]] std::optional<CompletionReason> reason() {
        if (!task_->done()) return std::nullopt;
        auto outcome = task_->outcome();
        return outcome.take();
    }

    void stopBranches() {
        auto task = executor_.stopBranches();
        task.start(scope_);
        loop_.run();
        if (!task.done()) throw std::logic_error{"bodies are still running"};
    }

    /// Coroutines of branches that have not been destroyed.
    [[nodiscard]] long frames() const { return frame.use_count() - 1; }

    Indices started;
    Indices finished;
    std::shared_ptr<int> frame = std::make_shared<int>();  // each coroutine holds it
    std::size_t alive{};
    std::size_t mostAlive{};

private:
    struct Alive {
        explicit Alive(Batch& owner) : batch{owner} {
            ++batch.alive;
            batch.mostAlive = std::max(batch.mostAlive, batch.alive);
        }
        Alive(const Alive&) = delete;
        Alive& operator=(const Alive&) = delete;
        ~Alive() { --batch.alive; }
        Batch& batch;
    };

    static std::vector<std::string> makeNames(std::size_t total) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < total; ++i) names.push_back("item-" + std::to_string(i));
        return names;
    }

    /// The last argument lives as long as the coroutine does, and not only its code.
    Task<void> branch(std::size_t index, std::shared_ptr<int> /*held*/) {
        started.push_back(index);
        {
            const Alive counted{*this};
            co_await gates_[index].wait();
        }
        finished.push_back(index);
        executor_.settle(index, outcomes_[index]);
    }

    RunLoop loop_;
    Scope scope_{loop_};
    CompletionPolicy policy_;
    std::vector<std::string> names_;
    std::vector<WaitList> gates_;
    std::vector<BatchItemStatus> outcomes_;
    ConcurrentExecutor executor_;
    std::optional<Task<CompletionReason>> task_;
};

class FakeBody final : public RunningBody {
public:
    void requestStop() override { ++stopRequests; }
    int stopRequests{};
};

}  // namespace

TEST_CASE("without a limit every item starts at once, in index order") {
    Batch batch{4, {}};
    batch.run();
    CHECK(batch.started == Indices{0, 1, 2, 3});
    CHECK(batch.reason() == std::nullopt);
    batch.end({3, 1, 0, 2});

    CHECK(batch.reason() == allCompleted);
    for (std::size_t i = 0; i < 4; ++i) CHECK(batch.executor().status(i) == succeeded);
}

TEST_CASE("at most maxConcurrency items are in flight, and the next in order follows each end") {
    Batch batch{5, {}, {.maxConcurrency = 2}};
    batch.run();
    CHECK(batch.started == Indices{0, 1});
    batch.end({1});
    CHECK(batch.started == Indices{0, 1, 2});
    batch.end({0, 2});
    CHECK(batch.started == Indices{0, 1, 2, 3, 4});
    batch.end({3, 4});

    CHECK(batch.reason() == allCompleted);
    CHECK(batch.mostAlive == 2);
}

TEST_CASE("a limit above the number of items is none") {
    Batch batch{2, {}, {.maxConcurrency = 100}};
    batch.run();

    CHECK(batch.started == Indices{0, 1});
}

TEST_CASE("whatever the order of ends, the limit holds and every item runs once") {
    const auto seed = newSeed();
    std::mt19937 generator{seed};
    for (int round = 0; round < 200; ++round) {
        const std::size_t total = generator() % 30;
        const std::size_t limit = 1 + generator() % 8;
        Batch batch{total, CompletionConfig::allCompleted(), {.maxConcurrency = limit}};
        batch.run();
        Indices ended;
        while (!batch.reason()) {
            Indices open;
            for (const auto index : batch.started) {
                if (std::ranges::find(ended, index) == ended.end()) open.push_back(index);
            }
            std::ranges::shuffle(open, generator);
            open.resize(1 + generator() % open.size());
            ended.insert(ended.end(), open.begin(), open.end());
            batch.end(open, generator() % 2 == 0 ? succeeded : failed);
        }
        CAPTURE(seed, round, total, limit);
        REQUIRE(batch.reason() == allCompleted);
        REQUIRE(batch.started.size() == total);
        REQUIRE(std::ranges::is_sorted(batch.started));
        REQUIRE(batch.mostAlive == std::min(limit, total));
    }
}

TEST_CASE("an empty batch is complete and starts nothing") {
    Batch batch{0, {}};
    batch.run();

    CHECK(batch.reason() == allCompleted);
    CHECK(batch.started.empty());
}

TEST_CASE("nothing starts after the decision") {
    Batch batch{5, {.minSuccessful = 2}, {.maxConcurrency = 2}};
    batch.run();
    batch.end({0});
    batch.end({1});

    CHECK(batch.reason() == minSuccessfulReached);
    CHECK(batch.started == Indices{0, 1, 2});
    CHECK(batch.executor().status(2) == started);
    CHECK(batch.executor().status(3) == std::nullopt);
}

TEST_CASE("the first failure stops a batch without criteria") {
    Batch batch{5, {}};
    batch.run();
    batch.end({1}, failed);

    CHECK(batch.reason() == failureToleranceExceeded);
    CHECK(batch.executor().status(0) == started);
    CHECK(batch.executor().status(1) == failed);
}

TEST_CASE("from the decision on no branch is resumed, and its state at that moment is kept") {
    Batch batch{4, {.minSuccessful = 1}};
    batch.run();
    batch.end({2, 0, 3});  // all of them ready, the first decides

    CHECK(batch.reason() == minSuccessfulReached);
    CHECK(batch.finished == Indices{2});
    CHECK(batch.executor().status(0) == started);
    CHECK(batch.executor().status(2) == succeeded);
    CHECK(batch.executor().status(3) == started);
}

TEST_CASE("stopping destroys the branches in flight") {
    Batch batch{4, {.minSuccessful = 1}};
    batch.run();
    batch.end({0});
    CHECK(batch.alive == 3);
    batch.stopBranches();

    CHECK(batch.alive == 0);
}

TEST_CASE("a branch that has ended is destroyed while others run") {
    Batch batch{3, {}, {.maxConcurrency = 1}};
    batch.run();
    batch.end({0});
    batch.end({1});

    CHECK(batch.alive == 1);
    CHECK(batch.mostAlive == 1);
    CHECK(batch.frames() == 1);
}

TEST_CASE("the decision asks running bodies to stop, and stopping waits for them") {
    Batch batch{2, {.minSuccessful = 1}};
    FakeBody body;
    batch.run();
    batch.executor().branches().enter(body);
    CHECK(body.stopRequests == 0);
    batch.end({0});
    CHECK(body.stopRequests >= 1);
    CHECK_THROWS_WITH(batch.stopBranches(), "bodies are still running");
    CHECK(batch.alive == 1);
    batch.executor().branches().leave(body);
    batch.stopBranches();

    CHECK(batch.alive == 0);
}

TEST_CASE("recorded items settle first and are not started again") {
    Batch batch{4, {}};
    batch.executor().settleRecorded(0, succeeded);
    batch.executor().settleRecorded(2, succeeded);
    batch.run();
    CHECK(batch.started == Indices{1, 3});
    batch.end({1, 3});

    CHECK(batch.reason() == allCompleted);
}

TEST_CASE("recorded items that decide the batch let nothing start") {
    Batch batch{4, {}};
    batch.executor().settleRecorded(2, failed);
    batch.run();

    CHECK(batch.reason() == failureToleranceExceeded);
    CHECK(batch.started.empty());
    CHECK(batch.executor().status(0) == std::nullopt);
}

TEST_CASE("the policy is asked about all recorded items at once") {
    Batch batch{3, {.minSuccessful = 1, .toleratedFailureCount = 2}};
    batch.executor().settleRecorded(0, succeeded);
    batch.executor().settleRecorded(1, failed);
    batch.executor().settleRecorded(2, failed);
    batch.run();

    CHECK(batch.reason() == allCompleted);  // they may have ended in any order
}

TEST_CASE("an item that was started by an earlier run, and did not end, is started again") {
    Batch batch{3, {}, {.maxConcurrency = 1}};
    batch.executor().settleRecorded(0, started);
    batch.executor().settleRecorded(1, succeeded);
    batch.run();
    CHECK(batch.started == Indices{0});
    batch.end({0});
    batch.end({2});

    CHECK(batch.started == Indices{0, 2});
    CHECK(batch.reason() == allCompleted);
}

TEST_CASE("an item that was started by an earlier run, and is not reached again, is in flight") {
    Batch batch{3, {.minSuccessful = 1}};
    batch.executor().settleRecorded(0, started);
    batch.executor().settleRecorded(1, succeeded);
    batch.run();

    CHECK(batch.reason() == minSuccessfulReached);
    CHECK(batch.started.empty());
    CHECK(batch.executor().status(0) == started);
    CHECK(batch.executor().status(2) == std::nullopt);
}

TEST_CASE("all items recorded complete the batch") {
    Batch batch{2, CompletionConfig::allCompleted()};
    batch.executor().settleRecorded(0, failed);
    batch.executor().settleRecorded(1, failed);
    batch.run();

    CHECK(batch.reason() == allCompleted);
}

TEST_CASE("shouldComplete is asked before the first start and after each end") {
    std::vector<std::pair<std::size_t, std::size_t>> asked;  // succeeded, failed
    Batch batch{3,
                {.shouldComplete =
                     [&](const CompletionProgress& progress) {
                         asked.emplace_back(progress.successCount, progress.failureCount);
                         return CompletionDecision::goOn;
                     }},
                {.maxConcurrency = 1}};
    batch.run();
    CHECK(asked.size() == 1);
    batch.end({0});
    batch.end({1}, failed);
    batch.end({2});

    CHECK(batch.reason() == allCompleted);
    CHECK(asked ==
          std::vector<std::pair<std::size_t, std::size_t>>{{0, 0}, {1, 0}, {1, 1}, {2, 1}});
}

TEST_CASE("shouldComplete sees every item, with its name and what became of it") {
    std::vector<std::optional<BatchItemStatus>> seen;
    bool named = true;
    Batch batch{
        4,
        {.shouldComplete =
             [&](const CompletionProgress& progress) {
                 seen.clear();
                 for (const auto& item : progress.items) {
                     seen.push_back(item.status);
                     named = named && item.name == "item-" + std::to_string(item.index);
                 }
                 CHECK(progress.totalCount == 4);
                 CHECK(progress.completedCount == progress.successCount + progress.failureCount);
                 return CompletionDecision::goOn;
             }},
        {.maxConcurrency = 3}};
    batch.run();
    batch.end({1}, failed);
    CHECK(seen == std::vector<std::optional<BatchItemStatus>>{started, failed, started, {}});
    CHECK(named);
}

TEST_CASE("shouldComplete may complete a batch before its first item") {
    Batch batch{3, {.shouldComplete = [](const CompletionProgress&) {
                    return CompletionDecision::completeAsSucceeded;
                }}};
    batch.run();

    CHECK(batch.reason() == customCompletionSucceeded);
    CHECK(batch.started.empty());
}

TEST_CASE("what shouldComplete decided stays decided, though it would change its mind") {
    int asked = 0;
    Batch batch{4,
                {.shouldComplete =
                     [&](const CompletionProgress& progress) {
                         ++asked;
                         return progress.completedCount == 1 ? CompletionDecision::completeAsFailed
                                                             : CompletionDecision::goOn;
                     }},
                {.maxConcurrency = 2}};
    batch.run();
    batch.end({0, 1});

    CHECK(batch.reason() == customCompletionFailed);
    CHECK(batch.started == Indices{0, 1});
    CHECK(asked == 2);
}

TEST_CASE("what shouldComplete throws, run throws, and nothing starts any more") {
    Batch batch{4,
                {.shouldComplete =
                     [](const CompletionProgress& progress) {
                         if (progress.completedCount == 1) throw std::runtime_error{"no idea"};
                         return CompletionDecision::goOn;
                     }},
                {.maxConcurrency = 2}};
    batch.run();
    batch.end({0});

    CHECK_THROWS_WITH(batch.reason(), "no idea");
    CHECK(batch.started == Indices{0, 1});
    batch.stopBranches();
    CHECK(batch.alive == 0);
}

TEST_CASE("onProgress is told of each start and each end") {
    std::vector<std::string> lines;
    Batch batch{3,
                CompletionConfig::allCompleted(),
                {.maxConcurrency = 2, .onProgress = [&](const BatchProgress& progress) {
                     lines.push_back(fmt::format("{} ok, {} failed, {} in flight, {} in all",
                                                 progress.succeeded, progress.failed,
                                                 progress.inFlight, progress.total));
                 }}};
    batch.run();
    batch.end({1}, failed);
    batch.end({0});
    batch.end({2});

    CHECK(lines == std::vector<std::string>{
                       "0 ok, 0 failed, 1 in flight, 3 in all",
                       "0 ok, 0 failed, 2 in flight, 3 in all",
                       "0 ok, 1 failed, 1 in flight, 3 in all",
                       "0 ok, 1 failed, 2 in flight, 3 in all",
                       "1 ok, 1 failed, 1 in flight, 3 in all",
                       "2 ok, 1 failed, 0 in flight, 3 in all",
                   });
}

TEST_CASE("what onProgress throws has no effect") {
    Batch batch{2, {}, {.onProgress = [](const BatchProgress&) { throw 42; }}};
    batch.run();
    batch.end({0, 1});

    CHECK(batch.reason() == allCompleted);
}

TEST_CASE("onProgress counts recorded items too") {
    std::size_t most = 0;
    Batch batch{3, {}, {.onProgress = [&](const BatchProgress& progress) {
                    most = std::max(most, progress.succeeded);
                }}};
    batch.executor().settleRecorded(0, succeeded);
    batch.run();
    batch.end({1, 2});

    CHECK(most == 3);
}

TEST_CASE("a batch of a hundred thousand recorded items is decided without growing the stack") {
    constexpr std::size_t total = 100'000;
    Batch batch{total, {}};
    for (std::size_t i = 0; i < total; ++i) batch.executor().settleRecorded(i, succeeded);
    batch.run();

    CHECK(batch.reason() == allCompleted);
    CHECK(batch.started.empty());
}
