// Backups of all that makes this service itself, made while it serves.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "verifier/state/api_domains.h"
#include "verifier/state/audited_store.h"
#include "verifier/state/keyring.h"
#include "verifier/state/settings.h"
#include "verifier/store/backup_file.h"

namespace touchmark::verifier::state {

enum class BackupsError {
  kNotOffered,  // this service has no folder to make one in
  kNoBackup,    // none of that id: it was fetched, took too long, or gave way to a newer one
};
std::string_view error_id(BackupsError error);

// The database's name in a backup, and in the data folder.
inline constexpr const char* kDatabaseName = "touchmark.db";

struct MadeBackup {
  std::string id;
  std::filesystem::path path;
  std::uint64_t size = 0;
  Sha256Digest sha256{};
  store::BackupList list;
};

// When the last backup was kept; nullopt: never.
Result<std::optional<UnixTime>> last_backup(store::Reader& reader);
Result<void> put_last_backup(store::Transaction& transaction, UnixTime when);

// Thread-safe. Fails with BackupsError, or StoreError, FileError and SourceError with the cause.
class Backups {
 public:
  // What is passed by reference must outlive this.
  Backups(AuditedStore& store, const Keyring& keyring, const ServiceSettings& settings,
          const ApiDomains& domains, Random& random);
  // Reads what the store knows.
  Result<void> load();

  // Copies the database as it is at one moment, and seals it with the keys. Takes as long as the
  // database is large; others go on meanwhile. Waits for another one that is being made. Noted in
  // the audit log. It is a file in the service's folder until end() or until two newer ones.
  Result<MadeBackup> make(const std::string& actor);
  // Bytes [offset, offset + length) of it, clipped to its end.
  Result<Bytes> read(const std::string& id, std::uint64_t offset, std::size_t length);
  // `kept`: it is in a safe place now, and counts as the last backup. Either way the file goes.
  Result<void> end(const std::string& id, bool kept, const std::string& actor);

  std::optional<UnixTime> last() const;

 private:
  Result<MadeBackup> find(const std::string& id) const;
  Result<MadeBackup> write(const std::string& id);

  AuditedStore& store_;
  const Keyring& keyring_;
  const ServiceSettings& settings_;
  const ApiDomains& domains_;
  Random& random_;
  Mutex making_;
  mutable Mutex mutex_;
  std::vector<MadeBackup> made_ GUARDED_BY(mutex_);  // the oldest first
  std::optional<UnixTime> last_ GUARDED_BY(mutex_);
};

}  // namespace touchmark::verifier::state
