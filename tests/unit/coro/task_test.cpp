// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/run_task.hpp"

#include <durable/coro/frame_pool.hpp>
#include <durable/coro/outcome.hpp>
#include <durable/coro/run_loop.hpp>
#include <durable/coro/task.hpp>
#include <durable/coro/wait_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using durable::BodiesReturned;
using durable::FramePool;
using durable::Never;
using durable::Outcome;
using durable::RunLoop;
using durable::RunningBody;
using durable::Scope;
using durable::Task;
using durable::WaitList;

namespace {

/// Counts how many are alive, and how often one was destroyed.
class Counted {
public:
    explicit Counted(int& destroyed) : destroyed_{&destroyed} {}
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { ++*destroyed_; }

private:
    int* destroyed_;
};

Task<int> give(int value) { co_return value; }
Task<void> nothing() { co_return; }
Task<std::unique_ptr<int>> giveOwned(int value) { co_return std::make_unique<int>(value); }
Task<int> fail(std::string message) {
    throw std::runtime_error{message};
    co_return 0;
}
Task<void> failVoid(std::string message) {
    throw std::runtime_error{message};
    co_return;
}

Task<void> append(std::vector<int>& order, int number) {
    order.push_back(number);
    co_return;
}

Task<void> holdForever(int& destroyed) {
    const Counted counted{destroyed};
    co_await Never{};
}

/// A body that runs outside, as a scope sees it.
class FakeBody final : public RunningBody {
public:
    void requestStop() override { ++stopRequests; }
    int stopRequests{};
};

}  // namespace

TEST_CASE("a task gives the value that its coroutine returns") {
    CHECK(runTask(give(42)) == 42);
    CHECK(*runTask(giveOwned(7)) == 7);
    CHECK_NOTHROW(runTask(nothing()));
}

TEST_CASE("a task gives to the one who awaits it") {
    const auto sum = [](int left, int right) -> Task<int> {
        const int first = co_await give(left);
        const int second = co_await give(right);
        const auto owned = co_await giveOwned(100);
        co_await nothing();
        co_return first + second + *owned;
    };

    CHECK(runTask(sum(1, 2)) == 103);
}

TEST_CASE("a task throws to the one who awaits it what its coroutine threw") {
    const auto text = []() -> Task<std::string> {
        std::string caught;
        try {
            co_await fail("value");
        } catch (const std::runtime_error& error) {
            caught += error.what();
        }
        try {
            co_await failVoid(" void");
        } catch (const std::runtime_error& error) {
            caught += error.what();
        }
        co_return caught;
    };

    CHECK(runTask(text()) == "value void");
    CHECK_THROWS_WITH(runTask(fail("uncaught")), "uncaught");
}

TEST_CASE("a task that is not awaited never runs") {
    bool ran = false;
    const auto body = [&]() -> Task<void> {
        ran = true;
        co_return;
    };
    {
        const auto task = body();
        CHECK_FALSE(task.done());
    }
    CHECK_FALSE(ran);
}

TEST_CASE("a task that is not awaited destroys its parameters") {
    const auto shared = std::make_shared<int>(1);
    const auto body = [](std::shared_ptr<int>) -> Task<void> { co_return; };
    {
        const auto task = body(shared);
        CHECK(shared.use_count() == 2);
    }
    CHECK(shared.use_count() == 1);
}

TEST_CASE("a task that has a name can be awaited, later and in another order") {
    std::vector<int> order;
    const auto body = [&]() -> Task<void> {
        auto first = append(order, 1);
        auto second = append(order, 2);
        co_await second;
        co_await std::move(first);
    };
    runTask(body());

    CHECK(order == std::vector<int>{2, 1});
}

TEST_CASE("destroying a suspended task runs the destructors of its locals, once") {
    int destroyed = 0;
    const auto outer = [&]() -> Task<void> {
        const Counted counted{destroyed};
        co_await holdForever(destroyed);
    };
    {
        RunLoop loop;
        Scope scope{loop};
        auto task = outer();
        task.start(scope);
        loop.run();
        CHECK(loop.idle());
        CHECK_FALSE(task.done());
        CHECK(destroyed == 0);
    }
    CHECK(destroyed == 2);
}

TEST_CASE("destroying a suspended task runs no code of its author but destructors") {
    bool continued = false;
    const auto body = [&]() -> Task<void> {
        try {
            co_await Never{};
        } catch (...) {
            continued = true;
        }
        continued = true;
    };
    {
        RunLoop loop;
        Scope scope{loop};
        auto task = body();
        task.start(scope);
        loop.run();
    }
    CHECK_FALSE(continued);
}

TEST_CASE("a task that is assigned to destroys the one it had") {
    int destroyed = 0;
    RunLoop loop;
    Scope scope{loop};
    auto task = holdForever(destroyed);
    task.start(scope);
    loop.run();

    task = nothing();
    CHECK(destroyed == 1);
    task.start(scope);
    loop.run();
    CHECK(task.done());
}

TEST_CASE("a ready task that is destroyed has left the loop") {
    RunLoop loop;
    Scope scope{loop};
    {
        auto task = nothing();
        task.start(scope);
        CHECK_FALSE(loop.idle());
    }
    CHECK(loop.idle());
    loop.run();
}

TEST_CASE("a million awaits keep the stack flat") {
    const auto body = []() -> Task<long> {
        long sum = 0;
        for (int i = 0; i < 1'000'000; ++i) sum += co_await give(i % 2);
        co_return sum;
    };

    CHECK(runTask(body()) == 500'000);
}

TEST_CASE("a million posts keep the stack flat") {
    RunLoop loop;
    Scope scope{loop};
    WaitList list;
    int turns = 0;
    const auto wait = [&]() -> Task<void> {
        for (; turns < 1'000'000; ++turns) {
            const auto wake = [&]() -> Task<void> {
                list.notifyAll();
                co_return;
            };
            auto waker = wake();
            waker.start(scope);
            co_await list.wait();
        }
    };
    auto waiting = wait();
    waiting.start(scope);
    loop.run();

    CHECK(waiting.done());
}

TEST_CASE("started tasks run in the order of their start, each with what it awaits") {
    RunLoop loop;
    Scope scope{loop};
    std::vector<int> order;
    const auto branch = [&](int number) -> Task<void> {
        co_await append(order, number);
        co_await append(order, number + 1);
    };
    auto first = branch(10);
    auto second = branch(20);
    first.start(scope);
    second.start(scope);
    CHECK(order.empty());
    loop.run();

    CHECK(order == std::vector<int>{10, 11, 20, 21});
    CHECK(first.done());
    CHECK(second.done());
}

TEST_CASE("what is notified runs behind everything that is ready, in the order of waiting") {
    RunLoop loop;
    Scope scope{loop};
    WaitList list;
    std::vector<int> order;
    const auto waiter = [&](int number) -> Task<void> {
        co_await list.wait();
        order.push_back(number);
    };
    const auto notifier = [&]() -> Task<void> {
        list.notifyAll();
        order.push_back(0);
        co_return;
    };
    auto first = waiter(1);
    auto second = waiter(2);
    auto third = notifier();
    auto fourth = append(order, 4);
    first.start(scope);
    second.start(scope);
    third.start(scope);
    fourth.start(scope);
    loop.run();

    CHECK(order == std::vector<int>{0, 4, 1, 2});
}

TEST_CASE("a waiter that is notified twice runs once") {
    RunLoop loop;
    Scope scope{loop};
    WaitList list;
    int turns = 0;
    const auto body = [&]() -> Task<void> {
        for (;;) {
            co_await list.wait();
            ++turns;
        }
    };
    auto task = body();
    task.start(scope);
    loop.run();
    list.notifyAll();
    list.notifyAll();
    loop.run();
    CHECK(turns == 1);
    CHECK_FALSE(list.empty());
    list.notifyAll();
    loop.run();
    CHECK(turns == 2);
}

TEST_CASE("a waiter that is destroyed has left the list") {
    RunLoop loop;
    Scope scope{loop};
    WaitList list;
    const auto body = [&]() -> Task<void> { co_await list.wait(); };
    auto staying = body();
    staying.start(scope);
    {
        auto leaving = body();
        leaving.start(scope);
        loop.run();
    }
    list.notifyAll();
    loop.run();

    CHECK(staying.done());
    CHECK(list.empty());
}

TEST_CASE("a waiter outlives its list") {
    RunLoop loop;
    Scope scope{loop};
    std::optional<WaitList> list{std::in_place};
    const auto body = [&]() -> Task<void> { co_await list->wait(); };
    auto task = body();
    task.start(scope);
    loop.run();
    list.reset();

    CHECK_FALSE(task.done());
}

TEST_CASE("nothing of a frozen scope, or of one inside it, is resumed") {
    RunLoop loop;
    Scope root{loop};
    Scope child{root};
    Scope grandchild{child};
    Scope sibling{root};
    std::vector<int> order;
    auto inChild = append(order, 1);
    auto inGrandchild = append(order, 2);
    auto inSibling = append(order, 3);
    inChild.start(child);
    inGrandchild.start(grandchild);
    inSibling.start(sibling);
    child.freeze();
    loop.run();

    CHECK(order == std::vector<int>{3});
    CHECK(child.frozen());
    CHECK(grandchild.frozen());
    CHECK_FALSE(sibling.frozen());
    CHECK_FALSE(root.frozen());
    CHECK(loop.idle());
}

TEST_CASE("a task runs in the scope under which it is awaited, and its caller in its own") {
    RunLoop loop;
    Scope root{loop};
    Scope child{root};
    std::vector<const Scope*> scopes;
    const auto tell = [&]() -> Task<void> {
        scopes.push_back(RunLoop::current());
        co_return;
    };
    const auto nested = [&]() -> Task<void> { co_await tell(); };
    const auto body = [&]() -> Task<void> {
        co_await tell();
        co_await nested().under(child);
        scopes.push_back(RunLoop::current());
    };
    auto task = body();
    task.start(root);
    loop.run();

    CHECK(scopes == std::vector<const Scope*>{&root, &child, &root});
    CHECK(RunLoop::current() == nullptr);
}

TEST_CASE("a plain call can count as code of a scope") {
    RunLoop loop;
    Scope scope{loop};
    Scope inner{scope};
    {
        const RunLoop::Enter enter{&scope};
        CHECK(RunLoop::current() == &scope);
        {
            const RunLoop::Enter again{&inner};
            CHECK(RunLoop::current() == &inner);
            const RunLoop::Enter outside{nullptr};
            CHECK(RunLoop::current() == nullptr);
        }
        CHECK(RunLoop::current() == &scope);
    }
    CHECK(RunLoop::current() == nullptr);
}

TEST_CASE("a scope knows what it is inside of") {
    RunLoop loop;
    Scope root{loop};
    Scope child{root};
    Scope sibling{root};

    CHECK(child.isInside(root));
    CHECK(child.isInside(child));
    CHECK_FALSE(root.isInside(child));
    CHECK_FALSE(child.isInside(sibling));
}

TEST_CASE("a scope counts the bodies in it and in the scopes inside it") {
    RunLoop loop;
    Scope root{loop};
    Scope child{root};
    Scope sibling{root};
    FakeBody first;
    FakeBody second;
    child.enter(first);
    sibling.enter(second);
    CHECK(root.bodies() == 2);
    CHECK(child.bodies() == 1);
    CHECK(sibling.bodies() == 1);
    child.leave(first);
    CHECK(root.bodies() == 1);
    CHECK(child.bodies() == 0);
    sibling.leave(second);
    CHECK(root.bodies() == 0);
}

TEST_CASE("freezing a scope asks the bodies inside it to stop, and no others") {
    RunLoop loop;
    Scope root{loop};
    Scope child{root};
    Scope grandchild{child};
    Scope sibling{root};
    FakeBody inGrandchild;
    FakeBody inSibling;
    grandchild.enter(inGrandchild);
    sibling.enter(inSibling);
    child.freeze();

    CHECK(inGrandchild.stopRequests == 1);
    CHECK(inSibling.stopRequests == 0);
    CHECK_FALSE(root.frozen());
    grandchild.leave(inGrandchild);
    root.freeze();
    CHECK(inSibling.stopRequests == 1);
    CHECK(inGrandchild.stopRequests == 1);
    sibling.leave(inSibling);
}

TEST_CASE("whoever waits for bodies goes on when the last has returned") {
    RunLoop loop;
    Scope root{loop};
    Scope child{root};
    FakeBody first;
    FakeBody second;
    child.enter(first);
    child.enter(second);
    const auto body = [&]() -> Task<void> { co_await BodiesReturned{child}; };
    auto task = body();
    task.start(root);
    loop.run();
    CHECK_FALSE(task.done());
    child.leave(first);
    loop.run();
    CHECK_FALSE(task.done());
    child.leave(second);
    loop.run();
    CHECK(task.done());
}

TEST_CASE("whoever waits for no body goes on at once") {
    RunLoop loop;
    Scope scope{loop};
    const auto body = [&]() -> Task<void> { co_await BodiesReturned{scope}; };

    CHECK_NOTHROW(runTask(body()));
}

TEST_CASE("whoever waited for bodies and is destroyed is not told") {
    RunLoop loop;
    Scope root{loop};
    Scope child{root};
    FakeBody running;
    child.enter(running);
    const auto body = [&]() -> Task<void> { co_await BodiesReturned{child}; };
    {
        auto task = body();
        task.start(root);
        loop.run();
    }
    child.leave(running);
    CHECK(loop.idle());
}

TEST_CASE("an outcome keeps a value or an exception") {
    Outcome<int> none;
    Outcome<int> value;
    Outcome<int> failure;
    Outcome<void> done;
    value.capture([] { return 42; });
    failure.capture([]() -> int { throw std::runtime_error{"m"}; });
    done.capture([] {});

    CHECK_FALSE(none.succeeded());
    CHECK(none.exception() == nullptr);
    CHECK(value.succeeded());
    CHECK(value.take() == 42);
    CHECK_FALSE(failure.succeeded());
    CHECK(failure.exception() != nullptr);
    CHECK_THROWS_WITH(failure.take(), "m");
    CHECK(done.succeeded());
    CHECK_NOTHROW(done.take());
}

TEST_CASE("frames are given memory that does not overlap, whatever their size") {
    std::vector<std::pair<std::byte*, std::size_t>> frames;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t size = 1; size <= 5000; size += 61) {
            auto* frame = static_cast<std::byte*>(FramePool::allocate(size));
            std::fill_n(frame, size, static_cast<std::byte>(size));
            frames.emplace_back(frame, size);
        }
        std::size_t damaged = 0;
        for (const auto& [frame, size] : frames) {
            const auto expected = static_cast<std::byte>(size);
            damaged += static_cast<std::size_t>(
                std::count_if(frame, frame + size, [&](std::byte b) { return b != expected; }));
            FramePool::deallocate(frame, size);
        }
        CHECK(damaged == 0);
        frames.clear();
    }
}

TEST_CASE("a frame that was freed is used for the next of its size, unless a sanitizer watches") {
    void* first = FramePool::allocate(100);
    FramePool::deallocate(first, 100);
    if (durable::keepsFrames) {
        void* second = FramePool::allocate(128);  // of the same 64 bytes' class
        CHECK(second == first);
        FramePool::deallocate(second, 128);
    }
}

TEST_CASE("frames are full of a byte while that is wanted, also where one was freed before") {
    const auto holds = [](std::byte byte) {
        std::size_t other = 0;
        for (std::size_t size = 1; size <= 5000; size += 61) {
            auto* frame = static_cast<std::byte*>(FramePool::allocate(size));
            other += static_cast<std::size_t>(
                std::count_if(frame, frame + size, [&](std::byte b) { return b != byte; }));
            std::fill_n(frame, size, std::byte{7});
            FramePool::deallocate(frame, size);
        }
        return other == 0;
    };
    void* kept = FramePool::allocate(100);
    FramePool::deallocate(kept, 100);
    {
        const FramePool::Filled outer{std::byte{0xA5}};
        CHECK(holds(std::byte{0xA5}));
        CHECK(holds(std::byte{0xA5}));
        {
            const FramePool::Filled inner{std::byte{0x5A}};
            CHECK(holds(std::byte{0x5A}));
        }
        CHECK(holds(std::byte{0xA5}));
    }

    void* next = FramePool::allocate(100);
    if (durable::keepsFrames) CHECK(next == kept);
    FramePool::deallocate(next, 100);
}

TEST_CASE("frames may be freed on another thread, and threads may end") {
    std::vector<void*> frames;
    for (int i = 0; i < 3000; ++i) frames.push_back(FramePool::allocate(200));
    std::thread{[&] {
        for (void* frame : frames) FramePool::deallocate(frame, 200);
        void* again = FramePool::allocate(200);
        FramePool::deallocate(again, 200);
    }}.join();
    SUCCEED();
}

TEST_CASE("a task that is awaited twice says so") {
    const auto give = []() -> Task<int> { co_return 1; };
    const auto twice = [&]() -> Task<int> {
        auto task = give();
        const int first = co_await task;
        const int second = co_await task;
        co_return first + second;
    };

    CHECK_THROWS_WITH(runTask(twice()), "a task can be awaited once");
}

TEST_CASE("a task may return braces") {
    struct Point {
        int x{};
        int y{};
    };
    const auto give = []() -> Task<Point> { co_return {1, 2}; };

    CHECK(runTask(give()).y == 2);
}
