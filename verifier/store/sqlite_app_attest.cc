// App Attest keys and their counters. The one thing that an attestation has to write before it is
// answered: a counter that a crash forgets could be replayed.
#include <algorithm>

#include "verifier/store/sqlite_store.h"

namespace touchmark::verifier::store {

Result<std::optional<model::AppAttestKey>> SqliteStore::app_attest_key(const Sha256Digest& key_id) {
  return reading([&](Database& database) -> Result<std::optional<model::AppAttestKey>> {
    auto statement =
        database.kept("SELECT spki, production, category FROM app_attest_key WHERE key_id = ?");
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

Result<std::optional<Bytes>> SqliteStore::app_attest_binding(const Sha256Digest& key_id) {
  return reading([&](Database& database) -> Result<std::optional<Bytes>> {
    auto statement = database.kept("SELECT installation FROM app_attest_key WHERE key_id = ?");
    if (!statement) return pass(statement);
    auto row = statement->bind(ByteView(key_id)).step();
    if (!row) return pass(row);
    if (!*row || statement->is_null(0)) return std::nullopt;
    return statement->blob(0);
  });
}

Result<bool> SqliteStore::add_app_attest_key(const Sha256Digest& key_id,
                                             const model::AppAttestKey& key,
                                             const Sha256Digest& installation) {
  // Read first: the key of an installation that is known already costs no write.
  auto bound = app_attest_binding(key_id);
  if (!bound) return pass(bound);
  if (!*bound) {
    const FairLock lock(writer_mutex_);
    // One statement, so a transaction of its own; whoever is first binds the key.
    auto statement = writer_.kept(
        "INSERT INTO app_attest_key (key_id, spki, production, category, counter, installation) "
        "VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT (key_id) DO UPDATE "
        "SET installation = coalesce(installation, excluded.installation)");
    if (!statement) return pass(statement);
    statement->bind(ByteView(key_id)).bind(key.spki).bind(std::int64_t{key.production});
    if (key.validation_category) {
      statement->bind(std::int64_t{*key.validation_category});
    } else {
      statement->bind_null();
    }
    auto done = statement->bind(ByteView(installation)).run();
    if (!done) return pass(done);
  }
  // Another installation may have been first.
  if (!*bound) bound = app_attest_binding(key_id);
  if (!bound) return pass(bound);
  return *bound && std::ranges::equal(**bound, installation);
}

Result<model::AppAttestUse> SqliteStore::use_app_attest_key(const Sha256Digest& key_id,
                                                            const Sha256Digest& installation,
                                                            std::uint32_t counter) {
  {
    const FairLock lock(writer_mutex_);
    // One statement, so a transaction of its own.
    auto statement = writer_.kept(
        "UPDATE app_attest_key SET counter = ?1, installation = ?3 WHERE key_id = ?2 AND "
        "counter < ?1 AND (installation IS NULL OR installation = ?3)");
    if (!statement) return pass(statement);
    auto done = statement->bind(std::int64_t{counter})
                    .bind(ByteView(key_id))
                    .bind(ByteView(installation))
                    .run();
    if (!done) return pass(done);
    if (writer_.changes() == 1) return model::AppAttestUse::kTaken;
  }
  // A binding never changes, so what is read now was so before.
  auto bound = app_attest_binding(key_id);
  if (!bound) return pass(bound);
  const bool own = *bound && std::ranges::equal(**bound, installation);
  return own ? model::AppAttestUse::kReplayed : model::AppAttestUse::kOtherKey;
}

}  // namespace touchmark::verifier::store
