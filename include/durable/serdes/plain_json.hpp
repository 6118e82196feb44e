// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/serdes/json_text.hpp>
#include <durable/serdes/utf8.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace durable::inline v0::detail {

/// Reads the JSON that `entriesToJson` writes, four times as fast as `nlohmann::json::sax_parse`,
/// and tells a listener the same, in the same order. It knows only what is usual there: JSON
/// without spaces, fractions, `\u` and deep nesting. At anything else it gives up, and the real
/// parser is to read the whole text, or to say what is wrong with it.
template <class Listener>
class PlainJsonReader {
public:
    /// `text` must outlive the reader.
    PlainJsonReader(std::string_view text, Listener& listener) : rest_{text}, listener_{listener} {}

    /// False if it gave up; the listener may have heard a part then. Called once.
    [[nodiscard]] bool read() { return isUtf8(rest_) && readValue(0) && rest_.empty(); }

private:
    static constexpr int depthMax = 16;

    [[nodiscard]] bool readValue(int depth) {
        if (rest_.empty() || depth == depthMax) return false;
        switch (rest_.front()) {
            case '{': return readObject(depth);
            case '[': return readArray(depth);
            case '"': return readString() && listener_.string(text_);
            case 't': return take("true") && listener_.boolean(true);
            case 'f': return take("false") && listener_.boolean(false);
            case 'n': return take("null") && listener_.null();
            default: return readInteger();
        }
    }

    [[nodiscard]] bool readObject(int depth) {
        take('{');
        listener_.start_object(sizeUnknown);
        if (!take('}')) {
            do {
                if (!readString() || !take(':')) return false;
                listener_.key(text_);
                if (!readValue(depth + 1)) return false;
            } while (take(','));
            if (!take('}')) return false;
        }
        return listener_.end_object();
    }

    [[nodiscard]] bool readArray(int depth) {
        take('[');
        listener_.start_array(sizeUnknown);
        if (!take(']')) {
            do {
                if (!readValue(depth + 1)) return false;
            } while (take(','));
            if (!take(']')) return false;
        }
        return listener_.end_array();
    }

    /// Makes `text_` what the string says: a part of the document, unless it has escapes.
    [[nodiscard]] bool readString() {
        if (!take('"')) return false;
        auto length = lengthWithoutEscape(rest_);
        text_ = rest_.substr(0, length);
        rest_.remove_prefix(length);
        if (!take('"')) {
            unescaped_ = text_;
            while (!take('"')) {
                if (!readEscape()) return false;
                length = lengthWithoutEscape(rest_);
                unescaped_ += rest_.substr(0, length);
                rest_.remove_prefix(length);
            }
            text_ = unescaped_;
        }
        return true;
    }

    [[nodiscard]] bool readEscape() {
        if (rest_.size() < 2 || rest_.front() != '\\') return false;
        switch (rest_[1]) {
            case '"':
            case '\\': unescaped_ += rest_[1]; break;
            case 'n': unescaped_ += '\n'; break;
            case 'r': unescaped_ += '\r'; break;
            case 't': unescaped_ += '\t'; break;
            default: return false;
        }
        rest_.remove_prefix(2);
        return true;
    }

    /// What follows the digits is for the caller to judge, and never part of a number.
    [[nodiscard]] bool readInteger() {
        std::uint64_t value{};
        const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        const auto length = static_cast<std::size_t>(read.ptr - rest_.data());
        const bool leadingZero = length > 1 && rest_.front() == '0';
        if (read.ec != std::errc{} || leadingZero) return false;
        rest_.remove_prefix(length);
        return listener_.number_unsigned(value);
    }

    bool take(char expected) { return take(std::string_view{&expected, 1}); }

    bool take(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    static constexpr auto sizeUnknown = static_cast<std::size_t>(-1);

    std::string_view rest_;  ///< what has not been read
    Listener& listener_;
    std::string_view text_{};  ///< the last string
    std::string unescaped_{};
};

}  // namespace durable::inline v0::detail
