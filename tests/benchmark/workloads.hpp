// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "measure.hpp"

#include <durable/durable.hpp>

#include <nlohmann/json.hpp>

#include <memory>

/// \file
/// The workloads: each does its work once and tells what it measured. See README.md.

namespace benchmark_support {

/// The store that the request names, in its directory. Default durability.
[[nodiscard]] std::shared_ptr<durable::Store> openStore(const Request& request);

/// What is the same in every report: entries, commits, syncs and memory.
[[nodiscard]] nlohmann::json reportOf(const durable::Engine& engine);

[[nodiscard]] nlohmann::json serialSteps(const Request& request);       ///< W1
[[nodiscard]] nlohmann::json mapOfSteps(const Request& request);        ///< W2
[[nodiscard]] nlohmann::json mapHalfDone(const Request& request);       ///< W2, resumed half-way
[[nodiscard]] nlohmann::json manyExecutions(const Request& request);    ///< W3
[[nodiscard]] nlohmann::json callbackWakeUp(const Request& request);    ///< W4
[[nodiscard]] nlohmann::json resumeAfterKill(const Request& request);   ///< W5
[[nodiscard]] nlohmann::json suspendedParked(const Request& request);   ///< W6
[[nodiscard]] nlohmann::json suspendedEvicted(const Request& request);  ///< W6
[[nodiscard]] nlohmann::json firstStep(const Request& request);         ///< W7
[[nodiscard]] nlohmann::json stepsInline(const Request& request);       ///< integers, no threads
[[nodiscard]] nlohmann::json objectsInline(const Request& request);     ///< objects, no threads
[[nodiscard]] nlohmann::json stepsBesideMap(const Request& request);    ///< latency under load

/// The processes that W2, W5 and W7 start: `file` is their journal.
void killMidMap(const Request& request);
void finishMap(const Request& request);
void killMidSteps(const Request& request);
void nextStep(const Request& request);
void oneStep(const Request& request);

}  // namespace benchmark_support
