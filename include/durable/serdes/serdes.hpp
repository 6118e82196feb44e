// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/exception.hpp>
#include <durable/serdes/json_serdes.hpp>
#include <durable/serdes/payload.hpp>

#include <fmt/core.h>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <typeinfo>
#include <utility>

namespace durable::inline v0 {

/// Where a value belongs that is being written or read.
struct SerdesContext {
    std::string_view executionName{};
    std::string_view operationId{};  ///< position in the execution, such as "1-4"
};

/// How the values of one type become text and back. Replaces JSON where a config takes one.
///
/// What `serialize` returns must be UTF-8 text. `deserialize` gets exactly that text. Both are
/// called on the first run too: the handler gets what was read back.
///
/// Thread-safety: called from several threads at once if several executions use it.
template <class T>
struct Serdes {
    using value_type = T;

    std::function<std::string(const T&, const SerdesContext&)> serialize;
    std::function<T(const std::string&, const SerdesContext&)> deserialize;
};

/// A `Serdes` of any type, or none. Lets configs be plain structs; that the type fits is checked
/// when the operation is called.
class AnySerdes {
public:
    AnySerdes() = default;

    template <class T>
    AnySerdes(Serdes<T> serdes)  // NOLINT(google-explicit-constructor): reads as assignment
        : type_{typeid(T)}, serdes_{std::make_shared<const Serdes<T>>(std::move(serdes))} {}

    [[nodiscard]] explicit operator bool() const noexcept { return serdes_ != nullptr; }

    /// The serdes for values of type `T`, or null if there is none.
    /// \throws InvalidConfig if there is one, but for another type.
    template <class T>
    [[nodiscard]] const Serdes<T>* get() const {
        if (!serdes_) return nullptr;
        if (type_ != std::type_index{typeid(T)}) {
            throw InvalidConfig{fmt::format("serdes must be one of {}, got one of {}",
                                            typeName(typeid(T).name()), typeName(type_.name()))};
        }
        return static_cast<const Serdes<T>*>(serdes_.get());
    }

private:
    std::type_index type_{typeid(void)};
    std::shared_ptr<const void> serdes_;
};

/// What writes and reads the values of one operation: its serdes if it has one, else JSON.
template <class T>
class Codec {
public:
    explicit Codec(const AnySerdes& serdes) : serdes_{serdes} { (void)serdes_.get<T>(); }

    /// Whether the text is JSON, and so may stand inside other JSON.
    [[nodiscard]] bool writesJson() const noexcept { return !serdes_; }

    /// \throws SerdesError
    [[nodiscard]] Payload encode(const T& value, const SerdesContext& context) const {
        const auto* serdes = serdes_.get<T>();
        if (serdes == nullptr) return toJsonText(value);
        return guarded([&] { return serdes->serialize(value, context); });
    }

    /// \throws SerdesError
    [[nodiscard]] T decode(const Payload& payload, const SerdesContext& context) const {
        if (!payload) throw SerdesError{"nothing was recorded, so there is no value to read"};
        const auto* serdes = serdes_.get<T>();
        if (serdes == nullptr) return fromJsonText<T>(*payload);
        return guarded([&] { return serdes->deserialize(*payload, context); });
    }

private:
    template <class Call>
    static auto guarded(Call call) {
        try {
            return call();
        } catch (const SerdesError&) {
            throw;
        } catch (const std::exception& error) {
            throw SerdesError{error.what()};
        } catch (...) {
            throw SerdesError{"Unknown error"};
        }
    }

    AnySerdes serdes_;
};

template <>
class Codec<void> {
public:
    explicit Codec(const AnySerdes& serdes) {
        if (serdes) throw InvalidConfig{"serdes must be empty for an operation without a result"};
    }

    [[nodiscard]] bool writesJson() const noexcept { return true; }
    void decode(const Payload&, const SerdesContext&) const {}
};

}  // namespace durable::inline v0
