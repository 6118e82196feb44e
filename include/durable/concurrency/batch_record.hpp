// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/boxed.hpp>
#include <durable/base/error_object.hpp>
#include <durable/policy/completion_policy.hpp>
#include <durable/serdes/payload.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace durable::inline v0 {

/// How a batch ended, with its results still as text: what is recorded, and what a `BatchResult`
/// is read from, on the first run and on replay alike.
struct BatchRecord {
    struct Item {
        std::size_t index{};  ///< position in the input
        std::string name{};
        BatchItemStatus status{BatchItemStatus::started};
        Payload payload{};
        Boxed<ErrorObject> error{};
    };

    [[nodiscard]] std::size_t count(BatchItemStatus status) const {
        return static_cast<std::size_t>(std::ranges::count(items, status, &Item::status));
    }

    CompletionReason reason{CompletionReason::allCompleted};
    std::size_t inputCount{};   ///< items of the input, started or not
    std::vector<Item> items{};  ///< started ones, in the order of the input
};

}  // namespace durable::inline v0
