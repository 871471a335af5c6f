#include "verifier/store/database.h"

#include <cerrno>

namespace touchmark::verifier::store {
namespace {

// How long a statement waits for another process's lock before it gives kBusy.
constexpr int kBusyTimeoutMs = 5000;

bool is_refusal(int system_error) {
  return system_error == EACCES || system_error == EPERM || system_error == EROFS;
}

StoreError store_error(sqlite3* database, int code) {
  const int system_error = database != nullptr ? sqlite3_system_errno(database) : 0;
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return StoreError::kNoSpace;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return StoreError::kBusy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StoreError::kCorrupt;
    case SQLITE_CANTOPEN:
      // A journal that cannot be made on a full disk shows up here too.
      if (system_error == ENOSPC) return StoreError::kNoSpace;
      return is_refusal(system_error) ? StoreError::kPermission : StoreError::kOpen;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return StoreError::kPermission;
    case SQLITE_CONSTRAINT:
      return StoreError::kDuplicate;
    case SQLITE_IOERR:
      if (is_refusal(system_error)) return StoreError::kPermission;
      return system_error == ENOSPC || system_error == EDQUOT ? StoreError::kNoSpace
                                                              : StoreError::kIo;
    default:
      return StoreError::kIo;
  }
}

// SQLite's own words speak of a database that is read-only, and not of whose it is.
std::string not_allowed(const std::string& path) {
  return path + ": this user may not write it, or the files beside it (-wal, -shm)";
}

tl::unexpected<Error> failure(sqlite3* database, int code) {
  if (database == nullptr) return fail(store_error(database, code), sqlite3_errstr(code));
  std::string message = sqlite3_errmsg(database);
  const char* path = sqlite3_db_filename(database, "main");
  if (path != nullptr && *path != '\0') {
    if (store_error(database, code) == StoreError::kPermission) {
      return fail(StoreError::kPermission, not_allowed(path));
    }
    message = std::string(path) + ": " + message;
  }
  return fail(store_error(database, code), std::move(message));
}

}  // namespace

std::string_view error_id(StoreError error) {
  using enum StoreError;
  static constexpr auto kIds = error_table<StoreError>({
      {kOpen, "store.open"},
      {kCorrupt, "store.corrupt"},
      {kTooNew, "store.too-new"},
      {kNoSpace, "store.no-space"},
      {kBusy, "store.busy"},
      {kIo, "store.io"},
      {kNotFound, "store.not-found"},
      {kDuplicate, "store.duplicate"},
      {kPermission, "store.permission"},
  });
  return kIds[error];
}

Statement& Statement::bind(std::int64_t value) {
  bind_status_ |= sqlite3_bind_int64(statement_.get(), next_++, value);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  bind_status_ |= sqlite3_bind_text64(statement_.get(), next_++, text.data(), text.size(),
                                      SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(ByteView blob) {
  // A null pointer would bind NULL instead of an empty blob.
  const void* data = blob.empty() ? "" : static_cast<const void*>(blob.data());
  bind_status_ |=
      sqlite3_bind_blob64(statement_.get(), next_++, data, blob.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_null() {
  bind_status_ |= sqlite3_bind_null(statement_.get(), next_++);
  return *this;
}

Result<bool> Statement::step() {
  if (bind_status_ != SQLITE_OK) return failure(database_, bind_status_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failure(database_, code);
}

Result<void> Statement::run() {
  auto row = step();
  if (!row) return pass(row);
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  next_ = 1;
  bind_status_ = SQLITE_OK;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const { return std::string(as_text(blob(column))); }

Bytes Statement::blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? Bytes{} : Bytes(data, data + size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  // A file that may be read alone is opened all the same, and fails at the first change.
  if ((code == SQLITE_OK && sqlite3_db_readonly(raw, "main") == 1) ||
      (code != SQLITE_OK && store_error(raw, code) == StoreError::kPermission)) {
    return fail(StoreError::kPermission, not_allowed(path));
  }
  if (code != SQLITE_OK) {
    return fail(store_error(raw, code),
                path + ": " + (raw != nullptr ? sqlite3_errmsg(raw) : sqlite3_errstr(code)));
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return Statement(database_.get(), raw, false);
}

Result<Statement> Database::kept(const std::string& sql) {
  auto& statement = kept_[sql];
  if (!statement) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return failure(database_.get(), code);
    statement.reset(raw);
  }
  return Statement(database_.get(), statement.get(), true);
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(database_.get(), code);
  return {};
}

Result<std::int64_t> Database::integer(const std::string& sql) {
  auto statement = prepare(sql);
  if (!statement) return pass(statement);
  auto row = statement->step();
  if (!row) return pass(row);
  return statement->integer(0);
}

}  // namespace touchmark::verifier::store
