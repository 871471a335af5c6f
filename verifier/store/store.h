// What the service remembers. One interface; SQLite now, PostgreSQL beside it later.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "package/measurement.h"

namespace touchmark::verifier {

enum class StoreError {
  kOpen,       // cannot open or create the database
  kCorrupt,    // not a Touchmark database, or damaged
  kTooNew,     // made by a newer Touchmark
  kNoSpace,    // the disk is full
  kBusy,       // locked by another process
  kIo,
  kNotFound,   // no row with that id
  kDuplicate,  // there already
};
std::string_view error_id(StoreError error);

struct Registration {
  std::string id;  // hex of the first 8 bytes of the measurement digest
  package::Measurement measurement;
  UnixTime created{};
  std::optional<UnixTime> expires;
  std::string created_by;  // name of the operator token
};

struct ApiDomain {
  std::string domain;             // "api.example.com" or "localhost:5001"
  std::vector<std::string> pins;  // base64 SHA-256 of DER SPKI
};

enum class Role { kDeveloper, kAdmin };
std::string_view to_string(Role role);

struct OperatorToken {
  std::string name;
  Role role = Role::kDeveloper;
  Sha256Digest token_sha256{};
};

struct DeviceRecord {
  std::string did;
  UnixTime last_seen{};
  bool passed = false;
  std::string arc;
  std::string package_name;
};

struct AuditEntry {
  UnixTime time{};
  std::string actor;
  std::string action;  // "registration.add"
  std::string detail;
};

// Thread-safe. Every method that changes something returns after it is on disk (kill -9 loses
// nothing acknowledged), except put_devices, whose loss is harmless.
class Store {
 public:
  virtual ~Store() = default;

  // Replaces a registration of the same measurement (a new expiry). `parts` holds the content of
  // each code-bearing part, in the order of measurement.parts.
  virtual Result<void> put_registration(const Registration& registration,
                                        const std::vector<Bytes>& parts) = 0;
  virtual Result<std::vector<Registration>> registrations() = 0;
  virtual Result<void> remove_registration(const std::string& id) = 0;
  // Content of a part by its SHA-256.
  virtual Result<Bytes> part(const Sha256Digest& sha256) = 0;

  virtual Result<void> put_api(const ApiDomain& api) = 0;  // replaces the same domain
  virtual Result<std::vector<ApiDomain>> apis() = 0;
  virtual Result<void> remove_api(const std::string& domain) = 0;

  virtual Result<void> put_operator_token(const OperatorToken& token) = 0;
  virtual Result<std::vector<OperatorToken>> operator_tokens() = 0;

  // Small named values: sealed secrets ("secret.token"), configuration version, policy text.
  virtual Result<std::optional<Bytes>> get(const std::string& name) = 0;
  virtual Result<void> put(const std::string& name, ByteView value) = 0;

  virtual Result<void> put_devices(const std::vector<DeviceRecord>& records) = 0;
  virtual Result<std::vector<DeviceRecord>> devices(std::size_t limit) = 0;

  // Hash-chained: each entry's hash covers the previous one's.
  virtual Result<void> audit(const AuditEntry& entry) = 0;
  virtual Result<std::vector<AuditEntry>> audit_log(std::size_t limit) = 0;

  // A cheap round trip, for /readyz.
  virtual Result<void> ping() = 0;
};

// Creates or migrates the database at `path` (":memory:" for tests).
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

}  // namespace touchmark::verifier
