// SPDX-License-Identifier: Apache-2.0
#include <durable/testing.hpp>

#include <support/catch.hpp>
#include <support/temporary_directory.hpp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using Catch::Matchers::ContainsSubstring;
using durable::DurableContext;
using durable::Task;
using durable::testing::goldenDifference;
using durable::testing::goldenText;
using durable::testing::LocalRunner;
using durable::testing::TestExecution;
using durable::testing::TestFailure;
using namespace std::chrono_literals;

namespace {

Task<std::string> ask(DurableContext& ctx) {
    auto callback = co_await ctx.createCallback<std::string>("answer", {.timeout = 60s});
    co_await ctx.step("send", [&] { return callback.id(); });
    const auto answer = co_await callback.result();
    co_await ctx.wait("pause", 90s);
    co_return answer;
}

/// An execution of `ask`, which is answered `answer`.
TestExecution askOn(LocalRunner& runner, const std::string& answer) {
    auto execution = runner.run();
    runner.advance(5s);
    return execution.completeCallback("answer", answer).run();
}

std::vector<durable::HistoryEvent> historyOfAsking(const std::string& answer) {
    LocalRunner runner{ask};
    return askOn(runner, answer).history();
}

std::string contentOf(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

TEST_CASE("a golden history holds no moments and no ids that differ from run to run") {
    CHECK(goldenText(historyOfAsking("yes")) ==
          R"(0s ExecutionStarted {"Input":{}}
0s CallbackStarted 1 "answer" {"Timeout":60}
0s StepStarted 2 "send"
0s StepSucceeded 2 "send" {"Result":{"Payload":"\"<callback 1>\"","Truncated":false},"RetryDetails":{"CurrentAttempt":1}}
0s InvocationCompleted
5s CallbackSucceeded 1 "answer" {"Result":{"Payload":"yes","Truncated":false}}
5s WaitStarted 3 "pause" {"Duration":90}
5s InvocationCompleted
95s WaitSucceeded 3 "pause" {"Duration":90}
95s InvocationCompleted
95s ExecutionSucceeded {"Result":{"Payload":"\"yes\"","Truncated":false}}
)");
}

TEST_CASE("a callback without an id, in a journal that was tampered with, has golden text too") {
    const std::vector<durable::Entry> entries{
        {.kind = durable::EntryKind::started},
        {.operationId = "1", .type = durable::OperationType::callback}};

    CHECK(goldenText(durable::historyOf(entries)) ==
          "0s ExecutionStarted {\"Input\":{}}\n0s CallbackStarted 1\n");
}

TEST_CASE("a history is recorded on demand, and the same one is no difference") {
    const TemporaryDirectory directory;
    const auto file = directory / "ask.history";

    CHECK(goldenDifference(historyOfAsking("yes"), file, {.record = true}) == "");

    CHECK(contentOf(file) == goldenText(historyOfAsking("yes")));
    CHECK(goldenDifference(historyOfAsking("yes"), file) == "");
}

TEST_CASE("the first line that differs is named") {
    const TemporaryDirectory directory;
    const auto file = directory / "ask.history";
    CHECK(goldenDifference(historyOfAsking("yes"), file, {.record = true}) == "");

    const auto difference = goldenDifference(historyOfAsking("no"), file);

    CHECK_THAT(difference, ContainsSubstring("ask.history at line 6.\n  recorded: 5s "
                                             "CallbackSucceeded 1 \"answer\" {\"Result\":"
                                             "{\"Payload\":\"yes\""));
    CHECK_THAT(difference, ContainsSubstring("\n  now:      5s CallbackSucceeded"));
    CHECK_THAT(difference, ContainsSubstring("DURABLE_RECORD_GOLDEN=1"));
}

TEST_CASE("a history that ends early differs where it ends") {
    const TemporaryDirectory directory;
    const auto file = directory / "ask.history";
    CHECK(goldenDifference(historyOfAsking("yes"), file, {.record = true}) == "");
    auto shorter = historyOfAsking("yes");
    shorter.pop_back();

    CHECK_THAT(goldenDifference(shorter, file), ContainsSubstring("now:      (the history ends)"));
}

TEST_CASE("a test passes on the recorded history, and fails on another one") {
    const TemporaryDirectory directory;
    const auto file = directory / "ask.history";
    CHECK(goldenDifference(historyOfAsking("yes"), file, {.record = true}) == "");
    const auto require = [&](const std::string& answer) {
        LocalRunner runner{ask};
        askOn(runner, answer).requireGoldenHistory(file);
    };

    CHECK_NOTHROW(require("yes"));
    CHECK_THROWS_AS(require("no"), TestFailure);
}

TEST_CASE("without a recorded history a test fails and says how to record one") {
    const TemporaryDirectory directory;
    LocalRunner runner{ask};
    const auto execution = runner.run();

    CHECK_THROWS_AS(execution.requireGoldenHistory(directory / "none"), TestFailure);
    CHECK_THAT(goldenDifference(execution.history(), directory / "none"),
               ContainsSubstring("There is no recorded history"));
}
