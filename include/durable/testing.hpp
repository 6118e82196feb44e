// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What tests of workflows and of stores need. Part of no production program.
///
/// - tests of a workflow: `testing::LocalRunner`, and what it gives: `TestExecution`,
///   `TestOperation`
/// - a workflow whose process dies at any moment: `testing::crashSweep`
/// - a history that is kept with the tests: `TestExecution::requireGoldenHistory`,
///   `goldenDifference`
/// - histories to look at: `TestExecution::printHistory`, `printOperations`, `historyToJson`
/// - tests of an engine of one's own: `testing::ManualClock`
/// - tests of a store of one's own: `testing::storeContract`

#include <durable/durable.hpp>
#include <durable/journal/history_json.hpp>
#include <durable/testing/crash_sweep.hpp>
#include <durable/testing/local_runner.hpp>
#include <durable/testing/manual_clock.hpp>
#include <durable/testing/store_contract.hpp>
