// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/concurrency/batch_record.hpp>
#include <durable/concurrency/batch_result.hpp>
#include <durable/serdes/json_integers.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/serdes/parse_json.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

/// \file
/// The two forms in which the end of a batch is recorded, both as the AWS SDKs write them: whole,
/// and as a summary where the whole is too large and the items' own records give it again.

namespace durable::inline v0 {

namespace detail {

template <class Enum, std::size_t count>
[[nodiscard]] Enum enumOf(const std::string& name, const std::array<Enum, count>& values) {
    for (const auto value : values) {
        if (toString(value) == name) return value;
    }
    throw std::invalid_argument{"unknown name in a batch result: " + name};
}

[[nodiscard]] inline CompletionReason reasonOf(const std::string& name) {
    using enum CompletionReason;
    return enumOf(name, std::array{allCompleted, minSuccessfulReached, failureToleranceExceeded,
                                   customCompletionSucceeded, customCompletionFailed});
}

[[nodiscard]] inline BatchItemStatus itemStatusOf(const std::string& name) {
    using enum BatchItemStatus;
    return enumOf(name, std::array{succeeded, failed, started});
}

template <class Json>
[[nodiscard]] std::size_t countOf(const Json& json) {
    if (!json.is_number_unsigned()) throw std::invalid_argument{"impossible count in a batch"};
    return json.template get<std::size_t>();
}

}  // namespace detail

/// Tells of the item at a position whether its payload is JSON, which then stands in the text as
/// it is; other payloads stand there as strings.
using WritesJson = std::function<bool(std::size_t index)>;

/// The batch as one JSON text.
[[nodiscard]] inline std::string toJsonText(const BatchRecord& record,
                                            const WritesJson& writesJson) {
    std::string json = "{\"all\":[";
    for (const auto& item : record.items) {
        if (json.back() != '[') json += ',';
        json += '{';
        if (item.payload) {
            appendJsonKey(json, "result");
            if (writesJson(item.index)) {
                json += *item.payload;
            } else {
                appendJsonString(json, *item.payload);
            }
        }
        if (item.error) {
            appendJsonKey(json, "error");
            appendJson(json, *item.error);
        }
        appendJsonKey(json, "index");
        json += std::to_string(item.index);
        appendJsonMember(json, "name", item.name);
        appendJsonMember(json, "status", toString(item.status));
        json += '}';
    }
    json += "],\"completionReason\":\"";
    json += toString(record.reason);
    json += "\",\"inputCount\":";
    json += std::to_string(record.inputCount);
    json += '}';
    return json;
}

/// \throws std::exception if `text` is not what `toJsonText` writes.
[[nodiscard]] inline BatchRecord batchFromJson(const std::string& text,
                                               const WritesJson& writesJson) {
    // Ordered, so that a value comes out with its members as its author wrote them.
    const auto json = parseJson<nlohmann::ordered_json>(text);
    BatchRecord record;
    record.reason = detail::reasonOf(json.at("completionReason"));
    record.inputCount = detail::countOf(json.at("inputCount"));
    if (!json.at("all").is_array()) throw std::invalid_argument{"the items of a batch: no array"};
    for (const auto& element : json.at("all")) {
        BatchRecord::Item item;
        item.index = detail::countOf(element.at("index"));
        const bool rises = record.items.empty() || item.index > record.items.back().index;
        if (!rises || item.index >= record.inputCount) {
            throw std::invalid_argument{"impossible index in a batch result"};
        }
        item.name = element.value("name", "");
        item.status = detail::itemStatusOf(element.at("status"));
        if (const auto result = element.find("result"); result != element.end()) {
            item.payload = writesJson(item.index) ? result->dump() : result->get<std::string>();
        }
        if (const auto error = element.find("error"); error != element.end()) {
            item.error = errorFromJson(*error);
        }
        record.items.push_back(std::move(item));
    }
    return record;
}

/// The batch without its results: what happened to which item, and why it stopped.
///
/// `itemStatuses` has a character for each position of the input: S succeeded, F failed, T in
/// flight, - never started.
[[nodiscard]] inline std::string toSummaryText(const BatchRecord& record, std::string_view type,
                                               const std::string& custom) {
    std::string statuses(record.inputCount, '-');
    for (const auto& item : record.items) {
        statuses[item.index] = item.status == BatchItemStatus::succeeded ? 'S'
                               : item.status == BatchItemStatus::failed  ? 'F'
                                                                         : 'T';
    }
    const auto failures = record.count(BatchItemStatus::failed);
    const auto status = detail::batchStatus(record.reason, failures > 0);
    nlohmann::ordered_json json{
        {"type", type},
        {"totalCount", record.items.size()},
        {"successCount", record.count(BatchItemStatus::succeeded)},
        {"failureCount", failures},
        {"startedCount", record.count(BatchItemStatus::started)},
        {"completionReason", toString(record.reason)},
        {"status", status == BatchStatus::Completed ? "SUCCEEDED" : "FAILED"},
        {"itemStatuses", statuses},
    };
    if (!custom.empty()) json["summary"] = custom;
    return json.dump();
}

/// The record that `toSummaryText` was made of, without names, payloads and errors.
/// \throws std::exception if `text` is not a summary.
[[nodiscard]] inline BatchRecord batchFromSummary(const std::string& text) {
    const auto json = parseJson(text);
    const auto statuses = json.at("itemStatuses").get<std::string>();
    BatchRecord record;
    record.reason = detail::reasonOf(json.at("completionReason"));
    record.inputCount = statuses.size();
    for (std::size_t index = 0; index < statuses.size(); ++index) {
        const char status = statuses[index];
        if (status == '-') continue;
        if (status != 'S' && status != 'F' && status != 'T') {
            throw std::invalid_argument{"unknown item status in a batch summary"};
        }
        BatchRecord::Item item;
        item.index = index;
        item.status = status == 'S'   ? BatchItemStatus::succeeded
                      : status == 'F' ? BatchItemStatus::failed
                                      : BatchItemStatus::started;
        record.items.push_back(std::move(item));
    }
    return record;
}

}  // namespace durable::inline v0

/// A batch result as a value of its own, such as the result of an item that is a batch.
template <class T>
struct nlohmann::adl_serializer<durable::BatchResult<T>> {
    template <class Json>
    static void to_json(Json& json, const durable::BatchResult<T>& result) {
        durable::BatchRecord record{
            .reason = result.completionReason(), .inputCount = result.inputCount(), .items = {}};
        for (const auto& item : result.all()) {
            durable::BatchRecord::Item recorded{.index = item.index,
                                                .name = item.name,
                                                .status = item.status,
                                                .payload = {},
                                                .error = {}};
            if constexpr (!std::is_void_v<T>) {
                if (item.result) recorded.payload = Json(*item.result).dump();
            }
            if (item.error) recorded.error = item.error->error();
            record.items.push_back(std::move(recorded));
        }
        json =
            durable::parseJson<Json>(durable::toJsonText(record, [](std::size_t) { return true; }));
    }

    template <class Json>
    static void from_json(const Json& json, durable::BatchResult<T>& result) {
        const auto record = durable::batchFromJson(json.dump(), [](std::size_t) { return true; });
        result =
            durable::BatchResult<T>{record, [](const durable::BatchRecord::Item& item) {
                                        if constexpr (!std::is_void_v<T>) {
                                            return durable::detail::valueOf<T>(
                                                durable::parseJson<Json>(item.payload.value()));
                                        }
                                    }};
    }
};
