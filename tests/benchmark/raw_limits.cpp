// SPDX-License-Identifier: Apache-2.0
#include "raw_limits.hpp"

#include <durable/sqlite.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

namespace benchmark_support {

namespace {

using durable::sqlite::Connection;
using durable::sqlite::Statement;
using durable::sqlite::Transaction;

/// A file as durable opens its journal, with the table that one would write by hand.
struct Database {
    explicit Database(const std::filesystem::path& file)
        : connection{file, {}}, insertion{made(connection), "write", insertionSql} {}

    static Connection& made(Connection& connection) {
        connection.execute("pragma journal_mode = wal", "make");
        connection.execute("pragma synchronous = full", "make");
        connection.execute(
            "create table if not exists journal (position integer primary key, execution integer, "
            "previous integer, entries text)",
            "make");
        return connection;
    }

    void insert(std::size_t count) {
        Transaction transaction{connection, "write"};
        for (std::size_t i = 0; i < count; ++i) {
            insertion.run(std::int64_t{1}, static_cast<std::int64_t>(i), text);
        }
        transaction.commit();
    }

    static constexpr auto insertionSql =
        "insert into journal (execution, previous, entries) values (?, ?, ?)";
    Connection connection;
    Statement insertion;
    std::string text = result(0) + std::string(60, 'y');
};

}  // namespace

double sqliteRows(const Request& request) {
    Database database{request.directory / "raw.db"};
    const auto begin = now();
    std::size_t rows = 0;
    for (; rows < request.size; rows += request.group) database.insert(request.group);
    return static_cast<double>(rows) / (now() - begin);
}

double syncedAppends(const Request& request, double seconds) {
    const auto file = request.directory / "raw.log";
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor < 0) throw std::runtime_error{"could not open " + file.string()};
    const auto text = result(0);
    const auto begin = now();
    std::size_t appends = 0;
    for (; now() - begin < seconds; ++appends) {
        if (::write(descriptor, text.data(), text.size()) < 0 || ::fdatasync(descriptor) != 0) {
            throw std::runtime_error{"could not write " + file.string()};
        }
    }
    const auto rate = static_cast<double>(appends) / (now() - begin);
    ::close(descriptor);
    return rate;
}

double sqliteReading(const Request& request, std::size_t rows) {
    const auto file = request.directory / "read.db";
    Database{file}.insert(rows);
    const auto begin = now();
    Connection connection{file, {}};
    Statement statement{connection, "read", "select entries from journal"};
    std::size_t size = 0;
    for (auto found = statement.query(); found.next();) size += found.text(0).size();
    if (size == 0) throw std::runtime_error{"nothing was read"};
    return now() - begin;
}

void writeFirstRow(const std::filesystem::path& file) { Database{file}.insert(1); }

double sqliteFirstRow(const Request& request) {
    const auto begin = now();
    (void)runSelf({"first-row", "sqlite", "1", (request.directory / "first.db").string()});
    return now() - begin;
}

}  // namespace benchmark_support
