// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

/// Runs a function in a forked process. Make it while this process has no store open: SQLite does
/// not survive a fork. Killed at the end of the scope if it still runs.
class ChildProcess {
public:
    /// Sends one line to the parent.
    using Tell = std::function<void(std::string_view line)>;

    explicit ChildProcess(const std::function<void(const Tell&)>& body) {
        int ends[2];
        if (::pipe(ends) != 0) std::terminate();
        process_ = ::fork();
        if (process_ == 0) {
            ::close(ends[0]);
            const Tell tell = [&](std::string_view line) {
                const auto text = std::string{line} + "\n";
                if (::write(ends[1], text.data(), text.size()) < 0) ::_exit(2);
            };
            try {
                body(tell);
            } catch (const std::exception& error) {
                tell(std::string{"threw: "} + error.what());
            }
            ::_exit(0);  // as a crash does: nothing is closed, no destructor runs
        }
        ::close(ends[1]);
        fromChild_ = ends[0];
    }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess() {
        kill();
        ::close(fromChild_);
    }

    [[nodiscard]] ::pid_t id() const { return process_; }

    /// The next line that the child tells; waits for it. Empty if there will be none.
    [[nodiscard]] std::string line() {
        std::string text;
        for (char c = 0; ::read(fromChild_, &c, 1) == 1 && c != '\n';) text += c;
        return text;
    }

    /// All lines until the child ends.
    [[nodiscard]] std::string rest() {
        std::string text;
        char buffer[4096];
        for (::ssize_t size = 0; (size = ::read(fromChild_, buffer, sizeof buffer)) > 0;) {
            text.append(buffer, static_cast<std::size_t>(size));
        }
        return text;
    }

    void kill() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        wait();
    }

    void wait() { ::waitpid(std::exchange(process_, -1), nullptr, 0); }

private:
    ::pid_t process_{};
    int fromChild_{-1};
};
