// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>

#include <fmt/core.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <optional>

/// Shows how far a batch is: a bar on a terminal, otherwise a line for every tenth of it.
class Progress {
public:
    void operator()(const durable::BatchProgress& batch) {
        const auto done = batch.succeeded + batch.failed;
        const auto percent = done * 100 / batch.total;
        const std::size_t interval = isTerminal_ ? 1 : 10;
        if (shown_ && percent / interval == *shown_ / interval) return;
        shown_ = percent;

        const auto line = fmt::format("{:3} %  {} of {} files, {} failed", percent, done,
                                      batch.total, batch.failed);
        if (isTerminal_) {
            constexpr std::size_t width = 40;
            const auto filled = percent * width / 100;
            fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {}{}", "", filled, "", width - filled, line,
                       done == batch.total ? "\n" : "");
        } else {
            fmt::print(stderr, "{}\n", line);
        }
    }

private:
    bool isTerminal_{::isatty(STDERR_FILENO) == 1};
    std::optional<std::size_t> shown_;
};
