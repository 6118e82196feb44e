// SPDX-License-Identifier: Apache-2.0
// The main of test programs, where the installed Catch2 brings none.
#include "main.hpp"

int main(int count, char** words) { return runTests(count, words); }
