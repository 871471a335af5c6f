// The folder where the service keeps all it knows: database, master key, development certificate.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "verifier/http/tls.h"

namespace touchmark::cli::serve {

// What a certificate, key or list of roots may have in bytes.
inline constexpr std::size_t kMaxPem = 1 << 20;

// Files of the folder.
inline constexpr const char* kTlsKey = "tls-key.pem";
inline constexpr const char* kTlsCertificate = "tls-cert.pem";
inline constexpr const char* kBackupKey = "tls-backup-key.pem";
inline constexpr const char* kBackupPin = "tls-backup.pin";
inline constexpr const char* kNextKey = "tls-next-key.pem";
inline constexpr const char* kOldKey = "tls-old-key.pem";

enum class DataFolderError {
  kUnusable,          // cannot be made, entered or written
  kInUse,             // another process serves from it
  kMasterKeyMissing,  // there is a database, but no master key to open its secrets
  kMasterKeyBad,      // not 32 bytes in base64, or readable by others
  kBadKeyFile,        // a key that apps pin, or its pin, cannot be read
  kNotTouchmarks,     // holds other things, and no database of Touchmark's
  kNotPrivate,        // somebody else owns it, or may put another in its place
  kMoved,             // is not where it was opened
  kNoDatabase,        // it is not the data folder of a service
};
std::string_view error_id(DataFolderError error);

// The 32 bytes of a file that master_key() made. Fails with kMasterKeyBad, or FileError.
Result<Bytes> read_master_key(const std::filesystem::path& file);

enum class FolderUser {
  kOwner,         // who serves
  kRootForOwner,  // who looks after it as root, or owns it
};

// Not thread-safe. While it lives, the folder is locked against other processes; the lock ends with
// the process, however it ends.
class DataFolder {
 public:
  // Makes the folder (mode 0700) when it is not there, and clears uploads that a crash left behind.
  // One that is there is taken when it is empty or Touchmark's: it holds touchmark.db, or nothing
  // but what a first start makes before that. It has to be the user's own, and gets mode 0700.
  // `user`: kRootForOwner lets root work on the folder of the service's user, and leaves the lock
  // and the folder of uploads to that user.
  static Result<DataFolder> open(const std::filesystem::path& path,
                                 FolderUser user = FolderUser::kOwner);
  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder();

  const std::filesystem::path& path() const { return path_; }
  // The folder's mode as it was found, when it had to be changed.
  std::optional<unsigned> mode_before() const { return mode_before_; }
  // Whether the folder is still found under its path; else kMoved. Thread-safe.
  Result<void> still_there() const;
  std::filesystem::path database() const { return path_ / "touchmark.db"; }
  std::filesystem::path uploads() const { return path_ / "uploads"; }
  // Where the SDKs that this service and its earlier versions handed out are kept.
  std::filesystem::path sdks() const { return path_ / "sdk"; }
  // Where operator tokens go for which there is no terminal and no other file.
  std::filesystem::path operator_tokens() const { return path_ / "operator-tokens.json"; }

  // 32 bytes; made on the first start. `file`: where it is kept, by default in the folder. One
  // below `credentials`, systemd's folder of credentials, is never made, and its mode is systemd's
  // concern.
  Result<Bytes> master_key(const std::optional<std::filesystem::path>& file, Random& random,
                           const std::filesystem::path& credentials = {}) const;

  // The self-signed certificate for `hosts`. Its key stays the same when the certificate has to be
  // replaced (another host, or its time is nearly over), so pins stay valid.
  Result<verifier::http::TlsIdentity> development_identity(const std::vector<std::string>& hosts,
                                                           UnixTime now, Random& random) const;

  // The pin of the next key, tls-next-key.pem; the key is made when it is not there.
  Result<std::string> next_key() const;
  // Puts the next key in the place of tls-key.pem, and that one beside it as tls-old-key.pem.
  // kBadKeyFile when the next key does not have this pin. undo_next_key() takes it back.
  Result<void> take_next_key(const std::string& pin) const;
  Result<void> undo_next_key() const;

  // The private keys and what belongs to them, by name, as far as they are there. Not the master
  // key.
  Result<std::vector<std::pair<std::string, Bytes>>> key_files() const;

  // Padded base64 SHA-256 of the SPKI of a second key that is pinned but not in use: with it, apps
  // in the field survive the loss of the first. The private half may be moved to another place.
  Result<std::string> backup_pin() const;

 private:
  DataFolder(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_;
  std::optional<unsigned> mode_before_{};
};

}  // namespace touchmark::cli::serve
