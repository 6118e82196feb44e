// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/operation/map.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// One branch of a parallel: `Task<T>(DurableContext&)` with a name. Made by `branch`.
template <class Body>
struct Branch {
    std::string name{};
    Body body;
};

/// A named branch.
template <class Body>
[[nodiscard]] Branch<Body> branch(std::string_view name, Body body) {
    return {std::string{name}, std::move(body)};
}

namespace detail {

template <class T>
inline constexpr bool isBranch = false;
template <class Body>
inline constexpr bool isBranch<Branch<Body>> = true;

/// A branch as it is; a body as a branch without a name.
template <class T>
[[nodiscard]] auto asBranch(T value) {
    if constexpr (isBranch<T>) {
        return value;
    } else {
        return branch({}, std::move(value));
    }
}

template <class BranchType>
using BranchResult = ContextResult<decltype(std::declval<BranchType&>().body)>;

/// Calls `visit.operator()<I>()` for the `index` that is known at run time only.
template <class Result, std::size_t... Is, class Visit>
Result atIndex(std::size_t index, std::index_sequence<Is...>, Visit& visit) {
    using Call = Result (*)(Visit&);
    constexpr std::array<Call, sizeof...(Is)> calls{
        [](Visit& v) -> Result { return v.template operator()<Is>(); }...};
    return calls[index](visit);
}

[[nodiscard]] inline BatchPlan parallelPlan(std::string_view name, std::vector<std::string> names,
                                            const ParallelConfig& config) {
    (void)config.serdes.get<BatchRecord>();  // refuses a serdes of another type at the call
    const auto namer = [&](std::size_t i) { return names[i]; };
    return refusing(OperationSubType::parallel, name, [&] {
        return BatchPlan{.itemSubType = OperationSubType::parallelBranch,
                         .summaryType = "ParallelResult",
                         .names = itemNames(names.size(), "parallel-branch", namer),
                         .policy = CompletionPolicy{config.completionConfig, names.size()},
                         .executor = executorConfig(config),
                         .nesting = config.nesting,
                         .serdes = config.serdes,
                         .summaryGenerator = config.summaryGenerator};
    });
}

template <class... Branches>
Task<ParallelResult<BranchResult<Branches>...>> runParallel(
    OperationCall call, BatchPlan plan, std::tuple<Codec<BranchResult<Branches>>...> codecs,
    std::tuple<Branches...> branches) {
    using Result = ParallelResult<BranchResult<Branches>...>;
    constexpr std::index_sequence_for<Branches...> indices{};
    const ItemCode code = [&](DurableContext& context, std::size_t index) {
        auto visit = [&]<std::size_t I>() {
            using T = BranchResult<std::tuple_element_t<I, std::tuple<Branches...>>>;
            return encoded<T>(call, std::get<I>(codecs), std::get<I>(branches).body(context));
        };
        return atIndex<Task<Payload>>(index, indices, visit);
    };
    const auto record = co_await runBatch(call, plan, code);
    std::optional<Result> result;
    const bool readBack = call.orHalt("could not be read back", [&] {
        result.emplace(record, [&]<std::size_t I>(std::integral_constant<std::size_t, I>,
                                                  const BatchRecord::Item& item) {
            using T = BranchResult<std::tuple_element_t<I, std::tuple<Branches...>>>;
            const auto id = call.id();
            if constexpr (std::is_void_v<T>) {
                return std::monostate{};
            } else {
                return std::get<I>(codecs).decode(item.payload, call.serdesContext(id));
            }
        });
    });
    if (!readBack) co_await Never{};
    co_return std::move(*result);
}

/// The serdes of a branch's result: `itemSerdes` where it fits its type.
template <class T>
[[nodiscard]] Codec<T> branchCodec(const AnySerdes& itemSerdes) {
    return Codec<T>{itemSerdes};
}

template <class... Branches>
auto startParallel(DurableContext& context, std::string_view name, const ParallelConfig& config,
                   std::tuple<Branches...> branches) {
    auto names = std::apply(
        [](const auto&... each) { return std::vector<std::string>{each.name...}; }, branches);
    auto plan = parallelPlan(name, std::move(names), config);
    std::tuple<Codec<BranchResult<Branches>>...> codecs{
        branchCodec<BranchResult<Branches>>(config.itemSerdes)...};
    plan.writesJson = [isJson = !config.itemSerdes](std::size_t) { return isJson; };
    return runParallel<Branches...>(
        context.nextCall(OperationType::context, OperationSubType::parallel, name), std::move(plan),
        std::move(codecs), std::move(branches));
}

/// Splits the arguments of a parallel into its branches and, if the last one is one, its config.
template <class... Args, std::size_t... Is>
auto splitParallel(DurableContext& context, std::string_view name, std::tuple<Args...> args,
                   std::index_sequence<Is...>) {
    constexpr bool hasConfig = sizeof...(Is) < sizeof...(Args);
    auto branches = std::tuple{asBranch(std::get<Is>(std::move(args)))...};
    if constexpr (hasConfig) {
        return startParallel(context, name, std::get<sizeof...(Is)>(args), std::move(branches));
    } else {
        return startParallel(context, name, ParallelConfig{}, std::move(branches));
    }
}

template <class... Args>
[[nodiscard]] constexpr std::size_t branchCount() {
    using Last = std::tuple_element_t<sizeof...(Args) - 1, std::tuple<Args...>>;
    return sizeof...(Args) - (std::is_same_v<Last, ParallelConfig> ? 1 : 0);
}

}  // namespace detail

template <class... Branches>
auto DurableContext::parallel(std::string_view name, Branches... branches) {
    static_assert(sizeof...(Branches) > 0 && detail::branchCount<Branches...>() > 0,
                  "A parallel of typed branches needs at least one; for none, pass an empty "
                  "std::vector of branches.");
    return detail::splitParallel(*this, name, std::tuple<Branches...>{std::move(branches)...},
                                 std::make_index_sequence<detail::branchCount<Branches...>()>{});
}

template <class First, class... Branches>
    requires(!std::convertible_to<First, std::string_view>)
auto DurableContext::parallel(First first, Branches... branches) {
    return parallel(std::string_view{}, std::move(first), std::move(branches)...);
}

template <class Body>
auto DurableContext::parallel(std::string_view name, std::vector<Branch<Body>> branches,
                              ParallelConfig config) {
    using Result = detail::ContextResult<Body>;
    std::vector<std::string> names;
    for (const auto& each : branches) names.push_back(each.name);
    auto plan = detail::parallelPlan(name, std::move(names), config);
    const Codec<Result> codec{config.itemSerdes};
    plan.writesJson = [isJson = codec.writesJson()](std::size_t) { return isJson; };
    auto call = [](DurableContext& context, const Branch<Body>& each) {
        return const_cast<Body&>(each.body)(context);  // bodies may be mutable, as anywhere else
    };
    return detail::runMap<Result, Branch<Body>>(
        nextCall(OperationType::context, OperationSubType::parallel, name), std::move(plan), codec,
        std::move(branches), std::move(call));
}

template <class Body>
auto DurableContext::parallel(std::vector<Branch<Body>> branches, ParallelConfig config) {
    return parallel(std::string_view{}, std::move(branches), std::move(config));
}

}  // namespace durable::inline v0
