// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/store_contract_entries.hpp>
#include <durable/testing/store_contract_executions.hpp>
#include <durable/testing/store_contract_random.hpp>
#include <durable/testing/store_contract_support.hpp>

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

/// \file
/// What every store must do, as checks for any test framework:
///
///     for (const auto& check : durable::testing::storeContract()) check.run(reopen);

namespace durable::inline v0::testing {

struct StoreCheck {
    std::string name{};  ///< a sentence that is true of every store

    /// \throws std::runtime_error saying what was expected and what was found.
    std::function<void(const Reopen& reopen)> run{};
};

/// The checks that every store passes.
///
/// \param seed of the random sequences. A failure tells it; give it here to see the failure again.
[[nodiscard]] inline std::vector<StoreCheck> storeContract(
    std::uint64_t seed = std::random_device{}()) {
    using namespace detail;
    return {
        {"an empty store knows no execution", checkEmpty},
        {"an execution is found by its number and by its name", checkStart},
        {"what is absent stays apart from what is empty", checkAbsentAndEmpty},
        {"handlers have names of their own for their executions", checkHandlers},
        {"entries keep all their fields", checkEntryFields},
        {"entries come back in the order they were appended, each with its execution", checkOrder},
        {"what a visitor throws goes on to the caller, and the store with its work",
         checkVisitorThatThrows},
        {"an execution's end is kept", checkEnds},
        {"an execution may start and end in one commit", checkOneCommit},
        {"entries are accepted after the end", checkAfterEnd},
        {"the last suspension is kept", checkSuspension},
        {"a commit that cannot follow what is there is refused with its whole group",
         checkRefusals},
        {"the end of an invoked execution is unacknowledged until its invoker recorded it",
         checkAcknowledging},
        {"lists are in the order of numbers, filtered and in pages", checkList},
        {"what one thread appends, others see whole or not at all", checkThreads},
        {"large payloads and long journals come back whole", checkLarge},
        {"random sequences of commits give what the memory store gives",
         [seed](const Reopen& reopen) { compareAtRandom(reopen, seed); }},
    };
}

}  // namespace durable::inline v0::testing
