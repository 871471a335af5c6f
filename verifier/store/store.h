// What the service remembers, whatever database keeps it.
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
#include "verifier/model/api_domain.h"
#include "verifier/model/app_attest_keys.h"
#include "verifier/model/device.h"
#include "verifier/model/operator.h"
#include "verifier/model/registration.h"

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

// Gives the content of `part` piece by piece to `sink`, and passes on its error.
using PartReader = std::function<Result<void>(const package::Part& part,
                                              const std::function<Result<void>(ByteView)>& sink)>;

// Changes that are on disk together, or not at all. Store::write() makes one and lends it to its
// caller; it sees its own changes. Not thread-safe.
class Transaction {
 public:
  // Replaces a registration of the same measurement (a new expiry). The content of each
  // code-bearing part is read through `read` and kept once, however many releases share it.
  virtual Result<void> put_registration(const model::Registration& registration,
                                        const PartReader& read) = 0;
  virtual Result<void> remove_registration(const std::string& id) = 0;
  // Without a time the registration never ends.
  virtual Result<void> set_registration_expiry(const std::string& id,
                                               std::optional<UnixTime> expires) = 0;

  // Replaces the certificate with this id.
  virtual Result<void> put_certificate(const model::SigningCertificate& certificate) = 0;
  virtual Result<void> remove_certificate(const std::string& id) = 0;
  virtual Result<std::vector<model::SigningCertificate>> certificates() = 0;

  virtual Result<void> put_api(const model::ApiDomain& api) = 0;  // replaces the same domain
  virtual Result<void> remove_api(const std::string& domain) = 0;
  virtual Result<std::vector<model::ApiDomain>> apis() = 0;

  virtual Result<void> put_operator_token(const model::OperatorToken& token) = 0;
  virtual Result<std::vector<model::OperatorToken>> operator_tokens() = 0;

  // Small named values: sealed secrets ("secret.token"), configuration version, policy text.
  virtual Result<void> put(const std::string& name, ByteView value) = 0;

  virtual Result<void> put_devices(const std::vector<model::DeviceRecord>& records) = 0;
  // Replaces what was forced for the same device.
  virtual Result<void> put_forced_device(const model::ForcedDevice& device) = 0;
  virtual Result<void> remove_forced_device(const std::string& device_id) = 0;
  virtual Result<void> put_appraisals(const std::vector<model::AppraisalRecord>& records) = 0;

  // Hash-chained: each entry's hash covers the one before, so an entry that is changed, taken out
  // or put in between breaks the chain.
  virtual Result<void> audit(const model::AuditEntry& entry) = 0;

 protected:
  ~Transaction() = default;
};

// What can be read, each call on its own. Thread-safe. Inside Store::write() only part_range(),
// ping() and app_attest_key() may be called: the others wait for the change to end.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<std::vector<model::Registration>> registrations() = 0;
  // Bytes [offset, offset + length) of the part with this SHA-256, clipped to its end. Does not
  // wait for a change that is being written.
  virtual Result<Bytes> part_range(const Sha256Digest& sha256, std::uint64_t offset,
                                   std::uint64_t length) = 0;
  virtual Result<std::vector<model::SigningCertificate>> certificates() = 0;
  virtual Result<std::vector<model::ApiDomain>> apis() = 0;
  virtual Result<std::vector<model::OperatorToken>> operator_tokens() = 0;
  virtual Result<std::optional<Bytes>> get(const std::string& name) = 0;
  // The last seen first.
  virtual Result<std::vector<model::DeviceRecord>> devices(std::size_t limit) = 0;
  virtual Result<std::optional<model::DeviceRecord>> device(const std::string& device_id) = 0;
  virtual Result<std::vector<model::ForcedDevice>> forced_devices() = 0;
  // The newest first; of one device alone when `device_id` is given.
  virtual Result<std::vector<model::AppraisalRecord>> appraisals(
      std::size_t limit, const std::optional<std::string>& device_id) = 0;
  // The newest first.
  virtual Result<std::vector<model::AuditEntry>> audit_log(std::size_t limit) = 0;
  // Follows the whole chain; the number of entries, or kCorrupt naming the first that does not fit.
  virtual Result<std::uint64_t> verify_audit() = 0;
  // A cheap round trip, for /readyz.
  virtual Result<void> ping() = 0;
};

// Thread-safe. What is written is on disk when write() returns (kill -9 loses nothing
// acknowledged).
class Store : public Reader, public model::AppAttestKeys {
 public:
  using Change = std::function<Result<void>(Transaction&)>;
  // Runs `change`; all that it did is on disk together, or not at all when it fails or throws. One
  // runs at a time, so `change` must neither call write() nor wait for what does.
  virtual Result<void> write(const Change& change) = 0;
};

// Creates or migrates the database at `path` (":memory:" for tests).
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

}  // namespace touchmark::verifier::store
