#include "verifier/store/sqlite_store.h"

#include <algorithm>

#include "base/json.h"
#include "verifier/store/audit_chain.h"
#include "verifier/store/schema.h"
#include "verifier/store/sqlite_transaction.h"

namespace touchmark::verifier::store {
namespace {

Result<Sha256Digest> digest_column(const Statement& row, int column) {
  const Bytes blob = row.blob(column);
  Sha256Digest digest;
  if (blob.size() != digest.size()) {
    return fail(StoreError::kCorrupt,
                "a digest in the database has " + std::to_string(blob.size()) + " bytes");
  }
  std::ranges::copy(blob, digest.begin());
  return digest;
}

Result<model::AuditEntry> audit_row(const Statement& row) {
  model::AuditEntry entry{from_unix(row.integer(1)), row.text(2), row.text(3), row.text(4), {}};
  auto hash = digest_column(row, 5);
  if (!hash) return pass(hash);
  entry.hash = *hash;
  return entry;
}

Result<Database> open_connection(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return pass(database);
  if (auto ok = database->execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL"); !ok) {
    return pass(ok);
  }
  return database;
}

}  // namespace

OpenTransaction::~OpenTransaction() {
  // A failed COMMIT may have ended the transaction already; then this fails, and nothing is lost.
  if (open_) static_cast<void>(database_.execute("ROLLBACK"));
}

Result<void> OpenTransaction::begin() {
  auto begun = database_.execute("BEGIN IMMEDIATE");
  open_ = begun.has_value();
  return begun;
}

Result<void> OpenTransaction::commit() {
  auto done = database_.execute("COMMIT");
  if (done) open_ = false;
  return done;
}

Result<void> SqliteStore::write(const Change& change) {
  const MutexLock lock(writer_mutex_);
  OpenTransaction open(writer_);
  if (auto ok = open.begin(); !ok) return ok;
  SqliteTransaction transaction(writer_);
  if (auto ok = change(transaction); !ok) return ok;
  return open.commit();
}

Result<void> SqliteTransaction::put_api(const model::ApiDomain& api) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO api VALUES (?, ?)");
  if (!statement) return pass(statement);
  return statement->bind(api.domain).bind(dump_json(Json(api.pins))).run();
}

Result<std::vector<model::ApiDomain>> apis_in(Database& database) {
  std::vector<model::ApiDomain> out;
  auto ok = for_each_row(database.prepare("SELECT domain, pins FROM api ORDER BY domain"),
                         [&](const Statement& row) -> Result<void> {
                           model::ApiDomain api{row.text(0), {}};
                           auto pins = parse_json(row.text(1));
                           if (!pins || !pins->is_array()) {
                             return fail(StoreError::kCorrupt,
                                         "the pins of " + api.domain + " cannot be read");
                           }
                           for (const Json& pin : *pins) {
                             if (pin.is_string()) api.pins.push_back(pin.get<std::string>());
                           }
                           out.push_back(std::move(api));
                           return {};
                         });
  if (!ok) return pass(ok);
  return out;
}

Result<std::vector<model::ApiDomain>> SqliteTransaction::apis() { return apis_in(database_); }

Result<std::vector<model::ApiDomain>> SqliteStore::apis() {
  const MutexLock lock(writer_mutex_);
  return apis_in(writer_);
}

Result<void> SqliteTransaction::remove_api(const std::string& domain) {
  auto statement = database_.prepare("DELETE FROM api WHERE domain = ?");
  if (!statement) return pass(statement);
  if (auto ok = statement->bind(domain).run(); !ok) return ok;
  if (database_.changes() == 0) {
    return fail(StoreError::kNotFound, "no API domain \"" + domain + "\" is configured");
  }
  return {};
}

Result<void> SqliteTransaction::put_operator_token(const model::OperatorToken& token) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO operator_token VALUES (?, ?, ?)");
  if (!statement) return pass(statement);
  return statement->bind(token.name).bind(to_string(token.role)).bind(token.token_sha256).run();
}

Result<std::vector<model::OperatorToken>> operator_tokens_in(Database& database) {
  std::vector<model::OperatorToken> out;
  auto ok = for_each_row(
      database.prepare("SELECT name, role, sha256 FROM operator_token ORDER BY name"),
      [&](const Statement& row) -> Result<void> {
        auto hash = digest_column(row, 2);
        if (!hash) return pass(hash);
        const bool is_admin = row.text(1) == to_string(model::Role::kAdmin);
        const model::Role role = is_admin ? model::Role::kAdmin : model::Role::kDeveloper;
        out.push_back({row.text(0), role, *hash});
        return {};
      });
  if (!ok) return pass(ok);
  return out;
}

Result<std::vector<model::OperatorToken>> SqliteTransaction::operator_tokens() {
  return operator_tokens_in(database_);
}

Result<std::vector<model::OperatorToken>> SqliteStore::operator_tokens() {
  const MutexLock lock(writer_mutex_);
  return operator_tokens_in(writer_);
}

Result<std::optional<Bytes>> SqliteStore::get(const std::string& name) {
  const MutexLock lock(writer_mutex_);
  auto statement = writer_.prepare("SELECT value FROM setting WHERE name = ?");
  if (!statement) return pass(statement);
  auto row = statement->bind(name).step();
  if (!row) return pass(row);
  if (!*row) return std::nullopt;
  return statement->blob(0);
}

Result<void> SqliteTransaction::put(const std::string& name, ByteView value) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO setting VALUES (?, ?)");
  if (!statement) return pass(statement);
  return statement->bind(name).bind(value).run();
}

Result<void> SqliteTransaction::audit(const model::AuditEntry& entry) {
  auto last = database_.prepare("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
  if (!last) return pass(last);
  auto found = last->step();
  if (!found) return pass(found);
  Sha256Digest before{};
  std::int64_t number = 1;
  if (*found) {
    auto hash = digest_column(*last, 1);
    if (!hash) return pass(hash);
    before = *hash;
    number = last->integer(0) + 1;
  }
  auto insert = database_.prepare("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)");
  if (!insert) return pass(insert);
  return insert->bind(number)
      .bind(to_unix(entry.time))
      .bind(entry.actor)
      .bind(entry.action)
      .bind(entry.detail)
      .bind(audit_hash(before, number, entry))
      .run();
}

Result<std::vector<model::AuditEntry>> SqliteStore::audit_log(std::size_t limit) {
  const MutexLock lock(writer_mutex_);
  auto statement = writer_.prepare(
      "SELECT number, time, actor, action, detail, hash FROM audit ORDER BY number DESC LIMIT ?");
  if (!statement) return pass(statement);
  statement->bind(static_cast<std::int64_t>(limit));
  std::vector<model::AuditEntry> out;
  auto ok = for_each_row(std::move(statement), [&](const Statement& row) -> Result<void> {
    auto entry = audit_row(row);
    if (!entry) return pass(entry);
    out.push_back(std::move(*entry));
    return {};
  });
  if (!ok) return pass(ok);
  return out;
}

Result<std::uint64_t> SqliteStore::verify_audit() {
  const MutexLock lock(writer_mutex_);
  Sha256Digest before{};
  std::int64_t number = 0;
  auto ok = for_each_row(
      writer_.prepare(
          "SELECT number, time, actor, action, detail, hash FROM audit ORDER BY number"),
      [&](const Statement& row) -> Result<void> {
        auto entry = audit_row(row);
        if (!entry) return pass(entry);
        ++number;
        if (row.integer(0) != number || audit_hash(before, number, *entry) != entry->hash) {
          return fail(StoreError::kCorrupt, "audit entry " + std::to_string(number) +
                                                " does not follow from the one before");
        }
        before = entry->hash;
        return {};
      });
  if (!ok) return pass(ok);
  return static_cast<std::uint64_t>(number);
}

Result<void> SqliteStore::ping() {
  return reading([](Database& database) -> Result<void> {
    auto one = database.integer("SELECT count(*) FROM sqlite_schema");
    if (!one) return pass(one);
    return {};
  });
}

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path) {
  auto writer = open_connection(path);
  if (!writer) return pass(writer);
  // Before anything is changed: the file may be another program's.
  if (auto ok = migrate(*writer); !ok) return pass(ok);
  if (path == ":memory:") return std::make_unique<SqliteStore>(std::move(*writer), std::nullopt);
  if (auto ok = writer->execute("PRAGMA journal_mode = WAL"); !ok) return pass(ok);
  auto reader = open_connection(path);
  if (!reader) return pass(reader);
  return std::make_unique<SqliteStore>(std::move(*writer), std::move(*reader));
}

}  // namespace touchmark::verifier::store
