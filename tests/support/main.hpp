// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Runs the test cases that the command line asks for.
/// \return the exit code.
int runTests(int count, char** words);
