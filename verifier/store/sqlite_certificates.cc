// The certificates that apps are signed with.
#include <algorithm>

#include "base/encoding.h"
#include "verifier/store/sqlite_store.h"
#include "verifier/store/sqlite_transaction.h"

namespace touchmark::verifier::store {
namespace {

Result<model::SigningCertificate> certificate_row(const Statement& row) {
  model::SigningCertificate out;
  out.id = row.text(0);
  const Bytes digest = row.blob(1);
  if (digest.size() != out.sha256.size()) {
    return fail(StoreError::kCorrupt, out.id + " has a digest of another length");
  }
  std::ranges::copy(digest, out.sha256.begin());
  out.subject = row.text(2);
  out.package = row.text(3);
  out.development = row.integer(4) != 0;
  out.created = from_unix(row.integer(5));
  if (!row.is_null(6)) out.expires = from_unix(row.integer(6));
  out.created_by = row.text(7);
  if (row.is_null(8)) return out;
  const Bytes first = row.blob(8);
  if (first.size() != sizeof(Sha256Digest)) {
    return fail(StoreError::kCorrupt, out.id + " has a first digest of another length");
  }
  std::ranges::copy(first, out.first.emplace().begin());
  return out;
}

}  // namespace

Result<void> SqliteTransaction::put_certificate(const model::SigningCertificate& certificate) {
  auto statement =
      database_.prepare("INSERT OR REPLACE INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!statement) return pass(statement);
  statement->bind(certificate.id)
      .bind(certificate.sha256)
      .bind(certificate.subject)
      .bind(certificate.package)
      .bind(std::int64_t{certificate.development})
      .bind(to_unix(certificate.created));
  certificate.expires ? statement->bind(to_unix(*certificate.expires)) : statement->bind_null();
  statement->bind(certificate.created_by);
  certificate.first ? statement->bind(*certificate.first) : statement->bind_null();
  return statement->run();
}

Result<std::vector<model::SigningCertificate>> certificates_in(Database& database,
                                                               const OnUnreadable& on_unreadable) {
  return read_rows<model::SigningCertificate>(
      database.prepare("SELECT * FROM certificate ORDER BY created, id"), on_unreadable,
      [](const Statement& row) { return row.text(0); }, certificate_row);
}

Result<std::vector<model::SigningCertificate>> SqliteTransaction::certificates(
    const OnUnreadable& on_unreadable) {
  return certificates_in(database_, on_unreadable);
}

Result<std::vector<model::SigningCertificate>> SqliteStore::certificates(
    const OnUnreadable& on_unreadable) {
  return browsing([&](Database& database) { return certificates_in(database, on_unreadable); });
}

Result<void> SqliteTransaction::remove_certificate(const std::string& id) {
  auto statement = database_.prepare("DELETE FROM certificate WHERE id = ?");
  if (!statement) return pass(statement);
  if (auto ok = statement->bind(id).run(); !ok) return ok;
  if (database_.changes() == 0) {
    return fail(StoreError::kNotFound, "no certificate has the id \"" + id + "\"");
  }
  return {};
}

}  // namespace touchmark::verifier::store
