// SPDX-License-Identifier: Apache-2.0
//
// `minSuccessful`: enough is enough. The batch stops once so many items have succeeded; failures
// alone never stop it, and running out of items is no error, so look at `successCount` afterwards.
//
//   $ ./04_minimum_successful
//   replicas 1 to 10: 8 written, 1 failed, 1 not started: MIN_SUCCESSFUL_REACHED
//   replicas 1 to 9:  7 written, 2 failed, 0 not started: ALL_COMPLETED
//   the second write did not reach its quorum
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;

constexpr std::size_t quorum = 8;

/// Writes to a replica; those in `down` do not answer.
void writeReplica(int replica, const std::set<int>& down) {
    if (down.contains(replica)) throw std::runtime_error{"no answer"};
}

Task<BatchResult<void>> writeAll(DurableContext& ctx, std::vector<int> replicas,
                                 std::set<int> down) {
    const StepConfig once{.retryStrategy = retry::none()};
    const MapConfig config{
        .maxConcurrency = 1,  // one after another, so that the output is always the same
        .completionConfig = {.minSuccessful = quorum},
    };
    auto results = co_await ctx.map(
        "write-replicas", replicas,
        [&](DurableContext& item, const int& replica) -> Task<void> {
            co_await item.step("write", [&] { writeReplica(replica, down); }, once);
        },
        config);
    co_return results;
}

std::string summary(const BatchResult<void>& results) {
    return fmt::format("{} written, {} failed, {} not started: {}", results.successCount(),
                       results.failureCount(), results.notStarted().size(),
                       toString(results.completionReason()));
}

Task<std::string> writeTwice(DurableContext& ctx) {
    auto first = co_await writeAll(ctx, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {3});
    auto second = co_await writeAll(ctx, {1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 5});

    auto report = fmt::format("replicas 1 to 10: {}\nreplicas 1 to 9:  {}\n", summary(first),
                              summary(second));
    if (second.successCount() < quorum) report += "the second write did not reach its quorum\n";
    co_return report;
}

int main() {
    Engine engine{SqliteStore::open("04_minimum_successful.db")};
    engine.registerHandler("write-twice", writeTwice);

    auto execution = engine.start("write-twice", {.name = "monday"});
    fmt::print("{}", execution.result<std::string>());
}
