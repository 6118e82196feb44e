// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The library's version, and the compilers it refuses. Every header includes this one first or
/// through another, so the refusal is the first message a reader sees.

#define DURABLE_VERSION_MAJOR 0
#define DURABLE_VERSION_MINOR 1
#define DURABLE_VERSION_PATCH 0

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#error \
    "durable needs GCC 13 or newer, or Clang: GCC before 13 destroys temporaries twice inside co_await expressions, which corrupts memory silently. See README.md, Supported compilers."
#endif
