// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

/// \file
/// What every fuzz target needs. A target is one source that defines `fuzz`: what it lets escape,
/// and what it requires in vain, is a finding.

/// To be defined by the target. `bytes` may be anything.
void fuzz(std::string_view bytes);

/// Ends the process if `holds` is not true, so that the fuzzer keeps the input.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "REQUIRED IN VAIN: %s\n", what);
    std::abort();
}

/// Calls `action`, which may refuse its input with a `Refusal` and with nothing else.
/// \return whether it did not.
template <class Refusal = std::exception, class Action>
bool accepts(Action action) {
    try {
        action();
        return true;
    } catch (const Refusal&) {
        return false;
    }
}

/// Takes the first byte away; 0 if there is none.
inline unsigned char takeByte(std::string_view& bytes) {
    if (bytes.empty()) return 0;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    return byte;
}
