// SPDX-License-Identifier: Apache-2.0
#include <replay/equality.hpp>
#include <replay/program_text.hpp>
#include <replay/random_program.hpp>
#include <replay/shrink.hpp>
#include <support/catch.hpp>
#include <support/recording_store.hpp>
#include <support/seed.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

/// How many programs are run. DURABLE_CASES in the environment says otherwise.
std::uint32_t caseCount() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr std::uint32_t usual = 1'500;  // a sanitizer makes each case about eight times as slow
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    constexpr std::uint32_t usual = 1'500;
#else
    constexpr std::uint32_t usual = 10'000;
#endif
#else
    constexpr std::uint32_t usual = 10'000;
#endif
    const char* given = std::getenv("DURABLE_CASES");
    if (given == nullptr) return usual;
    return static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10));
}

std::string report(const program::Program& failing, std::uint32_t seed) {
    const auto smallest = program::shrink(failing, [&](const program::Program& candidate) {
        return !program::check(candidate, program::Cuts::all, seed).empty();
    });
    auto text = fmt::format("repeat with DURABLE_SEED={} DURABLE_CASES=1\n\n{}\n", seed,
                            program::textOf(failing));
    for (const auto& complaint : program::check(failing, program::Cuts::one, seed)) {
        text += "  " + complaint + "\n";
    }
    text += "\nthe smallest program found that fails:\n\n" + program::textOf(smallest) + "\n";
    for (const auto& complaint : program::check(smallest, program::Cuts::all, seed)) {
        text += "  " + complaint + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("the first run of any workflow, its replay, and its next run after a crash agree") {
    const auto seed = newSeed();
    const auto cases = caseCount();
    std::uint32_t failures = 0;
    for (std::uint32_t i = 0; i < cases; ++i) {
        const auto program = program::Generator{seed + i}.program();
        if (program::check(program, program::Cuts::one, seed + i).empty()) continue;
        std::puts(report(program, seed + i).c_str());  // Catch2 would break the lines
        if (++failures == 3) break;
    }
    CHECK(failures == 0);
}
