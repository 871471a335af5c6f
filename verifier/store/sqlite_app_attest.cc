// App Attest keys and their counters. The one thing that an attestation has to write before it is
// answered: a counter that a crash forgets could be replayed.
#include "verifier/store/sqlite_store.h"

namespace touchmark::verifier::store {

Result<std::optional<model::AppAttestKey>> SqliteStore::app_attest_key(const Sha256Digest& key_id) {
  return reading([&](Database& database) -> Result<std::optional<model::AppAttestKey>> {
    auto statement =
        database.prepare("SELECT spki, production, category FROM app_attest_key WHERE key_id = ?");
    if (!statement) return pass(statement);
    auto row = statement->bind(ByteView(key_id)).step();
    if (!row) return pass(row);
    if (!*row) return std::nullopt;
    model::AppAttestKey key{statement->blob(0), statement->integer(1) != 0, std::nullopt};
    if (!statement->is_null(2)) {
      key.validation_category = static_cast<std::uint32_t>(statement->integer(2));
    }
    return key;
  });
}

Result<void> SqliteStore::add_app_attest_key(const Sha256Digest& key_id,
                                             const model::AppAttestKey& key) {
  // Read first: the key of an installation that is known already costs no write.
  auto known = app_attest_key(key_id);
  if (!known) return pass(known);
  if (*known) return {};
  const FairLock lock(writer_mutex_);
  auto statement = writer_.prepare("INSERT OR IGNORE INTO app_attest_key VALUES (?, ?, ?, ?, 0)");
  if (!statement) return pass(statement);
  statement->bind(ByteView(key_id)).bind(key.spki).bind(std::int64_t{key.production});
  if (key.validation_category) {
    statement->bind(std::int64_t{*key.validation_category});
  } else {
    statement->bind_null();
  }
  return statement->run();
}

Result<bool> SqliteStore::advance_app_attest_counter(const Sha256Digest& key_id,
                                                     std::uint32_t counter) {
  const FairLock lock(writer_mutex_);
  // One statement, so a transaction of its own.
  auto statement =
      writer_.prepare("UPDATE app_attest_key SET counter = ?1 WHERE key_id = ?2 AND counter < ?1");
  if (!statement) return pass(statement);
  auto done = statement->bind(std::int64_t{counter}).bind(ByteView(key_id)).run();
  if (!done) return pass(done);
  return writer_.changes() == 1;
}

}  // namespace touchmark::verifier::store
