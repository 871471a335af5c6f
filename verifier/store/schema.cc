#include "verifier/store/schema.h"

#include <array>

namespace touchmark::verifier::store {
namespace {

// "tmk1" in the database's header: tells our database from another program's.
constexpr std::int64_t kApplicationId = 0x746d6b31;

// Step N brings a database of version N to version N + 1. Steps are never edited, only added.
constexpr std::array kSteps{R"sql(
CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE registration (
  id          TEXT PRIMARY KEY,
  measurement TEXT NOT NULL,     -- JSON, as package::to_json makes it
  created     INTEGER NOT NULL,  -- unix seconds
  expires     INTEGER,
  created_by  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE registration_part (
  registration TEXT NOT NULL REFERENCES registration ON DELETE CASCADE,
  sha256       BLOB NOT NULL,
  PRIMARY KEY (registration, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX registration_part_sha256 ON registration_part (sha256);

CREATE TABLE part_chunk (
  sha256  BLOB NOT NULL,     -- of the whole part
  number  INTEGER NOT NULL,  -- chunk 0 holds the first 65536 bytes
  content BLOB NOT NULL,
  UNIQUE (sha256, number)
) STRICT;

CREATE TABLE api (
  domain TEXT PRIMARY KEY,
  pins   TEXT NOT NULL       -- JSON array of base64
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_token (
  name   TEXT PRIMARY KEY,
  role   TEXT NOT NULL,
  sha256 BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  did       TEXT PRIMARY KEY,
  last_seen INTEGER NOT NULL,
  passed    INTEGER NOT NULL,
  arc       TEXT NOT NULL,
  package   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX device_last_seen ON device (last_seen);

CREATE TABLE audit (
  number INTEGER PRIMARY KEY,  -- from 1, without a gap
  time   INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  action TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash   BLOB NOT NULL
) STRICT;
)sql",
                            R"sql(
CREATE TABLE app_attest_key (
  key_id     BLOB PRIMARY KEY,
  spki       BLOB NOT NULL,
  production INTEGER NOT NULL,
  category   INTEGER,
  counter    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
                            R"sql(
CREATE TABLE certificate (
  id          TEXT PRIMARY KEY,
  sha256      BLOB NOT NULL,     -- of the DER
  subject     TEXT NOT NULL,
  package     TEXT NOT NULL,     -- '' for every app
  development INTEGER NOT NULL,
  created     INTEGER NOT NULL,  -- unix seconds
  expires     INTEGER,
  created_by  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
                            R"sql(
CREATE TABLE forced_device (
  did    TEXT PRIMARY KEY,
  passes INTEGER NOT NULL,
  actor  TEXT NOT NULL,
  time   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE appraisal (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  time    INTEGER NOT NULL,
  did     TEXT NOT NULL,
  passed  INTEGER NOT NULL,
  content TEXT NOT NULL      -- JSON
) STRICT;
CREATE INDEX appraisal_did ON appraisal (did);
)sql",
                            // Parts whose content no registration may have: of one that is being
                            // made, or of one that was removed. Records of appraisals used to have
                            // no bound.
                            R"sql(
CREATE TABLE loose_part (
  sha256 BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

DELETE FROM appraisal WHERE length(content) > 16384;
)sql"};

Result<void> apply_steps(Database& database, std::size_t from) {
  for (std::size_t step = from; step < kSteps.size(); ++step) {
    if (auto ok = database.execute(kSteps[step]); !ok) return pass(ok);
  }
  return database.execute("PRAGMA application_id = " + std::to_string(kApplicationId) +
                          "; PRAGMA user_version = " + std::to_string(kSteps.size()));
}

// The version of the tables: 0 for an empty database.
Result<std::size_t> version(Database& database) {
  auto application = database.integer("PRAGMA application_id");
  if (!application) return pass(application);
  auto version = database.integer("PRAGMA user_version");
  if (!version) return pass(version);
  auto tables = database.integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return pass(tables);
  if (*application == 0 && *version == 0 && *tables == 0) return 0U;
  if (*application != kApplicationId || *version < 1) {
    return fail(StoreError::kCorrupt, "the file is not a Touchmark database");
  }
  if (static_cast<std::size_t>(*version) > kSteps.size()) {
    return fail(StoreError::kTooNew, "the database has version " + std::to_string(*version) +
                                         ", this program knows " + std::to_string(kSteps.size()));
  }
  return static_cast<std::size_t>(*version);
}

}  // namespace

Result<void> migrate(Database& database) {
  auto from = version(database);
  if (!from) return pass(from);
  if (*from == kSteps.size()) return {};
  if (auto ok = database.execute("BEGIN IMMEDIATE"); !ok) return pass(ok);
  auto applied = apply_steps(database, *from);
  if (!applied) {
    // The first failure is the one to report.
    static_cast<void>(database.execute("ROLLBACK"));
    return pass(applied);
  }
  return database.execute("COMMIT");
}

}  // namespace touchmark::verifier::store
