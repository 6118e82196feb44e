// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/journal/entry.hpp>
#include <durable/journal/names.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace durable::inline v0::detail {

/// Listens to a parser and makes entries of what it hears: a journal is read at every start, and a
/// document of each entry would take three times as long. Throws at what cannot be an entry;
/// passes over members that it does not know.
class EntryReader {
public:
    using Json = nlohmann::json;

    /// Adds to `entries`; after a failure the last of them are not to be used.
    explicit EntryReader(std::vector<Entry>& entries) : entries_{entries} {}

    // What the parser calls; returning false would end it, without a word.

    bool null() { return otherValue(); }

    bool boolean(bool value) {
        if (!isOf(Level::entry) || key_ != Key::replayChildren) return otherValue();
        entry().replayChildren = value;
        return true;
    }

    bool number_integer(Json::number_integer_t value) {
        if (!isOf(Level::entry) || !isTime(key_)) return otherValue();
        setTime(value);
        return true;
    }

    bool number_unsigned(Json::number_unsigned_t value) {
        if (!isOf(Level::entry)) return otherValue();
        if (isTime(key_)) {
            setTime(value > farthest ? farthest : static_cast<std::int64_t>(value));
        } else if (key_ == Key::delay || key_ == Key::heartbeatTimeout) {
            constexpr std::uint64_t longest = 10'000'000'000;  // three centuries
            if (value > longest) refuse();
            const std::chrono::seconds seconds{static_cast<std::int64_t>(value)};
            (key_ == Key::delay ? entry().delay : details().heartbeatTimeout) = seconds;
        } else if (key_ == Key::attempt) {
            if (value > std::numeric_limits<std::uint32_t>::max()) refuse();
            entry().attempt = static_cast<std::uint32_t>(value);
        } else {
            return otherValue();
        }
        return true;
    }

    bool number_float(Json::number_float_t, const std::string&) { return otherValue(); }

    bool binary(Json::binary_t&) { return otherValue(); }

    // Copied, for the parser's buffer is larger than the text, and used again.
    bool string(std::string_view text) {
        if (isOf(Level::entry)) {
            setText(text);
        } else if (isOf(Level::error)) {
            setErrorText(text);
        } else if (isOf(Level::stackTrace)) {
            errors_.back().stackTrace.emplace_back(text);
        } else {
            return otherValue();
        }
        return true;
    }

    bool key(std::string_view text) {
        if (ignored_ > 0) return true;
        if (level_ == Level::entry) key_ = keyOf(text, entryKeys);
        if (level_ == Level::error) key_ = keyOf(text, errorKeys);
        return true;
    }

    bool start_object(std::size_t) {
        if (isOf(Level::entries)) {
            level_ = Level::entry;
            entries_.emplace_back();
            hasKind_ = hasTime_ = false;
        } else if ((isOf(Level::entry) && key_ == Key::error) ||
                   (isOf(Level::error) && key_ == Key::cause)) {
            level_ = Level::error;
            errors_.emplace_back();
        } else {
            ignoreUnlessKnown();
        }
        return true;
    }

    bool end_object() {
        if (ignored_ > 0) {
            --ignored_;
        } else if (level_ == Level::entry) {
            if (!hasKind_ || !hasTime_)
                throw std::invalid_argument{"an entry without kind or time"};
            if (details_) entry().details = *std::exchange(details_, std::nullopt);
            level_ = Level::entries;
        } else {
            endError();
        }
        return true;
    }

    bool start_array(std::size_t) {
        if (isOf(Level::nothing)) {
            level_ = Level::entries;
        } else if (isOf(Level::error) && key_ == Key::stackTrace) {
            level_ = Level::stackTrace;
        } else {
            ignoreUnlessKnown();
        }
        return true;
    }

    bool end_array() {
        if (ignored_ > 0) {
            --ignored_;
        } else {
            level_ = level_ == Level::stackTrace ? Level::error : Level::nothing;
        }
        return true;
    }

    [[noreturn]] bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
        throw std::invalid_argument{error.what()};
    }

private:
    /// What the parser is in.
    enum class Level { nothing, entries, entry, error, stackTrace };

    enum class Key {
        unknown,
        // of an entry
        kind,
        time,
        start,
        requestId,
        type,
        subType,
        id,
        parent,
        name,
        callbackId,
        handler,
        tenant,
        attempt,
        replayChildren,
        delay,
        heartbeatTimeout,
        payload,
        error,
        // of an error
        errorType,
        errorMessage,
        errorData,
        stackTrace,
        cause,
    };

    using NamedKey = std::pair<std::string_view, Key>;

    static constexpr std::array<NamedKey, 18> entryKeys{{
        {"kind", Key::kind},
        {"time", Key::time},
        {"id", Key::id},
        {"type", Key::type},
        {"subType", Key::subType},
        {"name", Key::name},
        {"payload", Key::payload},
        {"parent", Key::parent},
        {"attempt", Key::attempt},
        {"delay", Key::delay},
        {"error", Key::error},
        {"start", Key::start},
        {"requestId", Key::requestId},
        {"callbackId", Key::callbackId},
        {"handler", Key::handler},
        {"tenant", Key::tenant},
        {"replayChildren", Key::replayChildren},
        {"heartbeatTimeout", Key::heartbeatTimeout},
    }};

    static constexpr std::array<NamedKey, 5> errorKeys{{
        {"ErrorType", Key::errorType},
        {"ErrorMessage", Key::errorMessage},
        {"ErrorData", Key::errorData},
        {"StackTrace", Key::stackTrace},
        {"Cause", Key::cause},
    }};

    static constexpr std::int64_t farthest = 253'402'300'800'000;  // the year 10000, in ms

    template <std::size_t count>
    [[nodiscard]] static Key keyOf(std::string_view text,
                                   const std::array<NamedKey, count>& candidates) {
        if (text.empty()) return Key::unknown;
        for (const auto& [name, key] : candidates) {
            if (name.front() == text.front() && name == text) return key;
        }
        return Key::unknown;
    }

    [[nodiscard]] Entry& entry() { return entries_.back(); }

    [[nodiscard]] EntryDetails& details() { return details_ ? *details_ : details_.emplace(); }

    [[nodiscard]] static bool isTime(Key key) { return key == Key::time || key == Key::start; }

    [[nodiscard]] bool isOf(Level level) const { return ignored_ == 0 && level_ == level; }

    [[nodiscard]] std::string_view nameOfKey() const {
        for (const auto& [name, key] : entryKeys) {
            if (key == key_) return name;
        }
        return "error";
    }

    [[noreturn]] void refuse() const {
        throw std::invalid_argument{"impossible " + std::string{nameOfKey()}};
    }

    /// A value that is none of an entry's: of a member that is not known, or damage.
    bool otherValue() const {
        if (ignored_ > 0) return true;
        if (level_ == Level::nothing || level_ == Level::entries) {
            throw std::invalid_argument{"not an array of entries"};
        }
        if (level_ == Level::stackTrace || key_ != Key::unknown) refuse();
        return true;
    }

    void ignoreUnlessKnown() {
        otherValue();
        ++ignored_;
    }

    void setTime(std::int64_t milliseconds) {
        if (milliseconds <= -farthest || milliseconds >= farthest) refuse();
        const TimePoint time{std::chrono::milliseconds{milliseconds}};
        if (key_ == Key::start) {
            details().invocationStart = time;
        } else {
            entry().time = time;
            hasTime_ = true;
        }
    }

    template <class Enum>
    [[nodiscard]] Enum named(std::string_view text) const {
        const auto value = fromWireName<Enum>(text);
        if (!value) {
            throw std::invalid_argument{"unknown " + std::string{nameOfKey()} + " \"" +
                                        std::string{text} + '"'};
        }
        return *value;
    }

    void setText(std::string_view text) {
        switch (key_) {
            case Key::kind:
                entry().kind = named<EntryKind>(text);
                hasKind_ = true;
                break;
            case Key::requestId: details().requestId = text; break;
            case Key::type: entry().type = named<OperationType>(text); break;
            case Key::subType: entry().subType = named<OperationSubType>(text); break;
            case Key::id: entry().operationId = text; break;
            case Key::parent: entry().parentId = text; break;
            case Key::name: entry().name = text; break;
            case Key::callbackId: details().callbackId = text; break;
            case Key::handler: details().handlerName = text; break;
            case Key::tenant: details().tenantId = text; break;
            case Key::payload: entry().payload = text; break;
            default: otherValue();
        }
    }

    void setErrorText(std::string_view text) {
        auto& error = errors_.back();
        switch (key_) {
            case Key::errorType: error.type = text; break;
            case Key::errorMessage: error.message = text; break;
            case Key::errorData: error.data = text; break;
            default: otherValue();
        }
    }

    void endError() {
        auto error = std::move(errors_.back());
        errors_.pop_back();
        if (errors_.empty()) {
            entry().error = std::move(error);
            level_ = Level::entry;
        } else {
            errors_.back().cause = std::make_shared<const ErrorObject>(std::move(error));
        }
    }

    std::vector<Entry>& entries_;
    std::optional<EntryDetails> details_;  ///< of the entry that is open
    std::vector<ErrorObject> errors_;  ///< those that are open, each the cause of the one before
    std::size_t ignored_{};            ///< open objects and arrays of members not known
    Level level_{Level::nothing};
    Key key_{Key::unknown};
    bool hasKind_{};
    bool hasTime_{};
};

}  // namespace durable::inline v0::detail
