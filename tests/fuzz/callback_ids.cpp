// SPDX-License-Identifier: Apache-2.0
// The one text that strangers hand in: ids of callbacks, real ones and any others.
#include <durable/durable.hpp>
#include <durable/engine/callback_id.hpp>

#include <fuzz/fuzz_target.hpp>

#include <memory>
#include <string>

using namespace durable;

namespace {

/// An engine in which one execution waits for a callback with this id.
struct Waiting {
    Waiting() {
        engine.registerHandler("handler", [this](DurableContext& ctx) -> Task<std::string> {
            auto callback = co_await ctx.createCallback<std::string>("callback");
            id = callback.id();
            co_return co_await callback.result();
        });
        (void)engine.start("handler");
        engine.poll();
    }

    std::string id{};
    Engine engine{std::make_shared<MemoryStore>(),
                  {.workflowThreads = 0, .stepThreads = 0, .log = {}}};
};

}  // namespace

void fuzz(std::string_view bytes) {
    if (const auto place = callbackPlaceOf(bytes)) {
        require(place->execution > 0, "executions are numbered from 1");
        const auto id = newCallbackId(place->execution, place->operationId);
        const auto again = callbackPlaceOf(id);
        require(again && again->execution == place->execution, "the execution comes out again");
    }
    static Waiting waiting;
    const auto refused = [&](const std::string& id) {
        return !accepts<UnknownCallback>([&] { waiting.engine.heartbeatCallback(id); });
    };
    require(refused(std::string{bytes}), "no id opens a callback but its own");
    // The right place and the wrong secret, or more than the secret.
    require(refused(waiting.id.substr(0, waiting.id.rfind('x') + 1) + std::string{bytes}),
            "the place does not open a callback");
    if (!bytes.empty()) {
        require(refused(waiting.id + std::string{bytes}), "nothing may follow an id");
        require(refused(std::string{bytes} + waiting.id), "nothing may precede an id");
    }
    require(!refused(waiting.id), "the id of a callback opens it");
}
