// SPDX-License-Identifier: Apache-2.0
// What libFuzzer calls.
#include <fuzz/fuzz_target.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz({reinterpret_cast<const char*>(data), size});
    return 0;
}
