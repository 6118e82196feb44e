// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <stdexcept>

namespace {

std::atomic<std::uint64_t> syncCount{};

int counted(long call, int descriptor) {
    ++syncCount;
    return static_cast<int>(::syscall(call, descriptor));
}

std::size_t statusKib(const std::string& key) {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key)) return std::stoul(line.substr(key.size() + 1));
    }
    return 0;
}

}  // namespace

// In place of the C library's, for SQLite too.
extern "C" int fsync(int descriptor) { return counted(SYS_fsync, descriptor); }
extern "C" int fdatasync(int descriptor) { return counted(SYS_fdatasync, descriptor); }

namespace benchmark_support {

double now() {
    const auto time = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>{time}.count();
}

std::uint64_t syncs() { return syncCount; }

std::size_t peakKib() { return statusKib("VmHWM:"); }
std::size_t residentKib() { return statusKib("VmRSS:"); }

double percentile(std::vector<double>& values, double part) {
    if (values.empty()) throw std::invalid_argument{"no values"};
    std::ranges::sort(values);
    const auto last = static_cast<double>(values.size() - 1);
    return values[static_cast<std::size_t>(last * part)];
}

std::string runSelf(const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
    auto program = std::filesystem::read_symlink("/proc/self/exe").string();
    std::vector<std::string> copies{arguments};
    std::vector<char*> words{program.data()};
    for (auto& word : copies) words.push_back(word.data());
    words.push_back(nullptr);

    const auto child = ::fork();
    if (child < 0) throw std::runtime_error{"no process"};
    if (child == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::execv(program.c_str(), words.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    std::string output;
    std::array<char, 4096> part{};
    for (ssize_t size = 0; (size = ::read(ends[0], part.data(), part.size())) > 0;) {
        output.append(part.data(), static_cast<std::size_t>(size));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) throw std::runtime_error{"a child failed"};
    return output;
}

}  // namespace benchmark_support
