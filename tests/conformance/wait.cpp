// SPDX-License-Identifier: Apache-2.0
#include "handlers.hpp"

#include <chrono>

using durable::DurableContext;
using durable::Task;
using namespace std::chrono_literals;

namespace {

Task<void> basic(DurableContext& ctx) { co_await ctx.wait(2s); }

Task<void> named(DurableContext& ctx) { co_await ctx.wait("custom_wait_name", 2s); }

Task<void> minutes(DurableContext& ctx) { co_await ctx.wait(1min); }

Task<void> hours(DurableContext& ctx) { co_await ctx.wait(1h); }

}  // namespace

void registerWait(durable::testing::LocalRunner& runner) {
    runner.registerHandler("2-1", basic)
        .registerHandler("2-2", named)
        .registerHandler("2-4", minutes)
        .registerHandler("2-5", hours);
}
