// SPDX-License-Identifier: Apache-2.0
// A journal on a file system of two megabytes, of the child's own: for root, where mounting is
// allowed.
#include <durable/durable.hpp>
#include <durable/sqlite.hpp>

#include <sched.h>
#include <store/child_process.hpp>
#include <store/sqlite_support.hpp>
#include <support/catch.hpp>
#include <support/temporary_directory.hpp>
#include <support/test_engine.hpp>
#include <sys/mount.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace durable;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

/// Mounts an empty file system at `directory`, which only this process and its children see.
/// \return why it cannot, or "".
std::string mountSmall(const fs::path& directory) {
    const auto failed = [](const std::string& what) { return what + ": " + std::strerror(errno); };
    if (::unshare(CLONE_NEWNS) != 0) return failed("unshare");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("private");
    if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=2m") != 0) return failed("mount");
    return "";
}

/// Runs `body` in a process of its own, with a small file system at `directory`; see `isMounted`.
ChildProcess onSmallDisk(const fs::path& directory,
                         const std::function<void(const ChildProcess::Tell&)>& body) {
    return ChildProcess{[&](const ChildProcess::Tell& tell) {
        if (const auto reason = mountSmall(directory); !reason.empty()) {
            return tell("SKIPPED: " + reason);
        }
        tell("mounted");
        body(tell);
    }};
}

/// To be asked first. \return false, and says why, if there can be no such file system here.
bool isMounted(ChildProcess& child) {
    const auto first = child.line();
    if (first.starts_with("SKIPPED")) {
        std::puts(first.c_str());
        return false;
    }
    REQUIRE(first == "mounted");
    return true;
}

/// Runs orders with a result of 20,000 bytes each, on one engine.
class Orders {
public:
    explicit Orders(const std::shared_ptr<Store>& store)
        : engine_{[](Engine& engine) { registerAt(engine); }, store} {}

    /// Runs one more. \return what it threw, or "" if it is done.
    std::string run() {
        const auto name = std::to_string(++count_);
        const auto message = storeErrorOf([&] {
            const auto order = engine_->start("order", {.name = name});
            if (engine_.finish(order).result<std::string>() == result) done_.push_back(name);
        });
        return message;
    }

    /// The names of those that are done.
    [[nodiscard]] const std::vector<std::string>& done() const { return done_; }

    /// How many of `names` are done in the journal.
    [[nodiscard]] std::size_t countOf(const std::vector<std::string>& names) {
        std::size_t count = 0;
        for (const auto& name : names) {
            const auto order = engine_->find("order", name);
            if (order && order->result<std::string>() == result) ++count;
        }
        return count;
    }

private:
    static void registerAt(Engine& engine) {
        engine.registerHandler("order", [](DurableContext& ctx) -> Task<std::string> {
            co_return co_await ctx.step("pack", [] { return result; });
        });
    }

    inline static const std::string result{std::string(20'000, 'x')};
    int count_{};
    std::vector<std::string> done_{};
    TestEngine engine_;
};

}  // namespace

TEST_CASE("a disk that is full refuses orders, and goes on with all it had once there is room") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    auto child = onSmallDisk(directory.path(), [&](const auto& tell) {
        write(directory / "ballast", std::string(500'000, 'b'));
        std::vector<std::string> done;
        {
            Orders orders{SqliteStore::open(file)};
            std::string refusal;
            while (refusal.empty() && orders.done().size() < 1000) refusal = orders.run();
            tell(refusal.substr(0, refusal.find('\n')));
            tell(refusal.substr(refusal.find('\n') + 1));
            done = orders.done();
            tell(std::to_string(orders.countOf(done) == done.size() && done.size() > 5));

            fs::remove(directory / "ballast");
            for (int i = 0; i < 3; ++i) tell(orders.run());
            done = orders.done();
        }
        Orders orders{SqliteStore::open(file)};
        tell(std::to_string(done.size() - orders.countOf(done)) + " lost");
        tell(ForeignProgram{file}.query("pragma integrity_check"));
    });

    if (!isMounted(child)) return;
    CHECK(child.line() == "Could not append to the journal " + file.string() +
                              ": database or disk is full (SQLITE_FULL)");
    CHECK_THAT(child.line(), ContainsSubstring("Make room on the disk"));
    CHECK(child.line() == "1");
    for (int i = 0; i < 3; ++i) CHECK(child.line().empty());
    CHECK(child.line() == "0 lost");
    CHECK(child.line() == "ok");
    CHECK(child.rest().empty());
}

TEST_CASE("a journal on a file system that became read-only is refused and left alone") {
    const TemporaryDirectory directory;
    const auto file = directory / "orders.db";
    auto child = onSmallDisk(directory.path(), [&](const auto& tell) {
        append(*SqliteStore::open(file), started(1));
        const auto content = contentOf(file);
        const auto* path = directory.path().c_str();
        if (::mount(nullptr, path, nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
            tell(std::strerror(errno));
        }
        tell(storeErrorOf([&] { (void)SqliteStore::open(file); }));
        tell(contentOf(file) == content ? "unchanged" : "changed");
        ::mount(nullptr, path, nullptr, MS_REMOUNT, nullptr);
        tell(std::to_string(SqliteStore::open(file)->lastExecution()));
    });

    if (!isMounted(child)) return;
    CHECK_THAT(child.line(), ContainsSubstring(file.string()) && ContainsSubstring("read-only"));
    CHECK_THAT(child.line(), ContainsSubstring("An engine needs to write to the file"));
    CHECK(child.line() == "unchanged");
    CHECK(child.line() == "1");
}
