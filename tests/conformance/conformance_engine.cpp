// SPDX-License-Identifier: Apache-2.0
// The engine that conformance requirements drive, by lines of JSON on standard input and output.
//
//   conformance_engine [--parked] [--restart]
//
// This process is the world: it keeps the time, and starts a worker that runs the handlers on a
// journal file. A worker that dies is replaced by another one on the same file.
//   --parked   executions wait with their frames in memory
//   --restart  kills the worker whenever nothing can go on, so that every invocation has its own

#include "worker.hpp"
#include "worker_process.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using nlohmann::json;

namespace {

/// A new directory, deleted at the end of the scope.
class Directory {
public:
    Directory() {
        auto name =
            (std::filesystem::temp_directory_path() / "durable-conformance-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no directory: " + name};
        path_ = name;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
        return path_ / name;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

class World {
public:
    World(std::string program, bool parked, bool restart)
        : command_{std::move(program), "--worker", (directory_ / "journal.db").string(),
                   (directory_ / "log").string()},
          restart_{restart} {
        if (parked) command_.emplace_back("--parked");
        // Marks that handlers leave outside the process live and die with this world.
        ::setenv("TMPDIR", directory_.path().c_str(), 1);
    }

    json answer(const json& request) {
        const auto op = request.at("op").get<std::string>();
        if (op == "invoke") return invoke(request);
        if (op == "advance") return advance(request.at("seconds").get<double>());
        if (op == "logs") return logs(request.at("executionArn").get<std::string>());
        auto forwarded = request;
        if (request.contains("executionArn"))
            forwarded.update(executions_.at(request["executionArn"]));
        return ask(std::move(forwarded));
    }

    /// \return whether the last worker ended well.
    [[nodiscard]] bool finish() { return !worker_ || worker_->finish(); }

private:
    json invoke(const json& request) {
        const json place{{"handler", request.at("requirement")},
                         {"name", "run-" + std::to_string(executions_.size() + 1)}};
        auto start = place;
        start["op"] = "start";
        start["input"] = json::parse(request.at("payload").get<std::string>());
        auto reply = ask(std::move(start));
        if (reply.contains("error")) {
            return {{"error", "not implemented: " + reply.at("error").get<std::string>()}};
        }
        executions_.emplace(reply.at("executionArn"), place);
        if (request.at("type") == "RequestResponse") runToEnd(place);
        return reply;
    }

    void runToEnd(json execution) {
        execution["op"] = "execution";
        constexpr std::int64_t never = std::int64_t{1} << 50;
        while (ask(execution).at("Status") == "RUNNING") {
            if (!next(never)) return;
        }
    }

    json advance(double seconds) {
        const auto end = now_ + std::llround(seconds * 1000);
        while (next(end)) {
        }
        now_ = end;
        return json::object();
    }

    /// Lets happen what is due first, if that is not later than `until`.
    bool next(std::int64_t until) {
        const auto reply = ask({{"op", "next"}, {"until", until}});
        now_ = reply.at("now").get<std::int64_t>();
        return reply.at("fired").get<bool>();
    }

    json logs(const std::string& arn) const {
        auto lines = json::array();
        std::ifstream log{directory_ / "log"};
        for (std::string line; std::getline(log, line);) {
            if (line.find(arn) != std::string::npos) lines.push_back(line);
        }
        return {{"events", lines}};
    }

    /// The worker's reply. Asks the next worker again if one dies: a start is known by its name,
    /// and nothing else that is asked here matters twice.
    json ask(json request) {
        request["now"] = now_;
        constexpr int deathsMax = 20;
        for (int deaths = 0; deaths < deathsMax; ++deaths) {
            if (!worker_) worker_ = std::make_unique<WorkerProcess>(command_);
            const auto reply = worker_->ask(request.dump());
            if (restart_ || !reply) worker_.reset();
            if (reply) return json::parse(*reply);
            std::cerr << "a worker died\n";
        }
        throw std::runtime_error{"the workers die"};
    }

    Directory directory_;
    std::vector<std::string> command_;
    bool restart_;
    std::int64_t now_{1'767'225'600'000};  // the first of January 2026
    std::unique_ptr<WorkerProcess> worker_;
    std::map<std::string, json> executions_;
};

int runWorld(const char* program, bool parked, bool restart) {
    ::signal(SIGPIPE, SIG_IGN);  // a dead worker is noticed when it does not answer
    World world{program, parked, restart};
    for (std::string line; std::getline(std::cin, line);) {
        json reply;
        try {
            reply = world.answer(json::parse(line));
        } catch (const std::exception& error) {
            reply = {{"error", error.what()}};
        }
        std::cout << reply.dump()
                  << std::endl;  // NOLINT(performance-avoid-endl): a line is a reply
    }
    return world.finish() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments{argv + 1, argv + argc};
    const auto has = [&](std::string_view option) {
        return std::ranges::find(arguments, option) != arguments.end();
    };
    if (has("--worker") && arguments.size() >= 3) {
        return runWorker({.journal = arguments[1], .log = arguments[2], .parked = has("--parked")});
    }
    return runWorld("/proc/self/exe", has("--parked"), has("--restart"));
}
