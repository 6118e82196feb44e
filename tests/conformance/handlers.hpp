// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing.hpp>

/// \file
/// The handlers under test, a file per suite; each is registered under the number of its
/// requirement.

void registerStep(durable::testing::LocalRunner& runner);
void registerWait(durable::testing::LocalRunner& runner);
void registerChild(durable::testing::LocalRunner& runner);
void registerCallback(durable::testing::LocalRunner& runner);
void registerInvoke(durable::testing::LocalRunner& runner);
void registerWaitForCondition(durable::testing::LocalRunner& runner);
void registerWaitForCallback(durable::testing::LocalRunner& runner);
void registerParallel(durable::testing::LocalRunner& runner);
void registerMap(durable::testing::LocalRunner& runner);
void registerPlugin(durable::testing::LocalRunner& runner);
