// SPDX-License-Identifier: Apache-2.0
#include "umbrellas.hpp"

int versionSeenBySecond();

int main() { return versionSeenBySecond() == DURABLE_VERSION_MINOR ? 0 : 1; }
