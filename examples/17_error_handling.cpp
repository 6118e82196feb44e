// SPDX-License-Identifier: Apache-2.0
//
// Errors are recorded like results: a handler catches the same error on the first run and on every
// replay, so undoing what was done is ordinary C++.
//
//   $ ./17_error_handling
//   lisbon: flight and hotel booked
//   oslo: StepError by HotelFull: no room in oslo; flight cancelled
//   rome: ExecutionError: no flight to rome; caused by std::invalid_argument: yes
//   all: ChildContextError: no room in oslo; caused by HotelFull: yes
//
// Started again, it gives the recorded results and errors.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;

struct HotelFull : std::runtime_error {
    using runtime_error::runtime_error;
};

void bookFlight(const std::string& city) {
    if (city == "rome") throw std::invalid_argument{"no flight to " + city};
}
void cancelFlight(const std::string& /*city*/) {}
void bookHotel(const std::string& city) {
    if (city == "oslo") throw HotelFull{"no room in " + city};
}

const StepConfig once{.retryStrategy = retry::none()};

/// Books both or nothing. An error that leaves a handler fails its execution.
Task<std::string> bookTrip(DurableContext& ctx, std::string city) {
    co_await ctx.step("book-flight", [&] { bookFlight(city); }, once);

    std::optional<StepError> failure;  // C++ does not allow co_await inside catch
    try {
        co_await ctx.step("book-hotel", [&] { bookHotel(city); }, once);
    } catch (const StepError& error) {
        failure = error;
    }
    if (!failure) co_return "flight and hotel booked";

    co_await ctx.step("cancel-flight", [&] { cancelFlight(city); });
    co_return fmt::format("{} by {}: {}; flight cancelled", failure->name(), failure->errorType(),
                          failure->what());
}

/// In a batch, errors are entries; `throwIfError` throws the first of them.
Task<std::string> bookHotels(DurableContext& ctx, std::vector<std::string> cities) {
    auto results =
        co_await ctx.map("book-hotels", cities,
                         [](DurableContext& item, const std::string& city) -> Task<void> {
                             co_await item.step("book-hotel", [&] { bookHotel(city); }, once);
                         },
                         {.completionConfig = CompletionConfig::allCompleted()});
    try {
        results.throwIfError();
    } catch (const ChildContextError& error) {
        co_return fmt::format("{}: {}; caused by HotelFull: {}", error.name(), error.what(),
                              error.isCausedBy("HotelFull") ? "yes" : "no");
    }
    co_return "booked";
}

int main() {
    Engine engine{SqliteStore::open("17_error_handling.db")};
    engine.registerHandler("book-trip", bookTrip);
    engine.registerHandler("book-hotels", bookHotels);

    const std::vector<std::string> cities{"lisbon", "oslo", "rome"};
    for (const auto& city : cities) {
        auto trip = engine.start("book-trip", city, {.name = city});
        try {
            fmt::print("{}: {}\n", city, trip.result<std::string>());
        } catch (const ExecutionError& error) {
            fmt::print("{}: {}: {}; caused by std::invalid_argument: {}\n", city, error.name(),
                       error.what(), error.isCausedBy("std::invalid_argument") ? "yes" : "no");
        }
    }
    auto hotels = engine.start("book-hotels", cities, {.name = "all"});
    fmt::print("all: {}\n", hotels.result<std::string>());
}
