// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/version.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

/// \file
/// Memory of coroutine frames, kept per thread in lists by size: a frame from the list costs a
/// third of one from the heap. Off under AddressSanitizer, which must see frames come and go.

namespace durable::inline v0 {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool keepsFrames = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool keepsFrames = false;
#else
inline constexpr bool keepsFrames = true;
#endif
#else
inline constexpr bool keepsFrames = true;
#endif

/// Thread-safety: a frame may be freed on another thread than it came from.
class FramePool {
public:
    [[nodiscard]] static void* allocate(std::size_t size) {
        const auto index = classOf(size);
        if (!keepsFrames || index >= classes) return fromHeap(size);
        auto& list = cache().lists[index];
        if (list.head == nullptr) return fromHeap((index + 1) * classBytes);
        --list.count;
        return std::exchange(list.head, list.head->next);
    }

    static void deallocate(void* frame, std::size_t size) noexcept {
        const auto index = classOf(size);
        if (keepsFrames && index < classes && !threadIsEnding()) {
            auto& list = cache().lists[index];
            if (list.count < framesKept) {
                list.head = ::new (frame) Free{list.head};
                ++list.count;
                return;
            }
        }
        ::operator delete(frame);
    }

    class Filled;

private:
    static constexpr std::size_t classBytes = 64;
    static constexpr std::size_t classes = 32;
    static constexpr std::size_t framesKept = 1024;

    struct Free {
        Free* next;
    };
    struct List {
        Free* head{};
        std::size_t count{};
    };
    using Lists = std::array<List, classes>;
    struct Cache {
        Lists lists{};
        Cache() = default;
        Cache(const Cache&) = delete;
        Cache& operator=(const Cache&) = delete;
        ~Cache() {
            threadIsEnding() = true;
            for (auto& list : lists) {
                while (list.head != nullptr) {
                    ::operator delete(std::exchange(list.head, list.head->next));
                }
            }
        }
    };

    static void* fromHeap(std::size_t size) {
        void* frame = ::operator new(size);
        if (const auto& byte = filling()) std::memset(frame, std::to_integer<int>(*byte), size);
        return frame;
    }

    static std::size_t classOf(std::size_t size) noexcept { return (size - 1) / classBytes; }

    static Cache& cache() noexcept {
        thread_local Cache cache;
        return cache;
    }

    // Outlives the cache, so that a frame freed by a later thread-local destructor finds out.
    static bool& threadIsEnding() noexcept {
        thread_local bool ending = false;
        return ending;
    }

    static std::optional<std::byte>& filling() noexcept {
        thread_local std::optional<std::byte> byte;
        return byte;
    }
};

/// While it lives, frames that its thread makes are full of one byte at first: a coroutine that
/// reads what it has not written gets another value than with another byte. No frame comes from
/// the lists meanwhile, so that nothing is asked where one does.
class FramePool::Filled {
public:
    explicit Filled(std::byte byte) : filling_{std::exchange(filling(), byte)} {
        if (keepsFrames) lists_ = std::exchange(cache().lists, fullAndEmpty());
    }
    Filled(const Filled&) = delete;
    Filled& operator=(const Filled&) = delete;
    ~Filled() {
        if (keepsFrames) cache().lists = lists_;
        filling() = filling_;
    }

private:
    /// Lists that give no frame and take none.
    static Lists fullAndEmpty() {
        Lists lists;
        lists.fill({.head = nullptr, .count = framesKept});
        return lists;
    }

    Lists lists_{};
    std::optional<std::byte> filling_;
};

}  // namespace durable::inline v0
