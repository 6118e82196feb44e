// SPDX-License-Identifier: Apache-2.0
//
// `toleratedFailureCount`: so many failures are fine, one more stops the batch. What has not been
// started by then never is.
//
//   $ ./05_tolerated_count
//   2 of 8 devices broken: updated 6, failed 2, not started 0: ALL_COMPLETED
//   3 of 8 devices broken: updated 2, failed 3, not started 3: FAILURE_TOLERANCE_EXCEEDED
//
// Started again, it gives the recorded result.

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace durable;

struct Device {
    std::string name{};
    bool broken{};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Device, name, broken)

void update(const Device& device) {
    if (device.broken) throw std::runtime_error{device.name + " does not answer"};
}

Task<std::string> updateDevices(DurableContext& ctx, std::vector<Device> devices) {
    const StepConfig once{.retryStrategy = retry::none()};
    const MapConfig config{
        .maxConcurrency = 1,  // one after another, so that the output is always the same
        .completionConfig = {.toleratedFailureCount = 2},
    };
    auto results = co_await ctx.map(
        "update-devices", devices,
        [&](DurableContext& item, const Device& device) -> Task<void> {
            co_await item.step("update", [&] { update(device); }, once);
        },
        config);

    co_return fmt::format("updated {}, failed {}, not started {}: {}", results.successCount(),
                          results.failureCount(), results.notStarted().size(),
                          toString(results.completionReason()));
}

int main() {
    Engine engine{SqliteStore::open("05_tolerated_count.db")};
    engine.registerHandler("update-devices", updateDevices);

    std::vector<Device> devices{{"a", false}, {"b", true},  {"c", false}, {"d", true},
                                {"e", false}, {"f", false}, {"g", false}, {"h", false}};
    auto monday = engine.start("update-devices", devices, {.name = "monday"});
    fmt::print("2 of 8 devices broken: {}\n", monday.result<std::string>());

    devices[4].broken = true;
    auto tuesday = engine.start("update-devices", devices, {.name = "tuesday"});
    fmt::print("3 of 8 devices broken: {}\n", tuesday.result<std::string>());
}
