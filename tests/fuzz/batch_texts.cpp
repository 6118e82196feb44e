// SPDX-License-Identifier: Apache-2.0
// The recorded end of a batch, whole and as a summary.
#include <durable/concurrency/batch_json.hpp>
#include <durable/serdes/json_serdes.hpp>

#include <fuzz/fuzz_target.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace durable;

namespace {

void readWhole(const std::string& text, const WritesJson& writesJson) {
    BatchRecord record;
    if (!accepts([&] { record = batchFromJson(text, writesJson); })) return;
    const auto written = toJsonText(record, writesJson);
    BatchRecord again;
    require(accepts([&] { again = batchFromJson(written, writesJson); }),
            "what is written can be read");
    require(toJsonText(again, writesJson) == written, "what is read is what was written");
    if (record.inputCount < 100'000) (void)toSummaryText(record, "MapResult", "");
}

void readSummary(const std::string& text) {
    BatchRecord record;
    if (!accepts([&] { record = batchFromSummary(text); })) return;
    const auto written = toSummaryText(record, "MapResult", "");
    require(toSummaryText(batchFromSummary(written), "MapResult", "") == written,
            "what is read is what was written");
}

/// A result of a batch that is the value of something else.
void readValue(const std::string& text) {
    (void)accepts<SerdesError>([&] {
        const auto result = fromJsonText<BatchResult<std::vector<std::string>>>(text);
        (void)result.status();
        (void)result.notStarted();
        (void)result.succeeded();
        for (const auto& item : result.failed()) (void)item.error->what();
        (void)toJsonText(result);
    });
    (void)accepts<SerdesError>([&] { (void)fromJsonText<BatchResult<void>>(text); });
}

}  // namespace

void fuzz(std::string_view bytes) {
    const std::string text{bytes};
    readWhole(text, [](std::size_t) { return true; });
    readWhole(text, [](std::size_t) { return false; });
    readSummary(text);
    readValue(text);
}
