// The store over SQLite: one connection that writes (WAL, synchronous=FULL) and one that reads what
// the hot path needs, so that a long write never makes an attestation wait.
#pragma once

#include "base/mutex.h"
#include "verifier/store/database.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {

class SqliteStore final : public Store {
 public:
  // `reader` is absent for a database in memory, which only its own connection sees.
  SqliteStore(Database writer, std::optional<Database> reader)
      : writer_(std::move(writer)), has_reader_(reader.has_value()), reader_(std::move(reader)) {}

  Result<void> write(const Change& change) override;

  Result<std::vector<model::Registration>> registrations() override;
  Result<Bytes> part_range(const Sha256Digest& sha256, std::uint64_t offset,
                           std::uint64_t length) override;
  Result<std::vector<model::SigningCertificate>> certificates() override;
  Result<std::vector<model::ApiDomain>> apis() override;
  Result<std::vector<model::OperatorToken>> operator_tokens() override;
  Result<std::optional<Bytes>> get(const std::string& name) override;
  Result<std::vector<model::DeviceRecord>> devices(std::size_t limit) override;
  Result<std::optional<model::DeviceRecord>> device(const std::string& device_id) override;
  Result<std::vector<model::ForcedDevice>> forced_devices() override;
  Result<std::vector<model::AppraisalRecord>> appraisals(
      std::size_t limit, const std::optional<std::string>& device_id) override;
  Result<std::vector<model::AuditEntry>> audit_log(std::size_t limit) override;
  Result<std::uint64_t> verify_audit() override;
  Result<void> ping() override;

  Result<std::optional<model::AppAttestKey>> app_attest_key(const Sha256Digest& key_id) override;
  Result<bool> add_app_attest_key(const Sha256Digest& key_id, const model::AppAttestKey& key,
                                  const Sha256Digest& installation) override;
  Result<model::AppAttestUse> use_app_attest_key(const Sha256Digest& key_id,
                                                 const Sha256Digest& installation,
                                                 std::uint32_t counter) override;

 private:
  // The installation key that an App Attest key vouches for; nullopt when it is unknown or unbound.
  Result<std::optional<Bytes>> app_attest_binding(const Sha256Digest& key_id);

  // Runs `use` on the connection that reads, under its lock.
  template <class Use>
  auto reading(Use use) {
    if (!has_reader_) {
      const MutexLock lock(writer_mutex_);
      return use(writer_);
    }
    const MutexLock lock(reader_mutex_);
    return use(*reader_);
  }

  Mutex writer_mutex_;
  Database writer_ GUARDED_BY(writer_mutex_);

  const bool has_reader_;
  Mutex reader_mutex_;
  std::optional<Database> reader_ GUARDED_BY(reader_mutex_);
};

}  // namespace touchmark::verifier::store
