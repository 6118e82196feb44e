// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Journals in one SQLite file. Link with `durable::sqlite`.

#include <durable/store/sqlite/sqlite_store.hpp>
