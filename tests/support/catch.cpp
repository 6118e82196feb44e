// SPDX-License-Identifier: Apache-2.0
// Catch2 version 2, without its main: programs that have one of their own need the rest.
#define CATCH_CONFIG_RUNNER
#include "main.hpp"

#include <catch2/catch.hpp>

int runTests(int count, char** words) { return Catch::Session{}.run(count, words); }
