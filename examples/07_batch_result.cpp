// SPDX-License-Identifier: Apache-2.0
//
// Everything a `BatchResult` tells, and a second map over the items that failed or were never
// started.
//
//   $ ./07_batch_result
//   first round: FAILED, FAILURE_TOLERANCE_EXCEEDED
//     started 4: succeeded 2, failed 2, in flight 0
//     0 ada     sent
//     1 bob     failed: mailbox of bob is full
//     2 cy      sent
//     3 dee     failed: mailbox of dee is full
//     4 eve     not started
//   second round: COMPLETED, ALL_COMPLETED
//     sent to bob, dee, eve
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;

/// In the first round, some mailboxes are full.
std::string sendMail(const std::string& user, int round) {
    if (round == 1 && (user == "bob" || user == "dee")) {
        throw std::runtime_error{"mailbox of " + user + " is full"};
    }
    return user;
}

Task<BatchResult<std::string>> sendAll(DurableContext& ctx, std::vector<std::string> users,
                                       int round) {
    const StepConfig once{.retryStrategy = retry::none()};
    const MapConfig config{
        .maxConcurrency = 1,  // one after another, so that the output is always the same
        .completionConfig = {.toleratedFailureCount = 1},
    };
    auto results = co_await ctx.map(
        fmt::format("send-round-{}", round), users,
        [&](DurableContext& item, const std::string& user) -> Task<std::string> {
            auto sent = co_await item.step("send", [&] { return sendMail(user, round); }, once);
            co_return sent;
        },
        config);
    co_return results;
}

std::string summary(const BatchResult<std::string>& results) {
    return fmt::format("{}, {}\n", toString(results.status()),
                       toString(results.completionReason()));
}

Task<std::string> newsletter(DurableContext& ctx, std::vector<std::string> users) {
    auto first = co_await sendAll(ctx, users, 1);

    auto report = "first round: " + summary(first);
    report +=
        fmt::format("  started {}: succeeded {}, failed {}, in flight {}\n", first.totalCount(),
                    first.successCount(), first.failureCount(), first.startedCount());
    for (const auto& item : first.all()) {  // or succeeded(), failed(), started()
        report += fmt::format("  {} {:7} {}\n", item.index, users[item.index],
                              item.error ? fmt::format("failed: {}", item.error->what()) : "sent");
    }
    for (const auto index : first.notStarted()) {
        report += fmt::format("  {} {:7} not started\n", index, users[index]);
    }
    if (!first.hasFailure()) co_return report;

    auto again = first.notStarted();
    for (const auto& item : first.failed()) again.push_back(item.index);
    std::ranges::sort(again);
    std::vector<std::string> usersAgain;
    for (const auto index : again) usersAgain.push_back(users[index]);
    auto second = co_await sendAll(ctx, usersAgain, 2);

    report += "second round: " + summary(second);
    report += fmt::format("  sent to {}\n", fmt::join(second.getResults(), ", "));
    co_return report;
}

int main() {
    Engine engine{SqliteStore::open("07_batch_result.db")};
    engine.registerHandler("newsletter", newsletter);

    const std::vector<std::string> users{"ada", "bob", "cy", "dee", "eve"};
    auto execution = engine.start("newsletter", users, {.name = "2026-11"});
    fmt::print("{}", execution.result<std::string>());
}
