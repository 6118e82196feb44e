// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/testing/history_table.hpp>
#include <durable/testing/sweep_outcome.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace durable::inline v0 {

namespace testing {

namespace detail {

/// Finds how a run with crashes differs from the one without.
class SweepComparison {
public:
    SweepComparison(const SweepOutcome& clean, const SweepOutcome& now, bool cutOffStepsMayFail)
        : clean_{clean}, now_{now}, cutOff_{now.cutOff()}, mayDiffer_{cutOffStepsMayFail} {}

    /// A line or more for each difference; empty if there are none that a crash may not make.
    [[nodiscard]] std::vector<std::string> run() {
        if (!now_.stuck.empty()) add("the run did not end: " + now_.stuck);
        if (!now_.wrong.empty()) add("the check failed: " + now_.wrong + repeatedBodies());
        for (const auto& violation : now_.violations) add(violation);
        if (now_.stuck.empty() && !(cutOff_ && mayDiffer_)) compare();
        return std::move(differences_);
    }

private:
    /// The steps that most likely lack an idempotency key.
    [[nodiscard]] std::string repeatedBodies() const {
        std::string steps;
        for (const auto& [place, calls] : now_.calls) {
            const auto repeated = [](const auto& attempt) { return attempt.second > 1; };
            if (!std::ranges::any_of(calls.attempts, repeated)) continue;
            steps += (steps.empty() ? "\n    called again after the crash: " : ", ") + calls.step;
        }
        return steps;
    }

    void compare() {
        tellCutOff();
        for (const auto& [name, execution] : clean_.executions) {
            if (!now_.executions.contains(name) && !isOpen(clean_, execution)) {
                add(fmt::format("execution \"{}\" is missing", name));
            }
        }
        for (const auto& [name, execution] : now_.executions) {
            const auto before = clean_.executions.find(name);
            if (before == clean_.executions.end()) {
                if (isOpen(now_, execution)) continue;
                add(fmt::format("execution \"{}\" is new: without a crash there is none", name));
                continue;
            }
            const auto who = clean_.executions.size() == 1 ? std::string{"the execution"}
                                                           : fmt::format("execution \"{}\"", name);
            unlike(who + " ended otherwise", before->second.end, execution.end);
            compareOperations(name, before->second, execution);
        }
    }

    void tellCutOff() {
        for (const auto& [name, execution] : now_.executions) {
            for (const auto& [id, operation] : execution.operations) {
                if (!operation.cutOff || operation.status != "FAILED") continue;
                add(operation.what +
                    " failed: the crash cut it off, and with at-most-once semantics and no further "
                    "attempt it does not run again");
            }
        }
    }

    void compareOperations(const std::string& execution, const SeenExecution& before,
                           const SeenExecution& now) {
        for (const auto& [id, operation] : before.operations) {
            if (operation.open || now.operations.contains(id) || now.isOpen(id)) continue;
            add(fmt::format("{} is missing: without a crash it {}", operation.what,
                            operation.status));
        }
        for (const auto& [id, operation] : now.operations) {
            const auto found = before.operations.find(id);
            if (operation.open || before.isOpen(id)) continue;
            if (found == before.operations.end()) {
                add(operation.what + " is new: without a crash there is none");
            } else {
                compare(found->second, operation);
                compareCalls({execution, id}, operation);
            }
        }
    }

    /// Whether a crash may keep the execution from being invoked, or from not being invoked.
    [[nodiscard]] static bool isOpen(const SweepOutcome& outcome, const SeenExecution& execution) {
        const auto invoker = outcome.executions.find(execution.invoker);
        return invoker != outcome.executions.end() &&
               invoker->second.isOpen(execution.invokerOperation);
    }

    void compare(const SeenOperation& before, const SeenOperation& now) {
        if (before.what != now.what) {
            unlike("another operation has the id", before.what, now.what);
            return;
        }
        if (cutOff_) {  // more attempts, and later
            unlike(now.what + " ended otherwise", before.status, now.status);
            return;
        }
        const auto count = std::max(before.events.size(), now.events.size());
        for (std::size_t i = 0; i < count; ++i) {
            const auto eventOf = [i](const SeenOperation& operation) {
                return i < operation.events.size() ? operation.events[i] : SeenEvent{"", "nothing"};
            };
            const auto was = eventOf(before);
            const auto is = eventOf(now);
            if (was.what == is.what && was.time == is.time) continue;
            const auto text = [&](const SeenEvent& event) {
                return was.what == is.what ? event.time + ' ' + event.what : event.what;
            };
            unlike("the history of " + now.what + " differs", text(was), text(is));
            return;  // what follows follows from that
        }
    }

    /// Crashes repeat attempts; they make no new ones.
    void compareCalls(const BodyCalls::Place& place, const SeenOperation& operation) {
        if (!operation.isStep) return;
        const auto clean = clean_.calls.find(place);
        const auto now = now_.calls.find(place);
        const auto attempts = [](const auto& calls, const auto& all) {
            return calls == all.end() ? 0 : calls->second.attempts.size();
        };
        const auto before = attempts(clean, clean_.calls);
        const auto after = attempts(now, now_.calls);
        if (!cutOff_ && before != after) {
            add(fmt::format("the body of {} was called in {} attempts, without a crash in {}",
                            operation.what, after, before));
        }
        const bool returned = now != now_.calls.end() && now->second.returned > 0;
        if (operation.status == "SUCCEEDED" && !returned) {
            add(operation.what + " is recorded as succeeded, but its body never returned");
        }
    }

    void unlike(const std::string& what, const std::string& before, const std::string& now) {
        if (before == now) return;
        const auto differs = std::ranges::mismatch(before, now).in1 - before.begin();
        add(fmt::format("{}\n    without a crash: {}\n    now:             {}", what,
                        shortenedAround(before, differs), shortenedAround(now, differs)));
    }

    /// What fits a line, with the place at which it differs.
    [[nodiscard]] static std::string shortenedAround(const std::string& text,
                                                     std::ptrdiff_t differs) {
        constexpr std::ptrdiff_t before = 30;
        const auto cut = static_cast<std::size_t>(std::max(differs - before, std::ptrdiff_t{0}));
        auto whole = shortened(text);
        if (whole == text || cut == 0) return whole;
        return shortened("..." + text.substr(cut));
    }

    void add(std::string difference) { differences_.push_back(std::move(difference)); }

    const SweepOutcome& clean_;
    const SweepOutcome& now_;
    bool cutOff_;
    bool mayDiffer_;
    std::vector<std::string> differences_;
};

}  // namespace detail

}  // namespace testing

}  // namespace durable::inline v0
