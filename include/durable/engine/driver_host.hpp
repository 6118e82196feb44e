// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/engine/journal_writer.hpp>
#include <durable/journal/operation.hpp>
#include <durable/journal/service.hpp>
#include <durable/store/store.hpp>

#include <exception>
#include <functional>
#include <optional>

namespace durable::inline v0 {

class ExecutionDriver;

/// What a driver needs of its engine. Called on the driver's strand.
class DriverHost {
public:
    DriverHost() = default;
    DriverHost(const DriverHost&) = delete;
    DriverHost& operator=(const DriverHost&) = delete;

    virtual void submit(JournalWriter::Submission&& submission) = 0;

    /// Gives a command to the execution's driver; makes one if there is none.
    virtual void dispatch(ExecutionId execution, std::function<void(ExecutionDriver&)> command) = 0;
    /// Starts a new execution. `done` is called when that is durable, or with what kept it from
    /// being so; not at all if the engine stops.
    virtual void create(ExecutionStart start,
                        std::function<void(const Refusal*, std::exception_ptr)> done) = 0;

    virtual void arm(ExecutionId execution, std::optional<TimePoint> time) = 0;

    /// Whether executions may wait with their frames in memory.
    [[nodiscard]] virtual bool mayPark() const = 0;

    /// The execution waits for the world with its frames in memory, and this is recorded.
    virtual void parked(ExecutionDriver& driver) = 0;

    /// The execution is about to go on.
    virtual void resumed(ExecutionDriver& driver) = 0;

    /// The frames are gone; the execution waits in the store.
    /// \param wake the world has changed it meanwhile: it is to go on at once.
    virtual void retired(ExecutionDriver& driver, bool wake) = 0;

    /// The execution's end is durable.
    virtual void ended(ExecutionDriver& driver, const ExecutionEnd& end) = 0;

    /// The execution could not be written.
    virtual void lost(ExecutionDriver& driver, std::exception_ptr error) = 0;

    /// The execution asked for another one, durably. May be called again for the same one.
    virtual void invoke(ExecutionDriver& driver, const Operation& operation) = 0;

protected:
    ~DriverHost() = default;
};

}  // namespace durable::inline v0
