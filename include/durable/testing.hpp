// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What tests of workflows and of stores need. Part of no production program.

#include <durable/durable.hpp>
#include <durable/testing/manual_clock.hpp>
#include <durable/testing/store_contract.hpp>
