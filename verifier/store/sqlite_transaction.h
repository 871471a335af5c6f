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
  Result<void> commit();

 private:
  Database& database_;
  bool open_ = false;
};

class SqliteTransaction final : public Transaction {
 public:
  explicit SqliteTransaction(Database& database) : database_(database) {}

  Result<void> put_registration(const model::Registration& registration,
                                const PartReader& read) override;
  Result<void> remove_registration(const std::string& id) override;
  Result<void> set_registration_expiry(const std::string& id,
                                       std::optional<UnixTime> expires) override;
  Result<void> put_certificate(const model::SigningCertificate& certificate) override;
  Result<void> remove_certificate(const std::string& id) override;
  Result<std::vector<model::SigningCertificate>> certificates() override;
  Result<void> put_api(const model::ApiDomain& api) override;
  Result<void> remove_api(const std::string& domain) override;
  Result<std::vector<model::ApiDomain>> apis() override;
  Result<void> put_operator_token(const model::OperatorToken& token) override;
  Result<std::vector<model::OperatorToken>> operator_tokens() override;
  Result<void> put(const std::string& name, ByteView value) override;
  Result<void> put_devices(const std::vector<model::DeviceRecord>& records) override;
  Result<void> put_forced_device(const model::ForcedDevice& device) override;
  Result<void> remove_forced_device(const std::string& device_id) override;
  Result<void> put_appraisals(const std::vector<model::AppraisalRecord>& records) override;
  Result<void> audit(const model::AuditEntry& entry) override;

 private:
  Result<void> put_registration_row(const model::Registration& registration);
  Result<void> put_part(const std::string& registration_id, const package::Part& part,
                        const PartReader& read);
  Result<bool> has_part(const package::Part& part);
  Result<void> drop_unused_parts();

  Database& database_;
};

// Reads that both a transaction and the store offer.
Result<std::vector<model::SigningCertificate>> certificates_in(Database& database);
Result<std::vector<model::ApiDomain>> apis_in(Database& database);
Result<std::vector<model::OperatorToken>> operator_tokens_in(Database& database);

}  // namespace touchmark::verifier::store
