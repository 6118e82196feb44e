// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/plugin/plugin.hpp>

#include <memory>
#include <ostream>
#include <vector>

/// The plugins under test. Each watches the handler of one requirement and writes lines to `log`.
std::vector<std::shared_ptr<durable::Plugin>> pluginsUnderTest(std::ostream& log);
