// SPDX-License-Identifier: Apache-2.0
// Feeds a target with the files of a directory, in the order of their names: with any compiler.
#include <fuzz/fuzz_target.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{argv[1]}) {
        files.push_back(entry.path());
    }
    std::ranges::sort(files);
    for (const auto& file : files) {
        std::printf("%s\n", file.c_str());
        std::fflush(stdout);  // the last one printed is the one that a crash is of
        std::ifstream stream{file, std::ios::binary};
        const std::string content{std::istreambuf_iterator<char>{stream}, {}};
        fuzz(content);
    }
    std::printf("%zu files\n", files.size());
    return files.empty() ? 1 : 0;
}
