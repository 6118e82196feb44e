// SPDX-License-Identifier: Apache-2.0
// Gives a precompiled header a target to be built in.
