// SPDX-License-Identifier: Apache-2.0
// Real processes, killed at any moment. DURABLE_LONG=1: 300 deaths instead of a few.
#include <kill/inspection.hpp>
#include <kill/victim.hpp>
#include <signal.h>
#include <store/child_process.hpp>
#include <support/catch.hpp>
#include <support/seed.hpp>
#include <support/temporary_directory.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <system_error>
#include <thread>

namespace {

/// Microseconds until a process is killed: while it opens the journal, in the first rush, later.
std::chrono::microseconds untilDeath(std::mt19937& random) {
    const unsigned longest[] = {4'000, 20'000, 60'000, 150'000, 1'200'000};
    return std::chrono::microseconds{random() % longest[random() % 5]};
}

[[nodiscard]] bool filled(const std::filesystem::path& file) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file, absent);
    return !absent && size > 0;
}

}  // namespace

TEST_CASE("orders whose processes are killed at any moment are done once, and come to their end") {
    const auto seed = newSeed();
    std::mt19937 random{seed};
    const int deathsWanted = std::getenv("DURABLE_LONG") != nullptr ? 300 : 10;
    int deaths = 0;
    int workloads = 0;
    int resumed = 0;
    std::size_t bodies = 0;
    std::size_t entries = 0;
    while (deaths < deathsWanted) {
        const TemporaryDirectory directory;
        Inspection inspection{directory.path()};
        ++workloads;
        for (bool done = false; !done;) {
            const bool mayDie = deaths < deathsWanted;
            const auto variation = static_cast<std::uint32_t>(random());
            {
                ChildProcess child{[&](const auto& tell) {
                    ::signal(SIGTERM, SIG_DFL);
                    Victim victim{directory.path(), variation};
                    tell(victim.run() ? "done" : "stopped");
                }};
                if (mayDie) {
                    std::this_thread::sleep_for(untilDeath(random));
                    if (random() % 4 == 0) {  // in the midst of an orderly stop
                        ::kill(child.id(), SIGTERM);
                        std::this_thread::sleep_for(untilDeath(random) / 20);
                    }
                    child.kill();
                    ++deaths;
                }
                const auto told = child.line();
                INFO("seed " << seed << ", death " << deaths << ": " << told);
                REQUIRE((told == "done" || (mayDie && (told.empty() || told == "stopped"))));
                done = told == "done";
            }
            INFO("seed " << seed << ", death " << deaths);
            // The first one that opens and closes a journal moves its log into it. Mostly that is
            // to be the next process.
            const bool isHot = !done && random() % 3 != 0;
            if (isHot && filled(Victim::journalIn(directory.path()).string() + "-wal")) ++resumed;
            const auto wrong = isHot ? inspection.runOnCopy() : inspection.run();
            INFO(wrong);
            REQUIRE(wrong.empty());
        }
        bodies += inspection.bodies();
        entries += inspection.entries();
    }
    std::printf(
        "%d deaths, %d resumed with their log, %d workloads, %zu bodies called, %zu entries\n",
        deaths, resumed, workloads, bodies, entries);
}
