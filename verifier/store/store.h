// What the service remembers. One interface; SQLite now, PostgreSQL beside it later.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "package/model/measurement.h"
#include "verifier/store/app_attest_keys.h"

namespace touchmark::verifier::store {

enum class StoreError {
  kOpen,     // cannot open or create the database
  kCorrupt,  // not a Touchmark database, or damaged
  kTooNew,   // made by a newer Touchmark
  kNoSpace,  // the disk is full
  kBusy,     // locked by another process
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

// A certificate that apps are signed with. Its releases count without being registered one by one,
// as far as the policy lets them.
struct SigningCertificate {
  std::string id;         // "cert-" and 16 hex digits, of certificate and package
  Sha256Digest sha256{};  // of the DER
  std::string subject;    // "CN=Example", for people
  std::string package;    // the one app that it counts for; empty: every app
  bool development = false;
  UnixTime created{};
  std::optional<UnixTime> expires;
  std::string created_by;
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

// What an operator has said of one device.
struct ForcedDevice {
  std::string did;
  bool passes = false;  // else it fails
  std::string actor;
  UnixTime time{};
};

// One appraisal as it was judged. Holds no token, no address and nothing of the app's user.
struct AppraisalRecord {
  UnixTime time{};
  std::string did;
  bool passed = false;
  std::string content;  // JSON, as verifier/state/appraisal_log.h makes it
};
// How many the store keeps; the oldest go first.
inline constexpr std::int64_t kKeptAppraisals = 10'000;

struct AuditEntry {
  UnixTime time{};
  std::string actor;
  std::string action;  // "registration.add"
  std::string detail;
  Sha256Digest hash{};  // covers the entry before; set by the store
};

// Gives the content of `part` piece by piece to `sink`, and passes on its error.
using PartReader = std::function<Result<void>(const package::Part& part,
                                              const std::function<Result<void>(ByteView)>& sink)>;

// Thread-safe. Every method that changes something returns after it is on disk (kill -9 loses
// nothing acknowledged), except put_devices and put_appraisals, whose loss is harmless.
class Store : public AppAttestKeys {
 public:
  // Runs `change` so that all it changes is on disk together or, when it fails, not at all. One
  // change runs at a time; the methods below may be called inside, on the same thread.
  virtual Result<void> atomically(const std::function<Result<void>()>& change) = 0;

  // Replaces a registration of the same measurement (a new expiry). The content of each
  // code-bearing part is read through `read` and kept once, however many releases share it.
  virtual Result<void> put_registration(const Registration& registration,
                                        const PartReader& read) = 0;
  virtual Result<std::vector<Registration>> registrations() = 0;
  virtual Result<void> remove_registration(const std::string& id) = 0;
  // Without a time the registration lasts for ever.
  virtual Result<void> set_registration_expiry(const std::string& id,
                                               std::optional<UnixTime> expires) = 0;
  // Bytes [offset, offset + length) of the part with this SHA-256, clipped to its end. Does not
  // wait for a change that is being written.
  virtual Result<Bytes> part_range(const Sha256Digest& sha256, std::uint64_t offset,
                                   std::uint64_t length) = 0;

  // Replaces the certificate with this id.
  virtual Result<void> put_certificate(const SigningCertificate& certificate) = 0;
  virtual Result<std::vector<SigningCertificate>> certificates() = 0;
  virtual Result<void> remove_certificate(const std::string& id) = 0;

  virtual Result<void> put_api(const ApiDomain& api) = 0;  // replaces the same domain
  virtual Result<std::vector<ApiDomain>> apis() = 0;
  virtual Result<void> remove_api(const std::string& domain) = 0;

  virtual Result<void> put_operator_token(const OperatorToken& token) = 0;
  virtual Result<std::vector<OperatorToken>> operator_tokens() = 0;

  // Small named values: sealed secrets ("secret.token"), configuration version, policy text.
  virtual Result<std::optional<Bytes>> get(const std::string& name) = 0;
  virtual Result<void> put(const std::string& name, ByteView value) = 0;

  virtual Result<void> put_devices(const std::vector<DeviceRecord>& records) = 0;
  // The last seen first.
  virtual Result<std::vector<DeviceRecord>> devices(std::size_t limit) = 0;
  virtual Result<std::optional<DeviceRecord>> device(const std::string& did) = 0;

  virtual Result<void> put_forced_device(const ForcedDevice& device) = 0;  // replaces the same did
  virtual Result<void> remove_forced_device(const std::string& did) = 0;
  virtual Result<std::vector<ForcedDevice>> forced_devices() = 0;

  virtual Result<void> put_appraisals(const std::vector<AppraisalRecord>& records) = 0;
  // The newest first; of one device alone when `did` is given.
  virtual Result<std::vector<AppraisalRecord>> appraisals(
      std::size_t limit, const std::optional<std::string>& did) = 0;

  // Hash-chained: each entry's hash covers the one before, so an entry that is changed, taken out
  // or put in between breaks the chain.
  virtual Result<void> audit(const AuditEntry& entry) = 0;
  // The newest first.
  virtual Result<std::vector<AuditEntry>> audit_log(std::size_t limit) = 0;
  // Follows the whole chain; the number of entries, or kCorrupt naming the first that does not fit.
  virtual Result<std::uint64_t> verify_audit() = 0;

  // A cheap round trip, for /readyz.
  virtual Result<void> ping() = 0;
};

// Creates or migrates the database at `path` (":memory:" for tests).
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

}  // namespace touchmark::verifier::store
