#include "verifier/store/sqlite_store.h"

#include <algorithm>
#include <cstdio>

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

std::optional<UnixTime> time_column(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_unix(row.integer(column));
}

Result<model::ApiDomain> api_row(const Statement& row) {
  model::ApiDomain api{row.text(0), {}};
  auto pins = parse_json(row.text(1));
  if (!pins || !pins->is_array()) {
    return fail(StoreError::kCorrupt, "the pins of " + api.domain + " cannot be read");
  }
  for (const Json& pin : *pins) {
    if (pin.is_string()) {
      api.pins.push_back(pin.get<std::string>());
      continue;
    }
    if (const auto key_set = find_string(pin, "keyset")) {
      api.key_set = *key_set;
      continue;
    }
    const auto name = find_string(pin, "pin");
    const auto until = get_int(pin, "until", 0, kMaxUnixTime);
    if (!name || !until) {
      return fail(StoreError::kCorrupt, "the pins of " + api.domain + " cannot be read");
    }
    api.retiring.push_back({*name, from_unix(*until)});
  }
  return api;
}

Result<model::OperatorToken> operator_token_row(const Statement& row) {
  model::OperatorToken token;
  token.name = row.text(0);
  const auto role = model::parse_role(row.text(1));
  if (!role) {
    return fail(StoreError::kCorrupt, "the role of operator " + token.name + " is not known");
  }
  token.role = *role;
  auto hash = digest_column(row, 2);
  if (!hash) return pass(hash);
  token.token_sha256 = *hash;
  token.expires = time_column(row, 3);
  const auto apps = parse_json(row.text(4));
  const auto is_text = [](const Json& app) { return app.is_string(); };
  if (!apps || !apps->is_array() || !std::ranges::all_of(*apps, is_text)) {
    return fail(StoreError::kCorrupt, "the apps of operator " + token.name + " cannot be read");
  }
  token.apps = apps->get<std::vector<std::string>>();
  token.created = from_unix(row.integer(5));
  token.created_by = row.text(6);
  return token;
}

Result<std::optional<Bytes>> setting_in(Database& database, const std::string& name) {
  auto statement = database.prepare("SELECT value FROM setting WHERE name = ?");
  if (!statement) return pass(statement);
  auto row = statement->bind(name).step();
  if (!row) return pass(row);
  if (!*row) return std::nullopt;
  return statement->blob(0);
}

// --- The audit log's end -------------------------------------------------------------------------

constexpr const char* kAuditEnd = "audit.end";  // in the table of settings
constexpr std::int64_t kAuditPage = 4096;       // entries

Result<AuditEnd> last_entry(Database& database) {
  auto statement = database.prepare("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
  if (!statement) return pass(statement);
  auto found = statement->step();
  if (!found) return pass(found);
  if (!*found) return AuditEnd{};
  auto hash = digest_column(*statement, 1);
  if (!hash) return pass(hash);
  return AuditEnd{statement->integer(0), *hash};
}

// nullopt when there is no seal, or none that `key` made.
Result<std::optional<AuditEnd>> sealed_end(Database& database, ByteView key) {
  auto sealed = setting_in(database, kAuditEnd);
  if (!sealed) return pass(sealed);
  if (!*sealed) return std::nullopt;
  return open_audit_end(**sealed, key);
}

// Follows the chain from `end` over `count` entries at most, and moves `end` to the last of them.
Result<void> follow_audit(Database& database, AuditEnd& end, std::int64_t count) {
  auto statement = database.prepare(
      "SELECT number, time, actor, action, detail, hash FROM audit WHERE number > ? ORDER BY "
      "number LIMIT ?");
  if (!statement) return pass(statement);
  statement->bind(end.number).bind(count);
  return for_each_row(std::move(statement), [&](const Statement& row) -> Result<void> {
    auto entry = audit_row(row);
    if (!entry) return pass(entry);
    const std::int64_t number = end.number + 1;
    if (row.integer(0) != number || audit_hash(end.hash, number, *entry) != entry->hash) {
      return fail(StoreError::kCorrupt, "audit entry " + std::to_string(number) +
                                            " is missing or does not follow from the one before");
    }
    end = {number, entry->hash};
    return {};
  });
}

Result<void> check_end(const AuditEnd& end, const std::optional<AuditEnd>& sealed) {
  if (!sealed) {
    return fail(StoreError::kCorrupt,
                "the seal on the audit log's end is missing or forged, so entries may be too");
  }
  if (*sealed == end) return {};
  if (sealed->number > end.number) {
    return fail(StoreError::kCorrupt,
                "the newest entries are missing: the audit log ends at entry " +
                    std::to_string(end.number) + ", and " + std::to_string(sealed->number) +
                    " were written");
  }
  return fail(StoreError::kCorrupt, "the audit log is not the one that was written: its entry " +
                                        std::to_string(sealed->number) + " is another");
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

Result<void> OpenTransaction::begin() { return begin_with("BEGIN IMMEDIATE"); }

Result<void> OpenTransaction::begin_reading() { return begin_with("BEGIN"); }

Result<void> OpenTransaction::begin_with(const char* statement) {
  auto begun = database_.execute(statement);
  open_ = begun.has_value();
  return begun;
}

Result<void> OpenTransaction::commit() {
  auto done = database_.execute("COMMIT");
  if (done) open_ = false;
  return done;
}

Result<void> SqliteStore::write(const Change& change) {
  return writing([&](Database& database) {
    SqliteTransaction transaction(database, audit_key());
    return change(transaction);
  });
}

Bytes SqliteStore::audit_key() {
  const MutexLock lock(key_mutex_);
  return audit_key_;
}

void SqliteStore::seal_audit_with(ByteView key) {
  const MutexLock lock(key_mutex_);
  audit_key_ = to_bytes(key);
}

Result<void> SqliteTransaction::put_api(const model::ApiDomain& api) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO api VALUES (?, ?)");
  if (!statement) return pass(statement);
  // Earlier versions read the pins without an end, and pass the others over.
  Json pins(api.pins);
  for (const model::RetiringPin& one : api.retiring) {
    pins.push_back({{"pin", one.pin}, {"until", to_unix(one.until)}});
  }
  if (!api.key_set.empty()) pins.push_back({{"keyset", api.key_set}});
  return statement->bind(api.domain).bind(dump_json(pins)).run();
}

Result<std::vector<model::ApiDomain>> apis_in(Database& database,
                                              const OnUnreadable& on_unreadable) {
  return read_rows<model::ApiDomain>(
      database.prepare("SELECT domain, pins FROM api ORDER BY domain"), on_unreadable,
      [](const Statement& row) { return row.text(0); }, api_row);
}

Result<std::vector<model::ApiDomain>> SqliteTransaction::apis(const OnUnreadable& on_unreadable) {
  return apis_in(database_, on_unreadable);
}

Result<std::vector<model::ApiDomain>> SqliteStore::apis(const OnUnreadable& on_unreadable) {
  return browsing([&](Database& database) { return apis_in(database, on_unreadable); });
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
  auto statement = database_.prepare(
      "INSERT OR REPLACE INTO operator_token (name, role, sha256, expires, apps, created, "
      "created_by) VALUES (?, ?, ?, ?, ?, ?, ?)");
  if (!statement) return pass(statement);
  statement->bind(token.name).bind(to_string(token.role)).bind(token.token_sha256);
  if (token.expires) {
    statement->bind(to_unix(*token.expires));
  } else {
    statement->bind_null();
  }
  return statement->bind(dump_json(Json(token.apps)))
      .bind(to_unix(token.created))
      .bind(token.created_by)
      .run();
}

Result<void> SqliteTransaction::remove_operator_token(const std::string& name) {
  auto statement = database_.prepare("DELETE FROM operator_token WHERE name = ?");
  if (!statement) return pass(statement);
  if (auto ok = statement->bind(name).run(); !ok) return ok;
  if (database_.changes() == 0) {
    return fail(StoreError::kNotFound, "there is no operator \"" + name + "\"");
  }
  return {};
}

Result<std::vector<model::OperatorToken>> operator_tokens_in(Database& database,
                                                             const OnUnreadable& on_unreadable) {
  return read_rows<model::OperatorToken>(
      database.prepare("SELECT name, role, sha256, expires, apps, created, created_by FROM "
                       "operator_token ORDER BY name"),
      on_unreadable, [](const Statement& row) { return row.text(0); }, operator_token_row);
}

Result<std::vector<model::OperatorToken>> SqliteTransaction::operator_tokens(
    const OnUnreadable& on_unreadable) {
  return operator_tokens_in(database_, on_unreadable);
}

Result<std::vector<model::OperatorToken>> SqliteStore::operator_tokens(
    const OnUnreadable& on_unreadable) {
  return browsing([&](Database& database) { return operator_tokens_in(database, on_unreadable); });
}

Result<std::optional<Bytes>> SqliteStore::get(const std::string& name) {
  return browsing([&](Database& database) { return setting_in(database, name); });
}

Result<void> SqliteTransaction::put(const std::string& name, ByteView value) {
  auto statement = database_.prepare("INSERT OR REPLACE INTO setting VALUES (?, ?)");
  if (!statement) return pass(statement);
  return statement->bind(name).bind(value).run();
}

Result<void> SqliteTransaction::audit(const model::AuditEntry& entry) {
  auto last = last_entry(database_);
  if (!last) return pass(last);
  AuditEnd before = *last;
  std::optional<AuditEnd> sealed;
  if (!audit_key_.empty()) {
    auto end = sealed_end(database_, audit_key_);
    if (!end) return pass(end);
    sealed = *end;
  }
  // Goes on from the sealed end, so that the gap stays where newer entries were taken out.
  if (sealed) before = {std::max(sealed->number, last->number), sealed->hash};
  const AuditEnd end{before.number + 1, audit_hash(before.hash, before.number + 1, entry)};
  auto insert = database_.prepare("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)");
  if (!insert) return pass(insert);
  auto done = insert->bind(end.number)
                  .bind(to_unix(entry.time))
                  .bind(entry.actor)
                  .bind(entry.action)
                  .bind(entry.detail)
                  .bind(end.hash)
                  .run();
  if (!done || !sealed) return done;
  return put(kAuditEnd, store::seal_audit_end(end, audit_key_));
}

Result<void> SqliteTransaction::seal_audit_end(ByteView key) {
  auto last = last_entry(database_);
  if (!last) return pass(last);
  return put(kAuditEnd, store::seal_audit_end(*last, key));
}

Result<std::vector<model::AuditEntry>> SqliteStore::audit_log(std::size_t limit) {
  return browsing([&](Database& database) -> Result<std::vector<model::AuditEntry>> {
    auto statement = database.prepare(
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
  });
}

Result<std::uint64_t> SqliteStore::verify_audit() {
  const Bytes key = audit_key();
  AuditEnd end;
  for (bool more = true; more;) {
    // Page by page, so that other operators' questions come in between. Each page and the seal are
    // of one moment.
    auto ok = browsing([&](Database& database) -> Result<void> {
      OpenTransaction open(database);
      if (auto begun = open.begin_reading(); !begun) return begun;
      const std::int64_t before = end.number;
      if (auto followed = follow_audit(database, end, kAuditPage); !followed) return followed;
      more = end.number - before == kAuditPage;
      if (more || key.empty()) return {};
      auto sealed = sealed_end(database, key);
      if (!sealed) return pass(sealed);
      return check_end(end, *sealed);
    });
    if (!ok) return pass(ok);
  }
  return static_cast<std::uint64_t>(end.number);
}

Result<void> SqliteStore::copy_to(const std::string& path) {
  const auto copy = [&](Database& database) -> Result<void> {
    auto statement = database.prepare("VACUUM INTO ?");
    if (!statement) return pass(statement);
    return statement->bind(path).run();
  };
  auto copied = [&]() -> Result<void> {
    if (!has_readers_) {
      const FairLock lock(writer_mutex_);
      return copy(writer_);
    }
    // A connection of its own, so that nobody waits for it.
    auto database = open_connection(path_);
    if (!database) return pass(database);
    return copy(*database);
  }();
  if (!copied) std::remove(path.c_str());
  return copied;
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
  if (path == ":memory:") {
    return std::make_unique<SqliteStore>(path, std::move(*writer), std::nullopt, std::nullopt);
  }
  if (auto ok = writer->execute("PRAGMA journal_mode = WAL"); !ok) return pass(ok);
  auto reader = open_connection(path);
  if (!reader) return pass(reader);
  auto browser = open_connection(path);
  if (!browser) return pass(browser);
  return std::make_unique<SqliteStore>(path, std::move(*writer), std::move(*reader),
                                       std::move(*browser));
}

}  // namespace touchmark::verifier::store
