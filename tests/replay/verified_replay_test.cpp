// SPDX-License-Identifier: Apache-2.0
#include <durable/journal/entry_json.hpp>

#include <replay/program_run.hpp>
#include <replay/program_text.hpp>
#include <replay/random_program.hpp>
#include <support/catch.hpp>
#include <support/seed.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

/// How many programs are run. DURABLE_CASES in the environment says otherwise.
std::uint32_t caseCount() {
    const char* given = std::getenv("DURABLE_CASES");
    if (given == nullptr) return 500;
    return static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10));
}

/// What a run left: journals, ends, and how often each body was called.
struct Trail {
    std::vector<std::string> journals{};
    std::map<program::Attempt, int> calls{};
    std::string end{};
};

Trail run(const program::Program& text, std::size_t maxParked, bool verifyReplay) {
    program::Witness witness{text};
    const auto store = std::make_shared<RecordingStore>();
    const auto start = durable::testing::ManualClock{}.now();
    program::runToEnd(witness, store, maxParked, start, verifyReplay);
    Trail trail{.journals = {}, .calls = witness.calls(), .end = witness.end()};
    for (const auto& record : store->list({})) {
        auto entries = store->load(record.id);
        for (auto& entry : entries) {
            if (entry.type == durable::OperationType::callback) entry.details.reset();  // random id
        }
        trail.journals.push_back(durable::entriesToJson(entries));
    }
    return trail;
}

}  // namespace

TEST_CASE("verified replay accuses no workflow that is right, and changes nothing of it") {
    const auto seed = newSeed();
    const auto cases = caseCount();
    std::uint32_t failures = 0;
    for (std::uint32_t i = 0; i < cases && failures < 3; ++i) {
        const auto text = program::Generator{seed + i}.program();
        for (const auto maxParked : {std::numeric_limits<std::size_t>::max(), std::size_t{0}}) {
            const auto plain = run(text, maxParked, false);
            const auto verified = run(text, maxParked, true);
            if (plain.journals == verified.journals && plain.calls == verified.calls &&
                plain.end == verified.end) {
                continue;
            }
            // Not by Catch2, which would break the lines.
            std::printf(
                "DURABLE_SEED=%u DURABLE_CASES=1, parked: %zu\n%s\nplain:    %s\n"
                "verified: %s\n",
                seed + i, maxParked, program::textOf(text).c_str(), plain.end.c_str(),
                verified.end.c_str());
            ++failures;
            break;
        }
    }
    CHECK(failures == 0);
}
