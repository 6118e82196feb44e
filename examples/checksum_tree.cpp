// SPDX-License-Identifier: Apache-2.0
//
// The SHA-256 of every file below a directory. Kill it at any moment, even with kill -9, and start
// it again: it goes on, and a file whose sum is recorded is not read again.
//
//   checksum_tree /usr/include --list /tmp/sums
//   cd /usr/include && sha256sum --quiet --check /tmp/sums

#include "checksum_tree/file_name.hpp"
#include "checksum_tree/options.hpp"
#include "checksum_tree/progress.hpp"
#include "checksum_tree/report.hpp"
#include "checksum_tree/sha256.hpp"

#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace durable;
namespace fs = std::filesystem;

/// Files that this process has read. All else that the program knows is in its journal.
std::atomic<std::size_t> filesRead{0};

/// Every file below `root`, sorted; symbolic links are not followed. A directory that cannot be
/// entered is listed too, and fails when it is read.
std::vector<FileName> listFiles(const fs::path& root, const fs::path& journal) {
    std::vector<FileName> files;
    constexpr auto options = fs::directory_options::skip_permission_denied;
    for (const auto& entry : fs::recursive_directory_iterator{root, options}) {
        const auto& path = entry.path();
        const auto type = entry.symlink_status().type();
        const bool isFile = type == fs::file_type::regular;
        const bool isClosed =
            type == fs::file_type::directory && ::access(path.c_str(), R_OK | X_OK) != 0;
        const bool isJournal = path.native().starts_with(journal.native());
        if ((isFile || isClosed) && !isJournal) {
            files.push_back({path.lexically_relative(root).native()});
        }
    }
    std::ranges::sort(files);
    return files;
}

Checksum readFile(const fs::path& path, const std::stop_token& stop) {
    ++filesRead;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"),
                                                               &std::fclose};
    if (!file) throw std::system_error{errno, std::generic_category()};
    Sha256 sha256;
    Checksum sum;
    std::vector<char> buffer(256 * 1024);
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
        if (stop.stop_requested()) throw std::runtime_error{"stopped"};
        sha256.update({buffer.data(), size});
        sum.bytes += size;
    }
    if (std::ferror(file.get()) != 0) throw std::system_error{errno, std::generic_category()};
    sum.sha256 = sha256.finish();
    return sum;
}

/// The handler: what survives a crash. Started again, it finds recorded what it has done.
Task<std::vector<FileResult>> checksumTree(DurableContext& ctx, FileName directory,
                                           Options options) {
    const fs::path root{directory.bytes};
    auto files = co_await ctx.step("list", [&] { return listFiles(root, options.journal); });

    const StepConfig once{.retryStrategy = retry::none()};
    const MapConfig config{.maxConcurrency = options.concurrency,
                           .completionConfig = CompletionConfig::allCompleted(),
                           .onProgress = Progress{}};
    auto batch = co_await ctx.map(
        "sums", files,
        [&](DurableContext& item, const FileName& file) -> Task<Checksum> {
            const auto path = root / file.bytes;
            auto sum = co_await item.step(
                "sha256", [&](StepContext& step) { return readFile(path, step.stopToken()); },
                once);
            co_return sum;
        },
        config);

    std::vector<FileResult> results;
    for (const auto& item : batch.all()) {
        results.push_back({.file = files[item.index],
                           .sum = item.result.value_or(Checksum{}),
                           .error = item.error ? item.error->what() : ""});
    }
    co_return results;
}

/// The name of the run to go on with: the last one, or the next if that has ended and `again`.
std::string runName(Engine& engine, bool again) {
    const auto name = [](std::size_t number) { return fmt::format("run-{}", number); };
    std::size_t number = 1;
    while (engine.find("checksum-tree", name(number + 1))) ++number;
    const auto last = engine.find("checksum-tree", name(number));
    const bool ended = last && last->status() != ExecutionStatus::running;
    return name(ended && again ? number + 1 : number);
}

int main(int argc, char** argv) try {
    const auto options = Options::parse(argc, argv);
    fmt::print(stderr, "journal   {}\n", options.journal.native());
    Engine engine{SqliteStore::open(options.journal),
                  {.stepThreads = options.concurrency,
                   .limits = {.payloadBytesMax = std::size_t{512} * 1024 * 1024}}};
    engine.registerHandler("checksum-tree", [&](DurableContext& ctx, FileName directory) {
        return checksumTree(ctx, std::move(directory), options);
    });
    engine.stopOn({SIGINT, SIGTERM});

    const FileName directory{options.directory.native()};
    auto execution =
        engine.start("checksum-tree", directory, {.name = runName(engine, options.again)});
    const Report report{execution.result<std::vector<FileResult>>()};
    if (options.list) report.writeList(*options.list);
    report.printSummary(filesRead);
    return report.failed() == 0 ? 0 : 1;
} catch (const EngineStopped&) {
    fmt::print(stderr, "\nStopped. What is done is recorded; the same command goes on.\n");
    return 130;
} catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
}
