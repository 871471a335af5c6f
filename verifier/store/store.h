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
  kNotFound,    // no row with that id
  kDuplicate,   // there already
  kPermission,  // the database, or a file beside it, may not be read or written
};
std::string_view error_id(StoreError error);

// Gives the content of `part` piece by piece to `sink`, and passes on its error.
using PartReader = std::function<Result<void>(const package::Part& part,
                                              const std::function<Result<void>(ByteView)>& sink)>;

// Is told of each row that cannot be read, by its id, domain or name; the row is then left out.
// Where none is given, such a row is an error (kCorrupt).
using OnUnreadable = std::function<void(const std::string& what, const Error& why)>;

// Changes that are on disk together, or not at all. Store::write() makes one and lends it to its
// caller; it sees its own changes. Not thread-safe.
class Transaction {
 public:
  // Replaces a registration of the same measurement (a new expiry). The content of its code-bearing
  // parts is there already: Store::keep_parts() (kNotFound). It is kept once, however many releases
  // share it.
  virtual Result<void> put_registration(const model::Registration& registration) = 0;
  // The content that no other registration has goes later: Store::discard_unused().
  virtual Result<void> remove_registration(const std::string& id) = 0;
  // Without a time the registration never ends.
  virtual Result<void> set_registration_expiry(const std::string& id,
                                               std::optional<UnixTime> expires) = 0;

  // Replaces the certificate with this id.
  virtual Result<void> put_certificate(const model::SigningCertificate& certificate) = 0;
  virtual Result<void> remove_certificate(const std::string& id) = 0;
  virtual Result<std::vector<model::SigningCertificate>> certificates(
      const OnUnreadable& on_unreadable) = 0;

  virtual Result<void> put_api(const model::ApiDomain& api) = 0;  // replaces the same domain
  virtual Result<void> remove_api(const std::string& domain) = 0;
  virtual Result<std::vector<model::ApiDomain>> apis(const OnUnreadable& on_unreadable) = 0;

  virtual Result<void> put_operator_token(const model::OperatorToken& token) = 0;  // replaces
  virtual Result<void> remove_operator_token(const std::string& name) = 0;
  virtual Result<std::vector<model::OperatorToken>> operator_tokens(
      const OnUnreadable& on_unreadable) = 0;

  // Small named values: sealed secrets ("secret.token"), configuration version, policy text.
  virtual Result<void> put(const std::string& name, ByteView value) = 0;

  virtual Result<void> put_devices(const std::vector<model::DeviceRecord>& records) = 0;
  // Replaces what was forced for the same device.
  virtual Result<void> put_forced_device(const model::ForcedDevice& device) = 0;
  virtual Result<void> remove_forced_device(const std::string& device_id) = 0;
  virtual Result<void> put_appraisals(const std::vector<model::AppraisalRecord>& records) = 0;

  // Hash-chained: each entry's hash covers the one before, so an entry that is changed, taken out
  // or put in between breaks the chain. Where the end is sealed (Store::seal_audit_with()), its
  // seal moves on in the same transaction. A log whose end is not where the seal says is never
  // sealed again: what is missing stays visible.
  virtual Result<void> audit(const model::AuditEntry& entry) = 0;
  // Seals the present end of the log with `key`. Once, when the key is made.
  virtual Result<void> seal_audit_end(ByteView key) = 0;

 protected:
  ~Transaction() = default;
};

// What can be read, each call on its own. Thread-safe. Does not wait for a change that is being
// written, and then sees what was there before it. (A database in memory has one connection: there,
// nothing may be read inside Store::write().)
class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<std::vector<model::Registration>> registrations(
      const OnUnreadable& on_unreadable) = 0;
  // Bytes [offset, offset + length) of the part with this SHA-256, clipped to its end.
  virtual Result<Bytes> part_range(const Sha256Digest& sha256, std::uint64_t offset,
                                   std::uint64_t length) = 0;
  virtual Result<std::vector<model::SigningCertificate>> certificates(
      const OnUnreadable& on_unreadable) = 0;
  virtual Result<std::vector<model::ApiDomain>> apis(const OnUnreadable& on_unreadable) = 0;
  virtual Result<std::vector<model::OperatorToken>> operator_tokens(
      const OnUnreadable& on_unreadable) = 0;
  virtual Result<std::optional<Bytes>> get(const std::string& name) = 0;
  // The last seen first.
  virtual Result<std::vector<model::DeviceRecord>> devices(std::size_t limit) = 0;
  virtual Result<std::optional<model::DeviceRecord>> device(const std::string& device_id) = 0;
  // Those seen since then that passed at last.
  virtual Result<model::DeviceCount> count_devices(UnixTime since, std::int64_t config_version) = 0;
  virtual Result<std::vector<model::ForcedDevice>> forced_devices() = 0;
  // The newest first, of those with a number below `before`; of one device alone when `device_id`
  // is given. Many are read page by page, each of which begins below the last one's number.
  virtual Result<std::vector<model::AppraisalRecord>> appraisals(
      std::size_t limit, const std::optional<std::string>& device_id, std::int64_t before) = 0;
  // The newest first.
  virtual Result<std::vector<model::AuditEntry>> audit_log(std::size_t limit) = 0;
  // Follows the whole chain to its sealed end; the number of entries, or kCorrupt saying what does
  // not fit.
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

  // Puts the content of the code-bearing ones of `parts` on disk, in short transactions between
  // which others write, and then runs `then`, which registers them (put_registration()). Content
  // that is then of no registration goes again, after a crash too. One runs at a time, and others
  // wait; not to be called inside write().
  virtual Result<void> keep_parts(const std::vector<package::Part>& parts, const PartReader& read,
                                  const std::function<Result<void>()>& then) = 0;
  // Removes content that no registration has any longer, some 64 MiB of it, in short transactions.
  // Called every few seconds. Does nothing while keep_parts() runs.
  virtual Result<void> discard_unused() = 0;

  // Writes a copy of all that is stored, as it is at one moment, to `path`, a new file; removes it
  // again where that fails. Others read and write meanwhile.
  virtual Result<void> copy_to(const std::string& path) = 0;

  // From now on the end of the audit log is sealed with `key` (seal_audit_end() was done), and
  // verify_audit() asks for the seal.
  virtual void seal_audit_with(ByteView key) = 0;
};

// Creates or migrates the database at `path` (":memory:" for tests).
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

}  // namespace touchmark::verifier::store
