// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/completion.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace durable::inline v0 {

/// Lets one thread at a time look for an execution of a name and start it if there is none.
///
/// Thread-safety: all members.
class NameClaims {
public:
    /// Handler and name.
    using Key = std::pair<std::string, std::string>;

    /// \param given called when a name has been given back: somebody may wait for it.
    explicit NameClaims(std::function<void()> given) : given_{std::move(given)} {}

    /// The right to a name; given back when it is destroyed.
    class Claim {
    public:
        Claim(NameClaims& claims, const Key& key, std::shared_ptr<Promised<bool>> done)
            : claims_{claims}, key_{key}, done_{std::move(done)} {}
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;
        ~Claim() {
            {
                const std::scoped_lock lock{claims_.mutex_};
                claims_.claimed_.erase(key_);
                done_->set(true);
            }
            claims_.given_();
        }

    private:
        NameClaims& claims_;
        const Key& key_;
        std::shared_ptr<Promised<bool>> done_;
    };

    /// Waits, by `await`, while another thread has the name. `key` must outlive the claim.
    [[nodiscard]] Claim claim(const Key& key,
                              const std::function<void(const Promised<bool>&)>& await) {
        const auto mine = std::make_shared<Promised<bool>>();
        for (;;) {
            const auto first = tryClaim(key, mine);
            if (first == mine) return {*this, key, mine};
            await(*first);
        }
    }

private:
    std::shared_ptr<Promised<bool>> tryClaim(const Key& key, std::shared_ptr<Promised<bool>> mine) {
        const std::scoped_lock lock{mutex_};
        return claimed_.emplace(key, std::move(mine)).first->second;
    }

    std::function<void()> given_;
    std::mutex mutex_;
    std::map<Key, std::shared_ptr<Promised<bool>>> claimed_;
};

}  // namespace durable::inline v0
