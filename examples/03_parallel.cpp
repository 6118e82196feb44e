// SPDX-License-Identifier: Apache-2.0
//
// Three look-ups side by side, each with a result of its own type; the types are known to the
// compiler.
//
//   $ ./03_parallel
//   Ada has 3 orders over 4250 cents and gets mail: yes
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <numeric>
#include <string>
#include <vector>

using namespace durable;

struct User {
    int id{};
    std::string name{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(User, id, name)

User fetchUser(int id) { return {.id = id, .name = "Ada"}; }
std::vector<int> fetchOrders(int /*userId*/) { return {1200, 550, 2500}; }
bool fetchMail(int /*userId*/) { return true; }

Task<std::string> lookUp(DurableContext& ctx, int userId) {
    const ParallelConfig config{.maxConcurrency = 2};
    auto results = co_await ctx.parallel(
        "look-up",
        branch("user",
               [=](DurableContext& child) -> Task<User> {
                   auto user = co_await child.step("fetch", [=] { return fetchUser(userId); });
                   co_return user;
               }),
        branch("orders",
               [=](DurableContext& child) -> Task<std::vector<int>> {
                   auto orders = co_await child.step("fetch", [=] { return fetchOrders(userId); });
                   co_return orders;
               }),
        branch("mail",
               [=](DurableContext& child) -> Task<bool> {
                   auto mail = co_await child.step("fetch", [=] { return fetchMail(userId); });
                   co_return mail;
               }),
        config);

    const auto [user, orders, mail] = results.getResults();  // User, vector<int>, bool
    co_return fmt::format("{} has {} orders over {} cents and gets mail: {}", user.name,
                          orders.size(), std::accumulate(orders.begin(), orders.end(), 0),
                          mail ? "yes" : "no");
}

int main() {
    Engine engine{SqliteStore::open("03_parallel.db")};
    engine.registerHandler("look-up", lookUp);

    auto execution = engine.start("look-up", 42, {.name = "user-42"});
    fmt::print("{}\n", execution.result<std::string>());
}
