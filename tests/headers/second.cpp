// SPDX-License-Identifier: Apache-2.0
#include "umbrellas.hpp"

int versionSeenBySecond() { return DURABLE_VERSION_MINOR; }
