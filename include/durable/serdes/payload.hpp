// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <optional>
#include <string>

namespace durable::inline v0 {

/// A value as text, as the journal keeps it. Absent for `void`, which is not the same as empty.
using Payload = std::optional<std::string>;

}  // namespace durable::inline v0
