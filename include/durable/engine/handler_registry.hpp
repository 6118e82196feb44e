// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/context/durable_context.hpp>
#include <durable/serdes/json_serdes.hpp>
#include <durable/serdes/payload.hpp>
#include <durable/serdes/utf8.hpp>

#include <fmt/core.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace durable::inline v0 {

/// A handler with its types taken away: text in, text out.
using Handler = std::function<Task<Payload>(DurableContext&, Payload input)>;

namespace detail {

template <class Function>
struct HandlerShape;
template <class Out, class In>
struct HandlerShape<Task<Out>(DurableContext&, In)> {
    using Input = std::remove_cvref_t<In>;
    using Output = Out;
};
template <class Out>
struct HandlerShape<Task<Out>(DurableContext&)> {
    using Input = void;
    using Output = Out;
};
template <class Result, class... Args>
struct HandlerShape<Result (*)(Args...)> : HandlerShape<Result(Args...)> {};
template <class Class, class Result, class... Args>
struct HandlerShape<Result (Class::*)(Args...)> : HandlerShape<Result(Args...)> {};
template <class Class, class Result, class... Args>
struct HandlerShape<Result (Class::*)(Args...) const> : HandlerShape<Result(Args...)> {};

template <class Function>
    requires requires { &Function::operator(); }
struct HandlerShape<Function> : HandlerShape<decltype(&Function::operator())> {};

/// The input of a handler; of one that takes none, nothing.
template <class Input>
[[nodiscard]] auto readInput([[maybe_unused]] const Payload& input) {
    if constexpr (std::is_void_v<Input>) {
        return std::monostate{};
    } else {
        return fromJsonText<Input>(input.value_or("null"));
    }
}

/// Reads the input, runs the handler, writes the result. The input lives as long as the handler.
template <class Function>
Task<Payload> runHandler(Function& function, DurableContext& context, Payload input) {
    using Shape = HandlerShape<Function>;
    [[maybe_unused]] auto value = readInput<typename Shape::Input>(input);
    const auto call = [&] {
        if constexpr (std::is_void_v<typename Shape::Input>) {
            return function(context);
        } else {
            return function(context, std::move(value));
        }
    };
    if constexpr (std::is_void_v<typename Shape::Output>) {
        co_await call();
        co_return Payload{};
    } else {
        const typename Shape::Output result = co_await call();
        co_return toJsonText(result);
    }
}

}  // namespace detail

/// The handlers of an engine, by name.
///
/// Thread-safety: all members. A handler that was found stays valid: none is ever removed.
class HandlerRegistry {
public:
    /// \throws InvalidConfig if there is one of that name, or it is no name.
    void add(std::string name, Handler handler) {
        const std::scoped_lock lock{mutex_};
        if (name.empty()) throw InvalidConfig{"a handler must have a name"};
        if (!isUtf8(name)) throw InvalidConfig{"the name of a handler must be UTF-8"};
        const auto [place, added] =
            handlers_.emplace(name, std::make_unique<const Handler>(std::move(handler)));
        if (!added) throw InvalidConfig{fmt::format("handler \"{}\" is already registered", name)};
    }

    /// The handler of that name, or null.
    [[nodiscard]] const Handler* find(std::string_view name) const {
        const std::scoped_lock lock{mutex_};
        const auto found = handlers_.find(name);
        return found == handlers_.end() ? nullptr : found->second.get();
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::unique_ptr<const Handler>, std::less<>> handlers_;
};

}  // namespace durable::inline v0
