// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>

/// \file
/// A database and its write-ahead log belong together by nothing but their names: SQLite writes the
/// log into whatever file has the database's name. Here they are told from others of those names.
/// Source: sqlite.org/howtocorrupt.html, sections 1.4 and 2.4.

namespace durable::inline v0::sqlite {

/// What one file has and no other has at the same time.
struct FileIdentity {
    std::uint64_t device{};
    std::uint64_t inode{};

    /// The identity of the file that now has the name `path`, or nothing if there is none.
    [[nodiscard]] static std::optional<FileIdentity> of(const std::string& path) {
        struct stat found{};
        return ::stat(path.c_str(), &found) == 0 ? of(found) : std::nullopt;
    }

    /// The identity of an open file.
    [[nodiscard]] static std::optional<FileIdentity> of(int descriptor) {
        struct stat found{};
        return ::fstat(descriptor, &found) == 0 ? of(found) : std::nullopt;
    }

    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;

private:
    [[nodiscard]] static std::optional<FileIdentity> of(const struct stat& found) {
        return FileIdentity{.device = found.st_dev, .inode = found.st_ino};
    }
};

/// When the file was made, in nanoseconds since 1970, or 0 where that is not known. A file that is
/// made once another one is deleted may get the inode of that one.
[[nodiscard]] inline std::int64_t birthOf([[maybe_unused]] const std::string& path) {
#ifdef STATX_BTIME
    struct statx found{};
    const bool known = ::statx(AT_FDCWD, path.c_str(), 0, STATX_BTIME, &found) == 0 &&
                       (found.stx_mask & STATX_BTIME) != 0;
    if (known) return found.stx_btime.tv_sec * 1'000'000'000 + found.stx_btime.tv_nsec;
#endif
    return 0;
}

/// The name of the log of the database `file`.
[[nodiscard]] inline std::string logOf(const std::string& file) { return file + "-wal"; }

/// A database and its log as some store had them open. As text it is in the lock file, where it
/// stays when a process is killed.
class FilePair {
public:
    /// The two files at `database` now, or nothing if one of them is not there.
    [[nodiscard]] static std::optional<FilePair> of(const std::string& database) {
        const auto one = Member::of(database);
        const auto other = Member::of(logOf(database));
        if (!one || !other) return std::nullopt;
        return FilePair{*one, *other};
    }

    /// What `text` told, or nothing if it did not.
    [[nodiscard]] static std::optional<FilePair> parse(const std::string& text) {
        FilePair pair{};
        std::string end;
        std::istringstream stream{text};
        stream >> pair.database_ >> pair.log_ >> end;
        if (!stream || end != "end") return std::nullopt;
        return pair;
    }

    [[nodiscard]] std::string text() const {
        std::ostringstream stream;
        stream << database_ << log_ << "end\n";
        return stream.str();
    }

    [[nodiscard]] bool hasDatabase(const std::string& path) const {
        return Member::of(path) == database_;
    }
    [[nodiscard]] bool hasLog(const std::string& path) const { return Member::of(path) == log_; }

    friend bool operator==(const FilePair&, const FilePair&) = default;

private:
    struct Member {
        FileIdentity identity{};
        std::int64_t bornAt{};

        [[nodiscard]] static std::optional<Member> of(const std::string& path) {
            const auto identity = FileIdentity::of(path);
            if (!identity) return std::nullopt;
            return Member{*identity, birthOf(path)};
        }

        friend bool operator==(const Member&, const Member&) = default;
        friend std::ostream& operator<<(std::ostream& stream, const Member& member) {
            const auto& [device, inode] = member.identity;
            return stream << device << ' ' << inode << ' ' << member.bornAt << '\n';
        }
        friend std::istream& operator>>(std::istream& stream, Member& member) {
            auto& [device, inode] = member.identity;
            return stream >> device >> inode >> member.bornAt;
        }
    };

    FilePair() = default;
    FilePair(const Member& database, const Member& log) : database_{database}, log_{log} {}

    Member database_{};
    Member log_{};
};

}  // namespace durable::inline v0::sqlite
