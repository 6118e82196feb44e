// SPDX-License-Identifier: Apache-2.0
// The program of both consumers. It prints "durable 0.1.0".
#include <durable/version.hpp>

#include <cstdio>

int main() {
    std::printf("durable %d.%d.%d\n", DURABLE_VERSION_MAJOR, DURABLE_VERSION_MINOR,
                DURABLE_VERSION_PATCH);
}
