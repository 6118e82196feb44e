// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/seed.hpp"

#include <durable/journal/entry_json.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

using durable::entriesFromJson;
using durable::entriesToJson;
using durable::Entry;
using durable::EntryKind;
using durable::ErrorObject;
using durable::OperationSubType;
using durable::OperationType;
using durable::TimePoint;
using namespace std::chrono_literals;

namespace {

std::vector<Entry> read(std::string_view json) {
    std::vector<Entry> entries;
    entriesFromJson(json, entries);
    return entries;
}

/// What is kept of an entry: the description of an operation stands in `started`, and in an end
/// that may have no `started`.
Entry kept(Entry entry) {
    const bool describes = !entry.operationId.empty() &&
                           (entry.kind == EntryKind::started ||
                            entry.kind == EntryKind::succeeded || entry.kind == EntryKind::failed);
    if (!describes) {
        entry.type = OperationType::execution;
        entry.subType = OperationSubType::none;
        entry.parentId.clear();
        if (!entry.operationId.empty()) entry.name.clear();
    }
    return entry;
}

bool equal(const Entry& left, const Entry& right) {
    return left.kind == right.kind && left.time == right.time &&
           left.operationId == right.operationId && left.type == right.type &&
           left.subType == right.subType && left.parentId == right.parentId &&
           left.name == right.name && left.details.orDefault() == right.details.orDefault() &&
           left.delay == right.delay && left.payload == right.payload &&
           left.error == right.error && left.attempt == right.attempt &&
           left.replayChildren == right.replayChildren;
}

class RandomEntries {
public:
    explicit RandomEntries(std::uint32_t seed) : generator_{seed} {}

    Entry operator()() {
        Entry entry;
        entry.kind = static_cast<EntryKind>(below(10));
        entry.time = TimePoint{std::chrono::milliseconds{
            static_cast<std::int64_t>(generator_()) * 4096 - (1LL << 42)}};
        if (below(4) > 0) entry.operationId = "1-" + std::to_string(below(1000));
        entry.type = static_cast<OperationType>(below(6));
        entry.subType = static_cast<OperationSubType>(below(12));
        entry.parentId = maybe() ? "1" : "";
        entry.name = text();
        if (maybe()) entry.details = details(entry.time);
        if (maybe()) entry.delay = std::chrono::seconds{below(100'000)};
        if (maybe()) entry.payload = text();
        if (maybe()) entry.error = error(3);
        if (maybe()) entry.attempt = static_cast<std::uint32_t>(generator_());
        entry.replayChildren = maybe();
        return entry;
    }

private:
    durable::EntryDetails details(TimePoint time) {
        durable::EntryDetails details{
            .callbackId = text(), .handlerName = text(), .tenantId = text(), .requestId = text()};
        if (maybe()) details.heartbeatTimeout = std::chrono::seconds{below(100'000)};
        if (maybe()) details.invocationStart = time - std::chrono::milliseconds{below(1000)};
        return details;
    }

    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(generator_()) % bound;
    }
    bool maybe() { return below(2) == 0; }

    std::string text() {
        const std::vector<std::string> pieces{
            "a", "\"", "\\", "\n", std::string(1, '\0'), "{}", ",", "\xC3\xA9", "\xF0\x9F\x98\x80"};
        std::string text;
        for (auto length = below(6); length > 0; --length) {
            text += pieces[below(static_cast<std::uint32_t>(pieces.size()))];
        }
        return text;
    }

    ErrorObject error(int depth) {
        ErrorObject error;
        if (maybe()) error.type = text();
        if (maybe()) error.message = text();
        if (maybe()) error.data = text();
        for (auto lines = below(3); lines > 0; --lines) error.stackTrace.push_back(text());
        if (depth > 0 && maybe()) {
            error.cause = std::make_shared<const ErrorObject>(this->error(depth - 1));
        }
        return error;
    }

    std::mt19937 generator_;
};

}  // namespace

TEST_CASE("entries are one JSON array") {
    CHECK(entriesToJson({}) == "[]");
    CHECK(read("[]").empty());

    const std::vector<Entry> entries{
        {.kind = EntryKind::started, .time = TimePoint{1500ms}, .payload = "[1]"},
        {.kind = EntryKind::started,
         .time = TimePoint{2000ms},
         .operationId = "1-4",
         .type = OperationType::callback,
         .subType = OperationSubType::callback,
         .parentId = "1",
         .name = "approval",
         .details = durable::EntryDetails{.callbackId = "7x1x4xabc", .heartbeatTimeout = 10s},
         .delay = 60s},
        {.kind = EntryKind::retried,
         .time = TimePoint{2500ms},
         .operationId = "2",
         .delay = 5s,
         .error = ErrorObject{.type = "E", .message = "m"},
         .attempt = 1},
        {.kind = EntryKind::succeeded,
         .time = TimePoint{3000ms},
         .operationId = "3",
         .type = OperationType::context,
         .payload = "",
         .replayChildren = true},
    };
    CHECK(entriesToJson(entries) ==
          R"([{"kind":"started","time":1500,"payload":"[1]"},)"
          R"({"kind":"started","time":2000,"id":"1-4","type":"CALLBACK","subType":"Callback",)"
          R"("name":"approval","parent":"1","callbackId":"7x1x4xabc","heartbeatTimeout":10,)"
          R"("delay":60},)"
          R"({"kind":"retried","time":2500,"id":"2","delay":5,"attempt":1,)"
          R"("error":{"ErrorType":"E","ErrorMessage":"m"}},)"
          R"({"kind":"succeeded","time":3000,"id":"3","type":"CONTEXT","replayChildren":true,)"
          R"("payload":""}])");
}

TEST_CASE("random entries read back as they were written") {
    const auto seed = newSeed();
    RandomEntries next{seed};

    for (int i = 0; i < 2000; ++i) {
        const std::vector<Entry> entries{next(), next(), next()};
        const auto json = entriesToJson(entries);
        const auto again = read(json);
        REQUIRE(again.size() == entries.size());
        for (std::size_t j = 0; j < entries.size(); ++j) {
            if (!equal(again[j], kept(entries[j]))) FAIL("seed " << seed << ": " << json);
        }
        if (entriesToJson(again) != json) FAIL("seed " << seed << ": " << json);
    }
    SUCCEED();
}

TEST_CASE("an absent payload is not an empty one") {
    const std::vector<Entry> entries{
        {.kind = EntryKind::succeeded, .operationId = "1"},
        {.kind = EntryKind::succeeded, .operationId = "1", .payload = ""}};
    const auto again = read(entriesToJson(entries));

    CHECK(again.at(0).payload == std::nullopt);
    CHECK(again.at(1).payload == "");
}

TEST_CASE("entries are added behind those that are there") {
    std::vector<Entry> entries(2);
    entriesFromJson(R"([{"kind":"failed","time":1}])", entries);

    REQUIRE(entries.size() == 3);
    CHECK(entries.back().kind == EntryKind::failed);
}

TEST_CASE("an entry of a later version may have members that are not known") {
    const auto entries = read(R"([{"kind":"started","time":1,"colour":{"red":1}}])");

    CHECK(entries.size() == 1);
}

TEST_CASE("what is not an array of entries is refused") {
    for (const auto* json : {
             "",
             "[",
             "{}",
             "null",
             "7",
             "\"[]\"",
             "[1]",
             "[null]",
             "[[]]",
             "[{}]",
             R"([{"kind":"started"}])",
             R"([{"kind":"started","time":"now"}])",
             R"([{"kind":"started","time":null}])",
             R"([{"kind":"exploded","time":1}])",
             R"([{"kind":7,"time":1}])",
             R"([{"kind":"started","time":1,"type":"STEPS"}])",
             R"([{"kind":"started","time":1,"subType":"step"}])",
             R"([{"kind":"started","time":1,"id":1}])",
             R"([{"kind":"started","time":1,"name":null}])",
             R"([{"kind":"started","time":1,"payload":{}}])",
             R"([{"kind":"started","time":1,"payload":null}])",
             R"([{"kind":"started","time":1,"delay":"5"}])",
             R"([{"kind":"started","time":1,"delay":-1}])",
             R"([{"kind":"started","time":1,"delay":1.5}])",
             R"([{"kind":"started","time":1,"delay":10000000001}])",
             R"([{"kind":"started","time":1,"heartbeatTimeout":9223372036854775807}])",
             R"([{"kind":"started","time":1.5}])",
             R"([{"kind":"started","time":9223372036854775807}])",
             R"([{"kind":"started","time":-9223372036854775808}])",
             R"([{"kind":"started","time":18446744073709551615}])",
             R"([{"kind":"started","time":1,"replayChildren":1}])",
             R"([{"kind":"started","time":1}] x)",
             "[{\"kind\":\"started\",\"time\":1,\"name\":\"\xFF\"}]",
         }) {
        CAPTURE(json);
        CHECK_THROWS_AS(read(json), std::exception);
    }
}

TEST_CASE("an unknown name in an entry is told") {
    CHECK_THROWS_WITH(read(R"([{"kind":"exploded","time":1}])"), "unknown kind \"exploded\"");
    CHECK_THROWS_WITH(read(R"([{"kind":"started","time":1,"type":"STEPS"}])"),
                      "unknown type \"STEPS\"");
    CHECK_THROWS_WITH(read("{}"), "not an array of entries");
}

TEST_CASE("the end of an invocation that an earlier version wrote can be read") {
    const auto entries = read(R"([{"kind":"invocationCompleted","time":5}])");

    REQUIRE(entries.size() == 1);
    CHECK(entries[0].kind == EntryKind::invocationCompleted);
    CHECK_FALSE(entries[0].details);
}

TEST_CASE("the start of an invocation must be a time") {
    CHECK_THROWS(read(R"([{"kind":"invocationCompleted","time":5,"start":"now"}])"));
}

TEST_CASE("a text that breaks off adds no entry") {
    std::vector<Entry> entries(1);
    const std::string one = R"({"kind":"started","time":1})";

    CHECK_THROWS_AS(entriesFromJson("[" + one + "," + one, entries), std::exception);
    CHECK_THROWS_AS(entriesFromJson("[" + one + R"(,{"kind":"started"}])", entries),
                    std::exception);
    CHECK(entries.size() == 1);
}

TEST_CASE("members that are not known may hold whatever a known one may not") {
    const auto entries =
        read(R"([{"kind":"failed","colours":[[1,{"kind":"x"}],null,-1.5],"time":1,)"
             R"("error":{"colour":{"Cause":7},"ErrorMessage":"m","shades":[{}],"Cause":)"
             R"({"ErrorType":"E","StackTrace":["a","b"]}},"attempt":3}])");

    REQUIRE(entries.size() == 1);
    CHECK(entries[0].attempt == 3);
    REQUIRE(entries[0].error);
    CHECK(entries[0].error->message == "m");
    REQUIRE(entries[0].error->cause);
    CHECK(entries[0].error->cause->type == "E");
    CHECK(entries[0].error->cause->stackTrace == std::vector<std::string>{"a", "b"});
}

TEST_CASE("an error of an entry is an error or refused") {
    for (const auto* error :
         {"null", "7", "[]", R"("text")", R"({"ErrorType":7})", R"({"ErrorMessage":null})",
          R"({"ErrorData":{}})", R"({"StackTrace":"line"})", R"({"StackTrace":[7]})",
          R"({"StackTrace":[["line"]]})", R"({"Cause":"text"})", R"({"Cause":[]})"}) {
        CAPTURE(error);
        CHECK_THROWS_AS(read(R"([{"kind":"failed","time":1,"error":)" + std::string{error} + "}]"),
                        std::exception);
    }
}

TEST_CASE("a number that does not fit its member is refused") {
    CHECK_THROWS_AS(read(R"([{"kind":"failed","time":1,"attempt":4294967296}])"), std::exception);
    CHECK_THROWS_AS(read(R"([{"kind":"failed","time":1,"attempt":-1}])"), std::exception);
    CHECK(read(R"([{"kind":"failed","time":1,"attempt":4294967295}])")[0].attempt == 4294967295);
}
