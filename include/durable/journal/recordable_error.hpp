// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/serdes/utf8.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// The error as it can be written and read back: in valid UTF-8, without causes further down than
/// are recorded.
[[nodiscard]] inline ErrorObject recordable(const ErrorObject& error) {
    std::vector<const ErrorObject*> chain;  // the error, its cause, the cause of that ...
    for (const auto* at = &error; at != nullptr && chain.size() <= errorCausesMax;
         at = at->cause.get()) {
        chain.push_back(at);
    }
    std::shared_ptr<const ErrorObject> cause;
    for (auto at = chain.rbegin();; ++at) {
        ErrorObject valid{.type = (*at)->type,
                          .message = (*at)->message,
                          .data = (*at)->data,
                          .stackTrace = (*at)->stackTrace,
                          .cause = std::move(cause)};
        for (auto* text : {&valid.type, &valid.message, &valid.data}) {
            if (*text && !isUtf8(**text)) **text = withValidUtf8(**text);
        }
        for (auto& line : valid.stackTrace) {
            if (!isUtf8(line)) line = withValidUtf8(line);
        }
        if (*at == &error) return valid;
        cause = std::make_shared<const ErrorObject>(std::move(valid));
    }
}

/// What is recorded of `exception`, as it is read back: who gets it on the first run gets the same
/// on every replay.
[[nodiscard]] inline ErrorObject recordableErrorOf(const std::exception_ptr& exception) {
    return recordable(errorObjectOf(exception));
}

}  // namespace durable::inline v0
