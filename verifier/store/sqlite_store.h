// The store over SQLite: one connection that writes (WAL, synchronous=FULL) and one that reads what
// the hot path needs, so that a long write never makes an attestation wait.
#pragma once

#include <mutex>

#include "verifier/store/database.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {

class SqliteStore final : public Store {
 public:
  // `reader` is absent for a database in memory, which only its own connection sees.
  SqliteStore(Database writer, std::optional<Database> reader)
      : writer_(std::move(writer)), reader_(std::move(reader)) {}

  Result<void> atomically(const std::function<Result<void>()>& change) override;

  Result<void> put_registration(const Registration& registration, const PartReader& read) override;
  Result<std::vector<Registration>> registrations() override;
  Result<void> remove_registration(const std::string& id) override;
  Result<void> set_registration_expiry(const std::string& id,
                                       std::optional<UnixTime> expires) override;
  Result<Bytes> part_range(const Sha256Digest& sha256, std::uint64_t offset,
                           std::uint64_t length) override;

  Result<void> put_certificate(const SigningCertificate& certificate) override;
  Result<std::vector<SigningCertificate>> certificates() override;
  Result<void> remove_certificate(const std::string& id) override;

  Result<void> put_api(const ApiDomain& api) override;
  Result<std::vector<ApiDomain>> apis() override;
  Result<void> remove_api(const std::string& domain) override;

  Result<void> put_operator_token(const OperatorToken& token) override;
  Result<std::vector<OperatorToken>> operator_tokens() override;

  Result<std::optional<Bytes>> get(const std::string& name) override;
  Result<void> put(const std::string& name, ByteView value) override;

  Result<void> put_devices(const std::vector<DeviceRecord>& records) override;
  Result<std::vector<DeviceRecord>> devices(std::size_t limit) override;
  Result<std::optional<DeviceRecord>> device(const std::string& did) override;

  Result<void> put_forced_device(const ForcedDevice& device) override;
  Result<void> remove_forced_device(const std::string& did) override;
  Result<std::vector<ForcedDevice>> forced_devices() override;

  Result<void> put_appraisals(const std::vector<AppraisalRecord>& records) override;
  Result<std::vector<AppraisalRecord>> appraisals(std::size_t limit,
                                                  const std::optional<std::string>& did) override;

  Result<void> audit(const AuditEntry& entry) override;
  Result<std::vector<AuditEntry>> audit_log(std::size_t limit) override;
  Result<std::uint64_t> verify_audit() override;

  Result<std::optional<AppAttestKey>> app_attest_key(const Sha256Digest& key_id) override;
  Result<void> add_app_attest_key(const Sha256Digest& key_id, const AppAttestKey& key) override;
  Result<bool> advance_app_attest_counter(const Sha256Digest& key_id,
                                          std::uint32_t counter) override;

  Result<void> ping() override;

 private:
  Result<void> put_registration_row(const Registration& registration);
  Result<void> put_part(const std::string& registration_id, const package::Part& part,
                        const PartReader& read);
  Result<bool> has_part(const package::Part& part);
  Result<void> drop_unused_parts();
  // Runs `use` on the connection that reads, under its lock.
  template <class Use>
  auto reading(Use use) {
    if (!reader_) {
      const std::lock_guard lock(writer_mutex_);
      return use(writer_);
    }
    const std::lock_guard lock(reader_mutex_);
    return use(*reader_);
  }

  std::recursive_mutex writer_mutex_;  // recursive: changes run inside atomically()
  Database writer_;
  bool in_change_ = false;

  std::mutex reader_mutex_;
  std::optional<Database> reader_;
};

}  // namespace touchmark::verifier::store
