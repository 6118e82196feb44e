// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/durable.hpp>

#include <fmt/core.h>
#include <replay/random_program.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace program {

/// An error with all that a handler can ask of it.
[[nodiscard]] inline std::string describe(const durable::ErrorObject& error) {
    auto text = fmt::format("{{{}, {}, {}", error.type.value_or("no type"),
                            error.message.value_or("no message"), error.data.value_or("no data"));
    if (error.cause) text += " <- " + describe(*error.cause);
    return text + "}";
}

[[nodiscard]] inline std::string describe(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const durable::DurableError& error) {
        return fmt::format("{} \"{}\" type {} data {} {}", durable::typeName(typeid(error).name()),
                           error.what(), error.errorType(), error.errorData(),
                           describe(error.error()));
    } catch (const std::exception& error) {
        return fmt::format("{} \"{}\"", durable::typeName(typeid(error).name()), error.what());
    } catch (...) {
        return "an unknown exception";
    }
}

/// Whether the place belongs to a handler that was invoked, and not to the first one.
[[nodiscard]] inline bool isInvoked(const std::string& path) {
    return path.find('>') != std::string::npos;
}

/// One attempt of one body.
using Attempt = std::pair<std::string, std::uint32_t>;

/// Everything that one run of a program showed to its handler and to the world: what operations
/// gave, which bodies were called, which log lines were written. Places are told by path.
class Witness {
public:
    /// A callback that the world is going to end.
    struct OpenCallback {
        std::string id;
        const Node* node;
        bool heartbeat;  ///< only a heartbeat; the end is the engine's doing
    };

    explicit Witness(const Program& program) : program_{program} { index(program.block, ""); }

    [[nodiscard]] const Block& block(const std::string& path) const { return *blocks_.at(path); }
    [[nodiscard]] const Node& node(const std::string& path) const { return *nodes_.at(path); }

    /// The path of a block of the node at `path`.
    [[nodiscard]] static std::string innerPath(const Node& node, const std::string& path,
                                               std::size_t block) {
        if (node.verb == Verb::invoke) return path + ">";
        if (node.verb == Verb::child) return path + ".";
        return fmt::format("{}[{}]", path, block);
    }

    // --- told by the handler ------------------------------------------------------------------

    /// What the operation at `path` gave. Each pass over the same place must see the same.
    void observe(const std::string& path, const std::string& text) {
        const auto [before, isNew] = observed_.emplace(path, text);
        if (!isNew) expectEqual(path, before->second, text);
    }

    /// The handler logs at `path`; `silent` if its context says that it is replaying.
    template <class Context>
    void log(const Context& context, const std::string& path) {
        const bool silent = context.isReplaying();
        const auto before = lines_[path];
        context.logger().info("{}", path);
        ++reached_[path];
        if ((lines_[path] == before) != silent) complain(path + ": isReplaying and the log differ");
    }

    /// A body was called. One that must not be is not run: it throws.
    void call(const std::string& path, std::uint32_t attempt) {
        ++calls_[{path, attempt}];
        const bool mustBeRecorded = pastIsComplete_ && !isInvoked(path);
        if (mustBeRecorded || recorded_.contains({path, attempt})) {
            complain(
                fmt::format("{}: body called, although attempt {} is recorded", path, attempt));
            throw std::logic_error{"this body must not be called"};
        }
    }

    void opened(const std::string& path, const std::string& callbackId, const Node& node,
                durable::TimePoint now) {
        if (!opened_.insert(path).second) return;
        const auto whole = std::chrono::seconds{node.seconds};
        constexpr std::chrono::milliseconds offBeat{1};  // no timer is due at the same moment
        if (node.end == CallbackEnd::timeOut) return;
        if (node.end == CallbackEnd::missHeartbeat) {
            callbacks_.emplace(now + whole / 2 + offBeat, OpenCallback{callbackId, &node, true});
        } else {
            callbacks_.emplace(now + whole + offBeat, OpenCallback{callbackId, &node, false});
        }
    }

    // --- told by who runs the program ---------------------------------------------------------

    void line(std::string_view message) { ++lines_[std::string{message}]; }

    void complain(std::string text) { complaints_.push_back(std::move(text)); }

    /// Attempts whose end the journal knew before the run.
    void setRecorded(std::set<Attempt> recorded) { recorded_ = std::move(recorded); }

    /// The journal knew everything but the end: no body of the first handler may be called.
    void setPastIsComplete() { pastIsComplete_ = true; }

    [[nodiscard]] std::optional<durable::TimePoint> nextCallback() const {
        if (callbacks_.empty()) return std::nullopt;
        return callbacks_.begin()->first;
    }
    [[nodiscard]] OpenCallback takeCallback() {
        return callbacks_.extract(callbacks_.begin()).mapped();
    }

    void setEnd(std::string end) { end_ = std::move(end); }

    // --- for comparing ------------------------------------------------------------------------

    [[nodiscard]] const Program& program() const { return program_; }
    [[nodiscard]] const std::string& end() const { return end_; }
    [[nodiscard]] const std::map<std::string, std::string>& observed() const { return observed_; }
    [[nodiscard]] const std::map<std::string, int>& reached() const { return reached_; }
    [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
    [[nodiscard]] const std::map<Attempt, int>& calls() const { return calls_; }

    [[nodiscard]] int lines(const std::string& path) const {
        const auto found = lines_.find(path);
        return found == lines_.end() ? 0 : found->second;
    }

    void expectEqual(const std::string& what, const std::string& expected,
                     const std::string& seen) {
        if (expected == seen) return;
        complain(fmt::format("{}\n    first: {}\n    now:   {}", what, expected, seen));
    }

private:
    /// Blocks and nodes by their paths.
    void index(const Block& block, const std::string& path) {
        for (std::size_t i = 0; i < block.size(); ++i) {
            const auto here = fmt::format("{}/{}", path, i);
            nodes_[here] = &block[i];
            for (std::size_t b = 0; b < block[i].blocks.size(); ++b) {
                const auto inner = innerPath(block[i], here, b);
                blocks_[inner] = &block[i].blocks[b];
                index(block[i].blocks[b], inner);
            }
        }
    }

    const Program& program_;
    std::map<std::string, const Block*> blocks_;
    std::map<std::string, const Node*> nodes_;
    std::map<std::string, std::string> observed_;
    std::map<std::string, int> reached_;
    std::map<std::string, int> lines_;
    std::map<Attempt, int> calls_;
    std::set<Attempt> recorded_;
    bool pastIsComplete_{};
    std::set<std::string> opened_;
    std::multimap<durable::TimePoint, OpenCallback> callbacks_;
    std::vector<std::string> complaints_;
    std::string end_;
};

}  // namespace program
