// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>
#include <replay/program_run.hpp>
#include <replay/random_program.hpp>
#include <replay/witness.hpp>
#include <support/recording_store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

/// \file
/// The property: a program shows its handler the same on the first run, on replay, with every
/// suspension ending the invocation, and after a crash.

namespace program {

/// Whether a context that runs `block` is sure to leave a record of an operation.
[[nodiscard]] inline bool leavesRecord(const Block& block) {
    for (const auto& node : block) {
        if (node.verb == Verb::log) continue;
        if (node.verb == Verb::fail) return false;
        if (node.verb != Verb::child || !node.isVirtual) return true;
        if (leavesRecord(node.blocks[0])) return true;
        if (!node.caught) return false;
    }
    return false;
}

/// Lines that may be written again although their context went on: what follows them in it leaves
/// no record by which a replay could know. Only contexts that are not recorded themselves, and the
/// handler's own, run again at all after that.
inline void findUnguardedLines(const Block& block, const std::string& path, bool contextRunsAgain,
                               std::set<std::string>& lines) {
    const auto guarded = [&](std::size_t index) {
        for (std::size_t next = index + 1; next < block.size(); ++next) {
            const auto& node = block[next];
            if (node.verb == Verb::log) continue;
            if (node.verb == Verb::fail) return false;
            return node.verb != Verb::child || !node.isVirtual || leavesRecord(node.blocks[0]);
        }
        return !contextRunsAgain;
    };
    for (std::size_t i = 0; i < block.size(); ++i) {
        const auto here = fmt::format("{}/{}", path, i);
        const auto& node = block[i];
        if (node.verb == Verb::log && !guarded(i)) lines.insert(here);
        const bool runsAgain = node.verb == Verb::invoke || node.isVirtual;
        for (std::size_t b = 0; b < node.blocks.size(); ++b) {
            findUnguardedLines(node.blocks[b], Witness::innerPath(node, here, b), runsAgain, lines);
        }
    }
}

/// Whether the order in which items end may change what the batch gives: then a crash, which
/// changes that order, may too.
[[nodiscard]] inline bool dependsOnOrder(const Node& node) {
    if (!isBatch(node) || node.blocks.size() < 2 || node.maxConcurrency == 1) return false;
    const auto& policy = node.policy;
    const auto items = node.blocks.size();
    if (policy.predicate != Predicate::none || policy.minSuccessful) return true;
    if (!policy.toleratedFailureCount && !policy.toleratedFailurePercentage) return true;
    return policy.toleratedFailureCount.value_or(items) < items ||
           policy.toleratedFailurePercentage.value_or(100) < 100;
}

/// Whether a crash may change the results: by what is documented, not by mistake.
[[nodiscard]] inline bool crashMayChangeResults(const Program& program) {
    bool may = false;
    forEachNode(program.block, [&](const Node& node) {
        may = may || dependsOnOrder(node) || (node.verb == Verb::step && node.atMostOnce);
    });
    return may;
}

/// The blocks of `node` in which another handler is invoked.
[[nodiscard]] inline std::size_t blocksThatInvoke(const Node& node) {
    return static_cast<std::size_t>(std::ranges::count_if(node.blocks, [](const Block& block) {
        bool invokes = false;
        forEachNode(block,
                    [&](const Node& inner) { invokes = invokes || inner.verb == Verb::invoke; });
        return invokes;
    }));
}

/// Whether ending the invocation at each suspension may change the results.
///
/// Of a flat batch nothing tells that an item has ended until its code has run again, and another
/// item may decide first. Two invoked executions may end at the same moment, and nothing orders
/// them.
[[nodiscard]] inline bool evictionMayChangeResults(const Program& program) {
    bool may = false;
    forEachNode(program.block, [&](const Node& node) {
        may = may || (dependsOnOrder(node) && (node.isVirtual || blocksThatInvoke(node) > 1));
    });
    return may;
}

/// Everything that `now` saw must be what `first` saw, where both looked. Invoked handlers that
/// nobody waits for any more may come further in one run than in another.
inline void expectSame(Witness& now, const Witness& first) {
    now.expectEqual("the end of the execution", first.end(), now.end());
    for (const auto& [path, text] : now.observed()) {
        const auto before = first.observed().find(path);
        if (before != first.observed().end()) {
            now.expectEqual(path, before->second, text);
        } else if (!isInvoked(path)) {
            now.complain(fmt::format("{}: reached for the first time\n    gave: {}", path, text));
        }
    }
}

/// Each line that was reached is written once; `unguarded` ones may be written more often.
inline void expectLines(Witness& now, const std::set<std::string>& unguarded) {
    for (const auto& [path, times] : now.reached()) {
        const auto lines = now.lines(path);
        if (lines == 1 || (lines > 1 && unguarded.contains(path))) continue;
        now.complain(fmt::format("{}: logged {} times", path, lines));
    }
}

/// A replay over the complete past logs nothing but what nothing recorded follows.
inline void expectSilence(Witness& now, const std::set<std::string>& unguarded) {
    for (const auto& [path, times] : now.reached()) {
        if (now.lines(path) == 0 || unguarded.contains(path)) continue;
        if (isInvoked(path)) continue;  // still at work
        now.complain(fmt::format("{}: logged again", path));
    }
}

/// Replays the finished execution of `store`, and compares with the run that made it.
inline void checkReplay(Witness& replay, const RecordingStore& store, const Witness& first,
                        const std::set<std::string>& unguarded) {
    const auto past = store.withoutEndOf(root);
    const auto operations = past->load(root).size();
    replay.setRecorded(recordedAttempts(*past));
    replay.setPastIsComplete();
    expectCallbacks(replay, *past, lastTime(*past));
    runToEnd(replay, past, 1000, lastTime(*past));
    expectSame(replay, first);
    expectSilence(replay, unguarded);
    const auto entries = past->load(root);
    for (std::size_t i = operations; i < entries.size(); ++i) {
        if (entries[i].kind != durable::EntryKind::started) continue;
        replay.complain(fmt::format("replay recorded a new operation \"{}\"", entries[i].name));
    }
}

/// After which transactions the process dies.
enum class Cuts {
    one,  ///< that the seed tells
    all,
};

inline void append(std::vector<std::string>& all, const std::string& run, const Witness& witness) {
    for (const auto& complaint : witness.complaints()) {
        all.push_back(fmt::format("{}: {}", run, complaint));
    }
}

/// Where the runs of `program` differ; empty if the property holds.
[[nodiscard]] inline std::vector<std::string> check(const Program& program, Cuts cuts,
                                                    std::uint32_t seed) {
    std::vector<std::string> complaints;
    std::set<std::string> unguarded;
    findUnguardedLines(program.block, "", true, unguarded);
    const auto start = durable::testing::ManualClock{}.now();

    Witness first{program};
    const auto store = std::make_shared<RecordingStore>();
    runToEnd(first, store, std::numeric_limits<std::size_t>::max(), start);
    expectLines(first, {});
    append(complaints, "first run", first);

    Witness replay{program};
    checkReplay(replay, *store, first, unguarded);
    append(complaints, "replay", replay);

    Witness evicted{program};
    const auto evictedStore = std::make_shared<RecordingStore>();
    runToEnd(evicted, evictedStore, 0, start);
    expectLines(evicted, unguarded);
    if (evictionMayChangeResults(program)) {
        Witness again{program};
        checkReplay(again, *evictedStore, evicted, unguarded);
        append(complaints, "every suspension ends the invocation, replay", again);
    } else {
        expectSame(evicted, first);
    }
    append(complaints, "every suspension ends the invocation", evicted);

    const auto last = store->transactionOfEnd(root);
    const auto chosen = last < 2 ? 1 : 1 + seed % (last - 1);
    for (std::size_t cut = 1; cut < last; ++cut) {
        if (cuts == Cuts::one && cut != chosen) continue;
        const auto rest = store->after(cut);
        Witness resumed{program};
        resumed.setRecorded(recordedAttempts(*rest));
        expectCallbacks(resumed, *rest, lastTime(*rest));
        runToEnd(resumed, rest, seed % 2 == 0 ? 0 : 1000, lastTime(*rest));
        if (!crashMayChangeResults(program)) expectSame(resumed, first);
        append(complaints, fmt::format("died after commit {} of {}", cut, last), resumed);

        Witness again{program};
        checkReplay(again, *rest, resumed, unguarded);
        append(complaints, fmt::format("died after commit {} of {}, replay", cut, last), again);
    }
    return complaints;
}

}  // namespace program
