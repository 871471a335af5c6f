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
                            // A database that was in use without a policy of its own was judged by
                            // the default of its time, which let software keys pass. It keeps that
                            // one; the default of today is for new databases.
                            R"sql(
ALTER TABLE app_attest_key ADD COLUMN installation BLOB;  -- SHA-256 of the installation key

INSERT INTO setting (name, value)
SELECT 'policy', CAST(json_object('actor', 'touchmark', 'revision', 1, 'time', unixepoch(),
  'text', '# The policy of a data folder from before hardware evidence was asked for: software evidence
# passes, and so does a script that has the app''s package. `touchmark policy presets strict` prints
# what a new service starts with, and docs/policy.md describes all keys.
version = 1

[findings]
"*" = "reject"

[assurance]
android = "software"
ios = "software"
host = "software"

[app]
development_keys = false

[app_attest]
environments = ["production"]

[play_integrity]
required = false
app_recognition = ["PLAY_RECOGNIZED"]
app_licensing = ["LICENSED"]
device_labels = ["MEETS_DEVICE_INTEGRITY"]
') AS BLOB)
WHERE EXISTS (SELECT 1 FROM setting WHERE name = 'account')
  AND NOT EXISTS (SELECT 1 FROM setting WHERE name = 'policy');
)sql",
                            // Parts whose content no registration may have: of one that is being
                            // made, or of one that was removed. Records of appraisals used to have
                            // no bound.
                            R"sql(
CREATE TABLE loose_part (
  sha256 BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

DELETE FROM appraisal WHERE length(content) > 16384;
)sql",
                            // Operators used to be two, "admin" and "developer", whom each start
                            // with --reset-operator-tokens replaced.
                            R"sql(
ALTER TABLE operator_token ADD COLUMN expires INTEGER;  -- unix seconds
ALTER TABLE operator_token ADD COLUMN apps TEXT NOT NULL DEFAULT '[]';  -- JSON array of packages
ALTER TABLE operator_token ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operator_token ADD COLUMN created_by TEXT NOT NULL DEFAULT 'touchmark serve';

UPDATE operator_token SET created = coalesce((SELECT max(time) FROM audit
  WHERE action = 'operator-token.make' AND detail = operator_token.name), 0);
)sql",
                            R"sql(
-- Of the signed configuration that the device's app had.
ALTER TABLE device ADD COLUMN config_version INTEGER NOT NULL DEFAULT 0;
)sql",
                            R"sql(
-- Of a signing key that was rotated: SHA-256 of the certificate that the rotation began with.
ALTER TABLE certificate ADD COLUMN first BLOB;
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
