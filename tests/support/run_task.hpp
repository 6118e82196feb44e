// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/coro/task.hpp>

#include <stdexcept>
#include <utility>

/// Runs `task` on a loop of its own until nothing is ready, and gives its value or throws.
template <class T>
T runTask(durable::Task<T> task) {
    durable::RunLoop loop;
    durable::Scope scope{loop};
    task.start(scope);
    loop.run();
    if (!task.done()) throw std::logic_error{"the task waits for something that does not come"};
    return task.outcome().take();
}
