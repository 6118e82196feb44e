// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace durable::inline v0::sqlite {

/// The right of one process to write to a journal, held by a lock on the file `<journal>-lock`
/// beside it. The system lets go of it when the process ends, however it ends.
///
/// SQLite's own locks would do for correctness, but they keep foreign readers out when held for
/// long, and cannot say who holds them.
class FileLock {
public:
    /// \throws StoreError if the lock is held, by another process or by this one.
    explicit FileLock(const std::filesystem::path& journal)
        : journal_{journal.string()}, path_{journal_ + "-lock"}, owner_{::getpid()} {
        // The previous owner deletes the file: what was opened may be gone once it is locked.
        do {
            close();
            descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
            if (descriptor_ < 0) failToOpen();
            lock();
        } while (!isInPlace());
        writeOwner();
    }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock() {
        // A forked child shares the lock but does not own it.
        if (::getpid() == owner_) ::unlink(path_.c_str());
        close();
    }

private:
    void lock() {
        int result = 0;
        do result = ::flock(descriptor_, LOCK_EX | LOCK_NB);
        while (result != 0 && errno == EINTR);
        if (result == 0) return;
        const int error = errno;
        const auto holder = readOwner();
        close();
        if (error == EWOULDBLOCK) failToLock(holder);
        throw StoreError{"Could not lock " + path_ + ": " + textOf(error)};
    }

    /// Whether the file that was opened is still the one that others will open.
    [[nodiscard]] bool isInPlace() const {
        struct stat opened{};
        struct stat present{};
        return ::fstat(descriptor_, &opened) == 0 && ::stat(path_.c_str(), &present) == 0 &&
               opened.st_ino == present.st_ino && opened.st_dev == present.st_dev;
    }

    /// For the message that the next process shows; nothing depends on it.
    void writeOwner() const {
        const auto text = std::to_string(owner_) + "\n";
        if (::ftruncate(descriptor_, 0) != 0) return;
        [[maybe_unused]] const auto written = ::write(descriptor_, text.data(), text.size());
    }

    [[nodiscard]] std::string readOwner() const {
        char text[24];
        const auto size = ::pread(descriptor_, text, sizeof text, 0);
        const std::string_view read{text, size > 0 ? static_cast<std::size_t>(size) : 0};
        return std::string{read.substr(0, read.find('\n'))};
    }

    [[noreturn]] void failToLock(const std::string& holder) const {
        std::string by = "another process";
        if (!holder.empty()) by = "process " + holder;
        if (holder == std::to_string(owner_)) by = "this process, number " + holder;
        throw StoreError{"The journal " + journal_ + " is in use by " + by +
                             ".\nOne engine owns a journal at a time: stop the other one, or give "
                             "this one a file of its own. Any number of programs may read it.",
                         StoreError::Kind::retryable};
    }

    [[noreturn]] void failToOpen() const {
        const int error = errno;
        std::string message = "Could not make " + path_ + ": " + textOf(error);
        if (error == EACCES || error == EROFS || error == EPERM) {
            message +=
                "\nThis process needs to write to the directory of its journal: files that "
                "belong to the journal are kept beside it.";
        }
        throw StoreError{message};
    }

    [[nodiscard]] static std::string textOf(int error) {
        return std::generic_category().message(error);
    }

    void close() noexcept {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }

    std::string journal_;
    std::string path_;
    ::pid_t owner_;
    int descriptor_{-1};
};

}  // namespace durable::inline v0::sqlite
