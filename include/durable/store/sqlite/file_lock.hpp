// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>
#include <durable/store/sqlite/file_pair.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace durable::inline v0::sqlite {

/// The right of one process to write to a journal, held by a lock on the file `<journal>-lock`
/// beside it. The system lets go of it when the process ends, however it ends.
///
/// SQLite's own locks would do for correctness, but they keep foreign readers out when held for
/// long, and cannot say who holds them.
///
/// The file also tells which database and which log its owner had open. It stays for as long as
/// that log does, after a crash or when the database was replaced, so that whoever opens the
/// journal next does not write the log into another file.
class FileLock {
public:
    /// \throws StoreError if the lock is held, by another process or by this one, or if the
    /// database and the log are not those of the previous owner, but one of them is.
    explicit FileLock(const std::filesystem::path& journal)
        : journal_{journal.string()}, path_{journal_ + "-lock"}, owner_{::getpid()} {
        // The previous owner deletes the file: what was opened may be gone once it is locked.
        do {
            close();
            descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
            if (descriptor_ < 0) failToOpen();
            lock();
        } while (!isInPlace());
        pair_ = readPair();
        if (const auto strange = strangeFile(); !strange.empty()) failAsStrange(strange);
        write();
    }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock() {
        // A forked child shares the lock but does not own it.
        if (::getpid() == owner_ && !(pair_ && hasContent(logOf(journal_)))) {
            ::unlink(path_.c_str());
        }
        close();
    }

    /// Keeps which files the owner has open. Not synced unless it replaces what was there: after a
    /// power failure nothing may be told, but not what is no longer true.
    void remember(const FilePair& pair) {
        if (pair_ == pair) return;
        const bool replaces = pair_.has_value();
        pair_ = pair;
        write();
        if (replaces) ::fdatasync(descriptor_);
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
        const auto opened = FileIdentity::of(descriptor_);
        return opened && opened == FileIdentity::of(path_);
    }

    /// Without a moment at which there is nothing in it: what was longer stays behind the end.
    void write() const {
        const auto text = std::to_string(owner_) + '\n' + (pair_ ? pair_->text() : "");
        const auto size = static_cast<::off_t>(text.size());
        if (::pwrite(descriptor_, text.data(), text.size(), 0) != size) return;
        [[maybe_unused]] const int cut = ::ftruncate(descriptor_, size);
    }

    [[nodiscard]] std::string read() const {
        std::string text(512, '\0');
        const auto size = ::pread(descriptor_, text.data(), text.size(), 0);
        text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return text;
    }

    /// The process that wrote the file, for messages.
    [[nodiscard]] std::string readOwner() const {
        const auto text = read();
        return text.substr(0, text.find('\n'));
    }

    [[nodiscard]] std::optional<FilePair> readPair() const {
        const auto text = read();
        return FilePair::parse(text.substr(std::min(text.find('\n'), text.size())));
    }

    [[nodiscard]] static bool hasContent(const std::string& file) {
        struct stat found{};
        return ::stat(file.c_str(), &found) == 0 && found.st_size > 0;
    }

    /// The one of the two files that does not belong to the other, or "". If both are others than
    /// before, they are copies: of a directory, or of a backup.
    [[nodiscard]] std::string strangeFile() const {
        const auto log = logOf(journal_);
        if (!pair_ || !hasContent(log)) return "";
        const bool isDatabase = pair_->hasDatabase(journal_);
        const bool isLog = pair_->hasLog(log);
        if (isDatabase == isLog) return "";
        return isDatabase ? log : journal_;
    }

    [[noreturn]] void failAsStrange(const std::string& strange) {
        const auto log = logOf(journal_);
        const auto owner = readOwner();
        close();
        throw StoreError{
            strange + " is not the file that process " + owner + " used with " +
            (strange == log ? journal_ : log) +
            ": it was replaced or deleted.\nNothing was changed. To go on where that process "
            "ended, put the old file back. To open the journal without what is in its log, "
            "delete " +
            log + " and " + path_ + ". If the two files do belong together, delete only " + path_ +
            "."};
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
    std::optional<FilePair> pair_{};  ///< as the file tells it
};

}  // namespace durable::inline v0::sqlite
