// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/base/clock.hpp>
#include <durable/base/exception.hpp>
#include <durable/plugin/plugin.hpp>

#include <fmt/core.h>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace durable::inline v0 {

/// The plugins of an engine, called one after another; what they throw is logged and ignored.
///
/// Thread-safety: all members.
class Plugins {
public:
    /// \param log for what plugins throw; not enriched.
    Plugins(std::vector<std::shared_ptr<Plugin>> plugins, LogSink log,
            std::shared_ptr<const Clock> clock)
        : plugins_{std::move(plugins)}, log_{std::move(log)}, clock_{std::move(clock)} {
        std::erase(plugins_, nullptr);
    }

    [[nodiscard]] bool empty() const noexcept { return plugins_.empty(); }
    [[nodiscard]] TimePoint now() const { return clock_->now(); }

    /// Calls `hook(plugin)` of each plugin.
    template <class Hook>
    void each(std::string_view name, Hook hook) const noexcept {
        for (const auto& plugin : plugins_) guarded(name, *plugin, [&] { hook(*plugin); });
    }

    /// Runs `body`, which does not throw, exactly once, inside `wrapOperationAttempt` of all
    /// plugins.
    void wrapAttempt(const AttemptInfo& info, const std::function<void()>& body) const noexcept {
        wrapFrom(0, info, body);
    }

    /// A sink that adds the fields of the plugins to each line.
    [[nodiscard]] static LogSink enriched(std::shared_ptr<const Plugins> plugins) {
        return [plugins = std::move(plugins)](const LogRecord& record) {
            if (!plugins->log_) return;
            std::vector<LogField> fields{record.fields.begin(), record.fields.end()};
            plugins->each("enrichLogContext", [&](Plugin& plugin) {
                auto extended = fields;
                plugin.enrichLogContext(record, extended);
                fields = std::move(extended);
            });
            auto enrichedRecord = record;
            enrichedRecord.fields = fields;
            plugins->log_(enrichedRecord);
        };
    }

private:
    void wrapFrom(std::size_t index, const AttemptInfo& info,
                  const std::function<void()>& body) const noexcept {
        if (index == plugins_.size()) return body();
        bool ran = false;
        const auto once = [&] {
            if (std::exchange(ran, true)) return;
            wrapFrom(index + 1, info, body);
        };
        guarded("wrapOperationAttempt", *plugins_[index],
                [&] { plugins_[index]->wrapOperationAttempt(info, once); });
        once();
    }

    template <class Call>
    void guarded(std::string_view name, const Plugin& plugin, const Call& call) const noexcept {
        try {
            call();
        } catch (const std::exception& error) {
            complain(name, plugin, error.what());
        } catch (...) {
            complain(name, plugin, "an exception that is no std::exception");
        }
    }

    void complain(std::string_view hook, const Plugin& plugin,
                  std::string_view what) const noexcept {
        try {
            if (!log_) return;
            const auto message = fmt::format("plugin {}: {} threw and was ignored: {}",
                                             typeName(typeid(plugin).name()), hook, what);
            LogRecord record;
            record.time = clock_->now();
            record.level = LogLevel::warn;
            record.message = message;
            log_(record);
        } catch (...) {
            // There is nobody left to tell.
        }
    }

    std::vector<std::shared_ptr<Plugin>> plugins_;
    LogSink log_;
    std::shared_ptr<const Clock> clock_;
};

}  // namespace durable::inline v0
