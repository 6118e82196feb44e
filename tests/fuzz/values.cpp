// SPDX-License-Identifier: Apache-2.0
// Values, errors and times from text: JSON of the common types, UTF-8, the times of columns.
#include <durable/serdes/json_serdes.hpp>
#include <durable/serdes/json_text.hpp>
#include <durable/serdes/parse_json.hpp>
#include <durable/store/sqlite/iso_time.hpp>

#include <fuzz/fuzz_target.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace durable;

namespace {

template <class T>
void readAs(const std::string& text) {
    std::optional<T> value;
    if (!accepts<SerdesError>([&] { value = fromJsonText<T>(text); })) return;
    std::string written;
    require(accepts([&] { written = toJsonText(*value); }), "what was read can be written");
    require(accepts([&] { require(toJsonText(fromJsonText<T>(written)) == written, "the same"); }),
            "what is written can be read");
}

void readError(std::string_view bytes) {
    ErrorObject error;
    if (!accepts([&] { error = errorFromJson(parseJson(bytes)); })) return;
    std::string text;
    appendJson(text, error);
    std::string again;
    require(accepts([&] { appendJson(again, errorFromJson(parseJson(text))); }),
            "the text of an error can be read");
    require(again == text, "an error comes out of its own text");
}

void repairText(std::string_view bytes) {
    const auto valid = withValidUtf8(bytes);
    require(isUtf8(valid), "what is repaired is UTF-8");
    require(!isUtf8(bytes) || valid == bytes, "UTF-8 is left as it is");
    std::string json;
    appendJsonString(json, bytes);
    std::string read;
    require(accepts([&] { read = nlohmann::json::parse(json).get<std::string>(); }),
            "any text becomes JSON");
    require(read == valid, "a text comes out of its JSON");
}

}  // namespace

void fuzz(std::string_view bytes) {
    const std::string text{bytes};
    readAs<bool>(text);
    readAs<int>(text);
    readAs<std::int8_t>(text);
    readAs<std::uint64_t>(text);
    readAs<double>(text);
    readAs<std::string>(text);
    readAs<std::vector<bool>>(text);
    readAs<std::vector<int>>(text);
    readAs<std::map<std::string, std::vector<std::int8_t>>>(text);
    readAs<std::map<std::int16_t, unsigned>>(text);
    readAs<std::tuple<std::int64_t, std::set<std::uint64_t>>>(text);
    readAs<std::array<std::pair<char, double>, 1>>(text);
    readAs<std::map<std::string, std::vector<std::string>>>(text);
    readAs<std::pair<std::string, std::string>>(text);
    readAs<nlohmann::json>(text);
    readError(bytes);
    repairText(bytes);
    if (const auto time = sqlite::timeFromIso(bytes)) {
        const auto written = sqlite::isoTime(*time);
        require(sqlite::timeFromIso(written) == time, "a time comes out of its own text");
    }
}
