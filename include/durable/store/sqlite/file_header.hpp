// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

/// \file
/// Tells our files from others by their first bytes, before SQLite opens them: to open a file is
/// already to change it, or to leave others beside it.
/// Source: sqlite.org/fileformat2.html, "The Database Header".

namespace durable::inline v0::sqlite {

/// "durb", in the header of every journal.
inline constexpr std::int32_t applicationId = 0x64757262;

/// Refuses a `file` that is neither a journal nor the beginning of one: empty, absent, or cut short
/// while it was made. Only for who holds its `FileLock`: closing a file drops the locks that SQLite
/// may hold on it in the same process.
/// \return `file`.
/// \throws StoreError
[[nodiscard]] inline std::filesystem::path requireNotForeign(const std::filesystem::path& file) {
    constexpr std::size_t applicationIdAt = 68;
    std::array<char, applicationIdAt + 4> header{};
    std::ifstream stream{file, std::ios::binary};
    if (!stream.is_open()) {
        if (!std::filesystem::exists(file)) return file;
        throw StoreError{"Could not read the journal " + file.string() +
                         ": this process has no permission to."};
    }
    stream.read(header.data(), static_cast<std::streamsize>(header.size()));
    const std::string_view bytes{header.data(), static_cast<std::size_t>(stream.gcount())};
    // Zeros are what a power failure leaves of a page that was not synced. SQLite rolls it back,
    // or refuses it.
    if (bytes.find_first_not_of('\0') == std::string_view::npos) return file;

    constexpr std::string_view magic{"SQLite format 3\0", 16};
    if (bytes.size() < header.size() || !bytes.starts_with(magic)) {
        throw StoreError{file.string() +
                         " is not a journal: it is not an SQLite file.\nNothing was changed. Give "
                         "the engine the path of a journal, or of a new file."};
    }
    std::uint32_t found = 0;
    for (const char byte : bytes.substr(applicationIdAt)) {
        found = found << 8U | static_cast<unsigned char>(byte);
    }
    if (found == static_cast<std::uint32_t>(applicationId)) return file;
    throw StoreError{file.string() +
                     " is not a journal: it is an SQLite file of another program (application_id " +
                     std::to_string(found) +
                     ").\nNothing was changed. Give the engine the path of a journal, or of a new "
                     "file."};
}

}  // namespace durable::inline v0::sqlite
