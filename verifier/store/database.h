// SQLite behind values: a connection and a prepared statement, with the library's codes turned into
// StoreError. For the .cc files of this folder.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {

class Database;

// One prepared statement. Values are bound in order; step() reports what binding got wrong.
// `text` and `blob` are copied.
class Statement {
 public:
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind(ByteView blob);
  Statement& bind_null();

  // True: there is a row to read; false: done.
  Result<bool> step();
  // For statements that give no rows.
  Result<void> run();
  // Makes the statement ready to be bound and stepped again.
  void reset();

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  Bytes blob(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  // Gives a kept statement back to its connection: reset, so that it holds back no checkpoint.
  struct End {
    bool kept = false;
    void operator()(sqlite3_stmt* statement) const {
      if (!kept) {
        sqlite3_finalize(statement);
        return;
      }
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  };
  Statement(sqlite3* database, sqlite3_stmt* statement, bool kept)
      : database_(database), statement_(statement, End{kept}) {}

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, End> statement_;
  int next_ = 1;
  int bind_status_ = SQLITE_OK;
};

// One connection; not thread-safe. Movable.
class Database {
 public:
  // ":memory:" is private to this connection.
  static Result<Database> open(const std::string& path);

  Result<Statement> prepare(std::string_view sql);
  // The same, prepared once for this connection, for what an attestation asks: to prepare a
  // statement takes longer than to read a row. One at a time for each `sql`; gone before this is.
  Result<Statement> kept(const std::string& sql);
  // Runs statements that take no values.
  Result<void> execute(const std::string& sql);
  // The first column of the first row.
  Result<std::int64_t> integer(const std::string& sql);
  // Rows that the last statement changed.
  std::int64_t changes() const { return sqlite3_changes64(database_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  explicit Database(sqlite3* database) : database_(database) {}

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  std::unique_ptr<sqlite3, Close> database_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> kept_;  // by their SQL
};

// Reads one value of each row by `read` (Statement& -> Result<T>), and names those that it cannot
// read to `on_unreadable` as `name` (Statement& -> text) has them. Without one, that is the error.
template <class T, class Name, class Read>
Result<std::vector<T>> read_rows(Result<Statement> statement, const OnUnreadable& on_unreadable,
                                 Name name, Read read) {
  if (!statement) return pass(statement);
  std::vector<T> out;
  for (;;) {
    auto row = statement->step();
    if (!row) return pass(row);
    if (!*row) return out;
    Result<T> value = read(*statement);
    if (value) {
      out.push_back(std::move(*value));
    } else if (on_unreadable) {
      on_unreadable(name(*statement), value.error());
    } else {
      return pass(value);
    }
  }
}

// Calls `each` with every row of a query.
template <class Each>
Result<void> for_each_row(Result<Statement> statement, Each each) {
  if (!statement) return pass(statement);
  for (;;) {
    auto row = statement->step();
    if (!row) return pass(row);
    if (!*row) return {};
    Result<void> ok = each(*statement);
    if (!ok) return ok;
  }
}

}  // namespace touchmark::verifier::store
