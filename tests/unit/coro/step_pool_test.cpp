// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include <durable/coro/step_pool.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <latch>
#include <thread>
#include <utility>
#include <vector>

using durable::StepPool;

namespace {

class Job final : public StepPool::Job {
public:
    explicit Job(std::function<void(Job&)> call) : call_{std::move(call)} {}
    void runJob() override { call_(*this); }

private:
    std::function<void(Job&)> call_;
};

}  // namespace

TEST_CASE("jobs are run in the order in which they were posted") {
    boost::asio::io_context workflows;
    StepPool pool{1, workflows.get_executor()};
    std::vector<int> ran;
    std::deque<Job> jobs;
    for (int i = 0; i < 100; ++i) jobs.emplace_back([&ran, i](Job&) { ran.push_back(i); });
    for (auto& job : jobs) pool.post(job);
    pool.join();

    std::vector<int> posted(100);
    for (int i = 0; i < 100; ++i) posted[static_cast<std::size_t>(i)] = i;
    CHECK(ran == posted);
}

TEST_CASE("jobs that block run at the same time, as many as there are threads") {
    constexpr int threads = 4;
    for (int round = 0; round < 20; ++round) {
        boost::asio::io_context workflows;
        StepPool pool{threads, workflows.get_executor()};
        std::latch all{threads};  // nobody leaves before everybody has come
        std::deque<Job> jobs;
        for (int i = 0; i < threads; ++i) {
            pool.post(jobs.emplace_back([&](Job&) { all.arrive_and_wait(); }));
        }
        pool.join();
    }
    SUCCEED("nobody was left waiting");
}

TEST_CASE("a job that is posted by another one gets a thread though that one blocks") {
    boost::asio::io_context workflows;
    StepPool pool{2, workflows.get_executor()};
    std::latch done{1};
    Job inner{[&](Job&) { done.count_down(); }};
    Job outer{[&](Job&) {
        pool.post(inner);
        done.wait();
    }};
    pool.post(outer);
    pool.join();

    CHECK(done.try_wait());
}

TEST_CASE("an asynchronous body gets its turn though jobs keep coming") {
    boost::asio::io_context workflows;
    StepPool pool{1, workflows.get_executor()};
    std::atomic<bool> hadItsTurn{false};
    Job again{[&](Job& self) {
        if (!hadItsTurn) pool.post(self);
    }};
    pool.post(again);
    boost::asio::post(pool.executor(), [&] { hadItsTurn = true; });
    pool.join();

    CHECK(hadItsTurn);
}

TEST_CASE("no job of many threads is lost or run twice") {
    constexpr int each = 2000;
    boost::asio::io_context workflows;
    StepPool pool{3, workflows.get_executor()};
    std::vector<std::atomic<int>> runs(std::size_t{4} * each);
    std::deque<Job> jobs;
    for (auto& count : runs) jobs.emplace_back([&count](Job&) { ++count; });
    std::vector<std::thread> posters;
    for (std::size_t poster = 0; poster < 4; ++poster) {
        posters.emplace_back([&, poster] {
            for (std::size_t i = 0; i < each; ++i) pool.post(jobs[poster * each + i]);
        });
    }
    for (auto& poster : posters) poster.join();
    pool.join();

    bool once = true;
    for (const auto& count : runs) once = once && count == 1;
    CHECK(once);
}
