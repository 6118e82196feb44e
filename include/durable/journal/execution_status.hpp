// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

namespace durable::inline v0 {

enum class ExecutionStatus { running, succeeded, failed, timedOut, stopped };

}  // namespace durable::inline v0
