// The store over SQLite: one connection that writes (WAL, synchronous=FULL), one that reads what
// the hot path needs, and one that reads what operators ask for. Neither a write nor a long read
// makes an attestation wait. What is written is cut into short transactions, and the connection
// that writes goes round in turn, so that an App Attest counter waits for one of them at most per
// thread that writes.
#pragma once

#include "base/mutex.h"
#include "verifier/store/database.h"
#include "verifier/store/sqlite_transaction.h"
#include "verifier/store/store.h"

namespace touchmark::verifier::store {

class SqliteStore final : public Store {
 public:
  // `reader` and `browser` are absent for a database in memory, which only its own connection sees.
  SqliteStore(std::string path, Database writer, std::optional<Database> reader,
              std::optional<Database> browser)
      : path_(std::move(path)),
        writer_(std::move(writer)),
        has_readers_(reader.has_value()),
        reader_(std::move(reader)),
        browser_(std::move(browser)) {}

  Result<void> write(const Change& change) override;
  Result<void> keep_parts(const std::vector<package::Part>& parts, const PartReader& read,
                          const std::function<Result<void>()>& then) override;
  Result<void> discard_unused() override;
  Result<void> copy_to(const std::string& path) override;
  void seal_audit_with(ByteView key) override;

  Result<std::vector<model::Registration>> registrations(
      const OnUnreadable& on_unreadable) override;
  Result<Bytes> part_range(const Sha256Digest& sha256, std::uint64_t offset,
                           std::uint64_t length) override;
  Result<std::vector<model::SigningCertificate>> certificates(
      const OnUnreadable& on_unreadable) override;
  Result<std::vector<model::ApiDomain>> apis(const OnUnreadable& on_unreadable) override;
  Result<std::vector<model::OperatorToken>> operator_tokens(
      const OnUnreadable& on_unreadable) override;
  Result<std::optional<Bytes>> get(const std::string& name) override;
  Result<std::vector<model::DeviceRecord>> devices(std::size_t limit) override;
  Result<std::optional<model::DeviceRecord>> device(const std::string& device_id) override;
  Result<model::DeviceCount> count_devices(UnixTime since, std::int64_t config_version) override;
  Result<std::vector<model::ForcedDevice>> forced_devices() override;
  Result<std::vector<model::AppraisalRecord>> appraisals(
      std::size_t limit, const std::optional<std::string>& device_id, std::int64_t before) override;
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

  // Runs `use` on the connection for the hot path, under its lock.
  template <class Use>
  auto reading(Use use) {
    if (!has_readers_) {
      const FairLock lock(writer_mutex_);
      return use(writer_);
    }
    const MutexLock lock(reader_mutex_);
    return use(*reader_);
  }
  // Runs `use` on the connection for operators' questions, under its lock.
  template <class Use>
  auto browsing(Use use) {
    if (!has_readers_) {
      const FairLock lock(writer_mutex_);
      return use(writer_);
    }
    const MutexLock lock(browser_mutex_);
    return use(*browser_);
  }
  // Runs `use` in a transaction of its own.
  template <class Use>
  Result<void> writing(Use use) {
    const FairLock lock(writer_mutex_);
    OpenTransaction open(writer_);
    if (auto ok = open.begin(); !ok) return ok;
    if (auto ok = use(writer_); !ok) return ok;
    return open.commit();
  }

  // Empties loose_part of at most `chunks` chunks of content.
  Result<void> discard_loose(std::int64_t chunks) REQUIRES(content_mutex_);
  Result<void> write_parts(const std::vector<package::Part>& parts, const PartReader& read)
      REQUIRES(content_mutex_);
  Bytes audit_key();

  const std::string path_;
  FairMutex writer_mutex_;
  Database writer_ GUARDED_BY(writer_mutex_);

  const bool has_readers_;
  Mutex reader_mutex_;
  std::optional<Database> reader_ GUARDED_BY(reader_mutex_);
  Mutex browser_mutex_;
  std::optional<Database> browser_ GUARDED_BY(browser_mutex_);

  Mutex content_mutex_;  // held while content comes or goes

  Mutex key_mutex_;
  Bytes audit_key_ GUARDED_BY(key_mutex_);
};

}  // namespace touchmark::verifier::store
