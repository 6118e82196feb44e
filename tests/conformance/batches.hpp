// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

/// What several requirements return of a batch: the members with these names.
template <class Batch>
nlohmann::json projection(const Batch& batch, std::initializer_list<std::string_view> names) {
    const nlohmann::json all{{"completionReason", toString(batch.completionReason())},
                             {"status", toString(batch.status())},
                             {"successCount", batch.successCount()},
                             {"failureCount", batch.failureCount()},
                             {"totalCount", batch.totalCount()}};
    auto chosen = nlohmann::json::object();
    for (const auto name : names) chosen[std::string{name}] = all.at(std::string{name});
    return chosen;
}
