// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Everything but the optional parts: handlers, operations, the engine and the memory store.

#include <durable/context/durable_context.hpp>
#include <durable/engine/engine.hpp>
#include <durable/operation/all.hpp>
#include <durable/operation/all_settled.hpp>
#include <durable/operation/any.hpp>
#include <durable/operation/create_callback.hpp>
#include <durable/operation/invoke.hpp>
#include <durable/operation/map.hpp>
#include <durable/operation/parallel.hpp>
#include <durable/operation/race.hpp>
#include <durable/operation/run_in_child_context.hpp>
#include <durable/operation/step.hpp>
#include <durable/operation/wait.hpp>
#include <durable/operation/wait_for_callback.hpp>
#include <durable/operation/wait_for_condition.hpp>
#include <durable/operation/with_retry.hpp>
#include <durable/store/memory_store.hpp>
#include <durable/version.hpp>
