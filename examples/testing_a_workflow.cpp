// Tests a workflow: retries, a day of waiting and a person's answer, in no time and without a file.
// CHECK stands for that of your test framework; nothing here needs a particular one.
//
//   $ ./testing_a_workflow
//   ok: an order is charged at the second try and shipped the day after its approval
//   ok: an order that nobody approves within a week fails

#include <durable/durable.hpp>
#include <durable/testing.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#define CHECK(condition) \
    if (!(condition)) std::printf("%d: %s\n", __LINE__, #condition), std::exit(1)

using durable::testing::LocalRunner;
using namespace std::chrono_literals;

// --- the workflow
// ---------------------------------------------------------------------------------

bool chargeCard(const std::string&, unsigned attempt) {  // a service that is often busy
    if (attempt == 1) throw std::runtime_error{"busy"};
    return true;
}

durable::Task<std::string> processOrder(durable::DurableContext& ctx, std::string order) {
    co_await ctx.step(
        "charge", [&](durable::StepContext& step) { return chargeCard(order, step.attempt()); });
    auto answer = co_await ctx.waitForCallback<std::string>(
        "approval", [](std::string) { /* send the id to a person */ }, {.timeout = 7 * 24h});
    co_await ctx.wait("pick-up", 24h);
    co_return order + " shipped, " + answer;
}

// --- its tests
// ------------------------------------------------------------------------------------

void shipsApprovedOrders() {
    LocalRunner runner{processOrder};

    auto order = runner.run(std::string{"A-1"});  // until only somebody outside can help
    CHECK(order.operation("charge").attempts() == 2);

    order.completeCallback("approval", "approved").run();
    CHECK(order.operation("pick-up").duration() == 24h);
    CHECK(order.result<std::string>() == "A-1 shipped, approved");
    CHECK(order.invocationCount() == 4);
}

void failsWithoutApproval() {
    LocalRunner runner{processOrder};

    auto order = runner.run(std::string{"A-2"});
    runner.advance(7 * 24h);
    CHECK(order.error()->type == "CallbackTimeoutError");
}

int main() {
    shipsApprovedOrders();
    std::puts("ok: an order is charged at the second try and shipped the day after its approval");
    failsWithoutApproval();
    std::puts("ok: an order that nobody approves within a week fails");
}
