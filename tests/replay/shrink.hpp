// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <replay/random_program.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace program {

/// The block that holds the node number `number` in the order of `forEachNode`, and its place.
struct Place {
    Block* block{};
    std::size_t index{};

    [[nodiscard]] Node& node() const { return (*block)[index]; }
};

namespace detail {

inline bool find(Block& block, std::size_t& number, Place& place) {
    for (std::size_t i = 0; i < block.size(); ++i) {
        if (number-- == 0) {
            place = {&block, i};
            return true;
        }
        for (auto& inner : block[i].blocks) {
            if (find(inner, number, place)) return true;
        }
    }
    return false;
}

}  // namespace detail

[[nodiscard]] inline Place placeOf(Program& program, std::size_t number) {
    Place place;
    detail::find(program.block, number, place);
    return place;
}

/// Makes one node simpler, or leaves it as it is: then false.
using Simplification = std::function<bool(const Place&)>;

/// Sets a member to what a plain node has.
template <class T>
[[nodiscard]] Simplification plain(T Node::* member, T value = {}) {
    return [member, value](const Place& place) {
        return std::exchange(place.node().*member, value) != value;
    };
}

/// Large cuts first.
[[nodiscard]] inline std::vector<Simplification> simplifications() {
    std::vector<Simplification> all;
    all.emplace_back([](const Place& place) {
        place.block->erase(place.block->begin() + static_cast<std::ptrdiff_t>(place.index));
        return true;
    });
    for (std::size_t b = 0; b < 4; ++b) {
        all.emplace_back([b](const Place& place) {  // a block of it in its place
            if (b >= place.node().blocks.size()) return false;
            const Block inner = place.node().blocks[b];
            const auto at = place.block->begin() + static_cast<std::ptrdiff_t>(place.index);
            place.block->insert(place.block->erase(at), inner.begin(), inner.end());
            return true;
        });
        all.emplace_back([b](const Place& place) {  // one item less
            auto& node = place.node();
            if (node.verb == Verb::typed || !isBatch(node) || b >= node.blocks.size()) return false;
            node.blocks.erase(node.blocks.begin() + static_cast<std::ptrdiff_t>(b));
            if (auto& least = node.policy.minSuccessful) {
                least = std::clamp(*least, std::size_t{1},
                                   std::max(node.blocks.size(), std::size_t{1}));
            }
            return true;
        });
    }
    all.emplace_back([](const Place& place) {
        auto& policy = place.node().policy;
        const bool any = policy.predicate != Predicate::none || policy.minSuccessful ||
                         policy.toleratedFailureCount || policy.toleratedFailurePercentage;
        policy = {};
        return any;
    });
    all.emplace_back([](const Place& place) {
        return std::exchange(place.node().policy.minSuccessful, std::nullopt).has_value();
    });
    all.emplace_back([](const Place& place) {
        return std::exchange(place.node().policy.toleratedFailureCount, std::nullopt).has_value();
    });
    all.emplace_back([](const Place& place) {
        return std::exchange(place.node().policy.toleratedFailurePercentage, std::nullopt)
            .has_value();
    });
    all.push_back(plain(&Node::verb, Verb::step));
    all.push_back(plain(&Node::failures));
    all.push_back(plain<std::uint32_t>(&Node::attempts, 1));
    all.push_back(plain(&Node::padding));
    all.push_back(plain(&Node::fault));
    all.push_back(plain(&Node::atMostOnce));
    all.push_back(plain(&Node::failing));
    all.push_back(plain(&Node::end));
    all.push_back(plain(&Node::isVirtual));
    all.push_back(plain(&Node::maxConcurrency));
    all.push_back(plain(&Node::ownSerdes));
    all.push_back(plain(&Node::ownBatchSerdes));
    all.push_back(plain(&Node::summary));
    all.push_back(plain(&Node::caught, true));
    return all;
}

/// The smallest program that is found by taking parts out of `failing` as long as it `fails`.
[[nodiscard]] inline Program shrink(Program failing,
                                    const std::function<bool(const Program&)>& fails) {
    const auto all = simplifications();
    for (bool smaller = true; std::exchange(smaller, false);) {
        for (std::size_t number = 0; number < size(failing); ++number) {
            for (const auto& simplify : all) {
                auto candidate = failing;
                if (number >= size(candidate)) break;
                if (!simplify(placeOf(candidate, number)) || !fails(candidate)) continue;
                failing = std::move(candidate);
                smaller = true;
            }
        }
        for (const std::size_t bytes : {std::size_t{256 * 1024}, std::size_t{0}}) {
            auto candidate = failing;
            const bool large = failing.inlineResultBytesMax == 256 * 1024;
            if (large || std::exchange(candidate.inlineResultBytesMax, bytes) == bytes) continue;
            if (!fails(candidate)) continue;
            failing = std::move(candidate);
            smaller = true;
        }
    }
    return failing;
}

}  // namespace program
