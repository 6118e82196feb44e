// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>  // POSIX, as all below
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

/// A child process that answers lines with lines. Killed if it still runs at the end of the scope.
class WorkerProcess {
public:
    explicit WorkerProcess(std::vector<std::string> command) {
        int to[2];
        int back[2];
        if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(back, O_CLOEXEC) != 0) fail("pipe");
        child_ = ::fork();
        if (child_ < 0) fail("fork");
        if (child_ == 0) {
            ::dup2(to[0], STDIN_FILENO);
            ::dup2(back[1], STDOUT_FILENO);
            std::vector<char*> arguments;
            for (auto& argument : command) arguments.push_back(argument.data());
            arguments.push_back(nullptr);
            ::execv(arguments[0], arguments.data());
            ::_exit(127);
        }
        ::close(to[0]);
        ::close(back[1]);
        to_ = ::fdopen(to[1], "w");
        back_ = ::fdopen(back[0], "r");
    }
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;
    ~WorkerProcess() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            (void)wait();
        }
        if (to_ != nullptr) std::fclose(to_);
        std::fclose(back_);
    }

    /// The reply to `line`, or empty if the process has died instead.
    [[nodiscard]] std::optional<std::string> ask(const std::string& line) {
        std::fputs((line + '\n').c_str(), to_);
        std::fflush(to_);
        std::string reply;
        for (int c = std::fgetc(back_); c != EOF; c = std::fgetc(back_)) {
            if (c == '\n') return reply;
            reply += static_cast<char>(c);
        }
        return std::nullopt;
    }

    /// Lets it come to its end.
    /// \return whether it ended well.
    [[nodiscard]] bool finish() {
        std::fclose(std::exchange(to_, nullptr));
        return wait() == 0;
    }

private:
    int wait() {
        int status = 0;
        while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
        }
        child_ = 0;
        return status;
    }

    [[noreturn]] static void fail(const char* what) {
        throw std::system_error{errno, std::generic_category(), what};
    }

    pid_t child_{};
    std::FILE* to_{};
    std::FILE* back_{};
};
