// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/sqlite.hpp>

#include <fmt/core.h>
#include <kill/ledger.hpp>
#include <kill/victim.hpp>
#include <store/sqlite_support.hpp>
#include <support/temporary_directory.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

/// Compares, after each death, what the ledger tells with what the journal holds.
class Inspection {
public:
    explicit Inspection(std::filesystem::path directory) : directory_{std::move(directory)} {}

    /// What is wrong, a line each; empty if nothing is. Opens the journal, and closes it.
    [[nodiscard]] std::string run() { return run(Victim::journalIn(directory_)); }

    /// As `run`, but leaves the files of the journal as they are, the log too: opens a copy of
    /// them.
    [[nodiscard]] std::string runOnCopy() {
        const TemporaryDirectory copies;
        const auto journal = Victim::journalIn(directory_);
        const auto copy = copies / "copy.db";
        for (const std::string end : {"", "-wal", "-journal"}) {
            const std::filesystem::path file{journal.string() + end};
            if (std::filesystem::exists(file)) copy_file(file, copy.string() + end);
        }
        return run(copy);
    }

    [[nodiscard]] std::size_t bodies() const { return begins_.size(); }
    [[nodiscard]] std::size_t entries() const { return entries_; }

private:
    using Attempt = std::pair<std::string, int>;  ///< of `ORDER STEP`

    std::string run(const std::filesystem::path& journal) {
        wrong_.clear();
        const auto integrity = ForeignProgram{journal}.query("pragma integrity_check");
        if (integrity != "ok") add(integrity);
        const auto store = durable::SqliteStore::open(journal);
        readLedger();
        readJournal(*store);
        return wrong_;
    }

    void readLedger() {
        const auto lines = Ledger::read(Victim::ledgerIn(directory_));
        for (; read_ < lines.size(); ++read_) {
            std::istringstream line{lines[read_]};
            std::string what;
            std::string order;
            std::string name;
            int attempt = 0;
            line >> what >> order >> name >> attempt;
            const Attempt place{fmt::format("{} {}", order, name), attempt};
            if (what == "begin") {
                begins_.insert(place);
                begun_.insert(order);
                if (!begunInLife_.insert(place).second) add(lines[read_] + ", twice in one life");
                if (recorded_.contains(place.first)) add(place.first + " ran again");
                if (ended_.contains(place)) add(lines[read_] + ": that attempt was recorded");
                if (name == "charge" && begins_.count(place) > 1) add(lines[read_] + ", twice");
            } else if (what == "life") {
                begunInLife_.clear();
            } else if (what == "end") {
                ends_.insert(place.first);
            } else if (what == "started") {
                started_.insert(order);
            } else if (what == "answered") {
                answered_.insert(order);
            } else if (what == "result") {
                results_[order] = name;
            } else if (what != "asked") {
                add(lines[read_]);
            }
        }
    }

    void readJournal(durable::Store& store) {
        entries_ = 0;
        std::set<std::string> orders;
        std::set<std::string> answered;
        durable::forEachRecord(store, {}, [&](const durable::ExecutionRecord& record) {
            orders.insert(record.start.name);
            std::map<std::string, std::string> names;
            for (const auto& entry : store.load(record.id)) {
                ++entries_;
                if (!entry.name.empty()) names[entry.operationId] = entry.name;
                const auto place = record.start.name + ' ' + names[entry.operationId];
                const bool isSuccess = entry.kind == durable::EntryKind::succeeded;
                if (entry.type == durable::OperationType::step && isSuccess) {
                    recorded_.insert(place);
                    if (!isSubmitter(names[entry.operationId]) && !ends_.contains(place)) {
                        add(place + " is recorded, but never returned");
                    }
                }
                if (entry.kind == durable::EntryKind::retried) {
                    ended_.insert({place, static_cast<int>(entry.attempt)});
                }
                if (!entry.details.orDefault().callbackId.empty())
                    callbacks_[record.id] = entry.operationId;
                const bool ofCallback = callbacks_[record.id] == entry.operationId;
                if (isSuccess && ofCallback) answered.insert(record.start.name);
            }
            if (record.start.handlerName != "order") return;
            const auto result = results_.find(record.start.name);
            if (result == results_.end()) return;
            if (!record.end || record.end->result != result->second) {
                add(record.start.name + " had ended, and has not");
            }
        });
        for (const auto& order : started_) {
            if (!orders.contains(order)) add(order + " was started, and is not there");
        }
        for (const auto& order : begun_) {
            if (!orders.contains(order)) add(order + " had a body called, and is not there");
        }
        for (const auto& order : answered_) {
            if (!answered.contains(order)) add(order + " was answered, and is not");
        }
        for (const auto& [order, result] : results_) {
            if (result != std::to_string(Victim::resultOf(std::stoi(order)))) {
                add(fmt::format("{} came to {}", order, result));
            }
        }
    }

    /// Whether it is the step that hands out a callback: the ledger calls that `asked`.
    [[nodiscard]] static bool isSubmitter(const std::string& name) {
        return name.empty() || name == "ask";
    }

    void add(const std::string& what) { wrong_ += what + '\n'; }

    std::filesystem::path directory_;
    std::string wrong_;
    std::size_t read_{};
    std::size_t entries_{};
    std::multiset<Attempt> begins_;
    std::set<Attempt> begunInLife_;   ///< by the process of which the ledger tells last
    std::set<Attempt> ended_;         ///< attempts of which a retry is recorded
    std::set<std::string> recorded_;  ///< steps of which a result is recorded
    std::set<std::string> ends_;
    std::set<std::string> begun_;  ///< orders of which a body was called
    std::set<std::string> started_;
    std::set<std::string> answered_;
    std::map<std::string, std::string> results_;
    std::map<durable::ExecutionId, std::string> callbacks_;
};
