// What a change does to the SQLite database, over a connection on which a transaction is open.
#pragma once

#include "verifier/store/database.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {

// Begins a transaction; rolls it back at the end of its scope unless commit() was called.
class OpenTransaction {
 public:
  explicit OpenTransaction(Database& database) : database_(database) {}
  OpenTransaction(const OpenTransaction&) = delete;
  OpenTransaction& operator=(const OpenTransaction&) = delete;
  ~OpenTransaction();

  Result<void> begin();
  // For several reads of one moment; needs no commit().
  Result<void> begin_reading();
  Result<void> commit();

 private:
  Result<void> begin_with(const char* statement);
  Database& database_;
  bool open_ = false;
};

class SqliteTransaction final : public Transaction {
 public:
  // `audit_key`: seals the end of the audit log; empty: it is not sealed.
  SqliteTransaction(Database& database, Bytes audit_key)
      : database_(database), audit_key_(std::move(audit_key)) {}

  Result<void> put_registration(const model::Registration& registration) override;
  Result<void> remove_registration(const std::string& id) override;
  Result<void> set_registration_expiry(const std::string& id,
                                       std::optional<UnixTime> expires) override;
  Result<void> put_certificate(const model::SigningCertificate& certificate) override;
  Result<void> remove_certificate(const std::string& id) override;
  Result<std::vector<model::SigningCertificate>> certificates(
      const OnUnreadable& on_unreadable) override;
  Result<void> put_api(const model::ApiDomain& api) override;
  Result<void> remove_api(const std::string& domain) override;
  Result<std::vector<model::ApiDomain>> apis(const OnUnreadable& on_unreadable) override;
  Result<void> put_operator_token(const model::OperatorToken& token) override;
  Result<void> remove_operator_token(const std::string& name) override;
  Result<std::vector<model::OperatorToken>> operator_tokens(
      const OnUnreadable& on_unreadable) override;
  Result<void> put(const std::string& name, ByteView value) override;
  Result<void> put_devices(const std::vector<model::DeviceRecord>& records) override;
  Result<void> put_forced_device(const model::ForcedDevice& device) override;
  Result<void> remove_forced_device(const std::string& device_id) override;
  Result<void> put_appraisals(const std::vector<model::AppraisalRecord>& records) override;
  Result<void> audit(const model::AuditEntry& entry) override;
  Result<void> seal_audit_end(ByteView key) override;

 private:
  Result<void> put_registration_row(const model::Registration& registration);
  Result<void> put_part(const std::string& registration_id, const package::Part& part);

  Database& database_;
  const Bytes audit_key_;
};

// Reads that both a transaction and the store offer.
Result<std::vector<model::SigningCertificate>> certificates_in(Database& database,
                                                               const OnUnreadable& on_unreadable);
Result<std::vector<model::ApiDomain>> apis_in(Database& database,
                                              const OnUnreadable& on_unreadable);
Result<std::vector<model::OperatorToken>> operator_tokens_in(Database& database,
                                                             const OnUnreadable& on_unreadable);

}  // namespace touchmark::verifier::store
