// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace durable::inline v0 {

/// The name of a type as its author wrote it, with its namespace, from `type_info::name()`. Left
/// out are the library's own inline namespace, which is a version and no part of a name, and
/// unnamed namespaces.
[[nodiscard]] inline std::string typeName(const char* mangled) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled{
        abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free};
    std::string name = status == 0 ? demangled.get() : mangled;
    const auto drop = [&name](std::string_view part) {
        for (auto at = name.find(part); at != std::string::npos; at = name.find(part, at)) {
            name.erase(at, part.size());
        }
    };
    drop("(anonymous namespace)::");
    constexpr std::string_view version = "durable::v0::";
    for (auto at = name.find(version); at != std::string::npos; at = name.find(version)) {
        name.erase(at + 9, version.size() - 9);
    }
    return name;
}

}  // namespace durable::inline v0
