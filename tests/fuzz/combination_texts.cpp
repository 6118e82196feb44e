// SPDX-License-Identifier: Apache-2.0
// The recorded results of `all`, `allSettled`, `any` and `race`.
#include <durable/concurrency/combination_json.hpp>

#include <fuzz/fuzz_target.hpp>

#include <string>

using namespace durable;

namespace {

/// What can be read must come out of its own text again.
template <class Read, class Write>
void roundTrip(const std::string& text, Read read, Write write) {
    std::string written;
    if (!accepts([&] { written = write(read(text)); })) return;
    require(accepts([&] { require(write(read(written)) == written, "the same text again"); }),
            "what is written can be read");
}

}  // namespace

void fuzz(std::string_view bytes) {
    const std::string text{bytes};
    roundTrip(text, valuesFromJson, valuesToJson);
    roundTrip(text, settledFromJson, settledToJson);
    roundTrip(text, winnerFromJson, winnerToJson);
}
