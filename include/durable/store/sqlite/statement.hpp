// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <durable/store/sqlite/connection.hpp>

#include <sqlite3.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace durable::inline v0::sqlite {

/// A prepared statement.
///
/// Thread-safety: none, as its connection.
class Statement {
public:
    /// The rows of one run. Resets the statement at the end of the scope, so that no read
    /// transaction stays open. One at a time per statement.
    class Rows {
    public:
        explicit Rows(Statement& statement) : statement_{statement} {}
        Rows(const Rows&) = delete;
        Rows& operator=(const Rows&) = delete;
        ~Rows() { sqlite3_reset(statement_.handle()); }

        /// Goes to the first or next row.
        /// \return false if there is none.
        bool next() { return statement_.step(); }

        [[nodiscard]] bool isNull(int column) const {
            return sqlite3_column_type(statement_.handle(), column) == SQLITE_NULL;
        }
        [[nodiscard]] std::int64_t integer(int column) const {
            return sqlite3_column_int64(statement_.handle(), column);
        }
        /// Valid until the next row.
        [[nodiscard]] std::string_view text(int column) const {
            const auto* bytes = sqlite3_column_text(statement_.handle(), column);
            const auto size = sqlite3_column_bytes(statement_.handle(), column);
            return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
        }
        [[nodiscard]] std::optional<std::string> optionalText(int column) const {
            if (isNull(column)) return std::nullopt;
            return std::string{text(column)};
        }

    private:
        Statement& statement_;
    };

    /// \param purpose completes "Could not ... the journal" when it fails.
    Statement(Connection& connection, std::string_view purpose, std::string_view sql)
        : connection_{connection}, purpose_{purpose} {
        sqlite3_stmt* prepared = nullptr;
        const int code =
            sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
        handle_.reset(prepared);
        if (code != SQLITE_OK) connection.fail(purpose);
    }

    /// Runs it to its end. Parameters are numbered from 1; an empty optional is NULL.
    template <class... Values>
    void run(const Values&... values) {
        Rows rows{*this};
        bindAll(SQLITE_STATIC, values...);
        while (rows.next()) {
        }
    }

    /// Starts it. The values may die before the rows are read.
    template <class... Values>
    [[nodiscard]] Rows query(const Values&... values) {
        bindAll(SQLITE_TRANSIENT, values...);
        return Rows{*this};
    }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const noexcept { sqlite3_finalize(handle); }
    };

    [[nodiscard]] sqlite3_stmt* handle() const noexcept { return handle_.get(); }

    template <class... Values>
    void bindAll([[maybe_unused]] sqlite3_destructor_type lifetime, const Values&... values) {
        int parameter = 0;
        (require(bind(++parameter, values, lifetime)), ...);
    }

    int bind(int parameter, std::integral auto value, sqlite3_destructor_type) {
        return sqlite3_bind_int64(handle(), parameter, static_cast<std::int64_t>(value));
    }
    int bind(int parameter, std::string_view text, sqlite3_destructor_type lifetime) {
        // A null pointer would be NULL, and an empty text is not.
        const char* bytes = text.data() != nullptr ? text.data() : "";
        return sqlite3_bind_text64(handle(), parameter, bytes, text.size(), lifetime, SQLITE_UTF8);
    }
    template <class Value>
    int bind(int parameter, const std::optional<Value>& value, sqlite3_destructor_type lifetime) {
        if (value) return bind(parameter, *value, lifetime);
        return sqlite3_bind_null(handle(), parameter);
    }

    void require(int code) const {
        if (code != SQLITE_OK) connection_.fail(purpose_);
    }

    bool step() {
        const int code = sqlite3_step(handle());
        if (code == SQLITE_ROW) return true;
        if (code == SQLITE_DONE) return false;
        connection_.fail(purpose_);
    }

    Connection& connection_;
    std::string_view purpose_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_{};
};

}  // namespace durable::inline v0::sqlite
