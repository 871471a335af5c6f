#include "cli/serve/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/encoding.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "pki/server_certificate.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMasterKeyBytes = 32;
constexpr Seconds kCertificateLifetime{std::int64_t{825} * 86400};
constexpr Seconds kRenewBefore{std::int64_t{30} * 86400};

tl::unexpected<Error> unusable(const fs::path& path, int code) {
  if (code == ENOSPC || code == EDQUOT) {
    return fail(FileError::kNoSpace, path.string() + ": " + std::strerror(code));
  }
  return fail(DataFolderError::kUnusable, path.string() + ": " + std::strerror(code));
}

// What a first start makes before the database, beside the lock.
constexpr auto kOwnNames = std::to_array<std::string_view>(
    {"lock", "uploads", "master.key", kTlsKey, kTlsCertificate, kBackupKey, kBackupPin, kNextKey,
     kOldKey, "revocation.cache", "operator-tokens.json", "sdk", "touchmark.db-wal",
     "touchmark.db-shm"});
// What is in a new file system, or what its keeper may put there before the first start.
constexpr auto kFreshNames =
    std::to_array<std::string_view>({"lost+found", ".snapshot", "master.key"});

bool is_one_of(std::span<const std::string_view> names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Whether the folder is empty, or one that this program made.
Result<void> check_content(const fs::path& path) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) return unusable(path, error.value());
  const auto has = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
  if (has("touchmark.db")) return {};
  const bool was_started = has("lock");
  std::erase_if(names, [&](const std::string& name) {
    // Of a file that was being written, or a restore that was killed.
    const bool draft =
        (name.starts_with('.') && name.ends_with(".tmp")) || name.starts_with(".restoring-");
    return is_one_of(kFreshNames, name) || (was_started && (draft || is_one_of(kOwnNames, name)));
  });
  if (names.empty()) return {};
  std::ranges::sort(names);
  return fail(DataFolderError::kNotTouchmarks,
              path.string() + " holds " + shown(names.front()) +
                  (names.size() > 1 ? " and " + std::to_string(names.size() - 1) + " more" : "") +
                  ", and no touchmark.db: it is not a data folder of Touchmark's");
}

// Who owns the folder that `path` is in can put another in its place, and so can everybody where
// everybody may write and no sticky bit keeps them from it.
Result<void> check_parent(const fs::path& path) {
  std::error_code error;
  const fs::path parent = fs::canonical(path, error).parent_path();
  if (error) return unusable(path, error.value());
  struct stat status {};
  if (::stat(parent.c_str(), &status) != 0) return unusable(parent, errno);
  if ((status.st_mode & S_IWOTH) == 0 || (status.st_mode & S_ISVTX) != 0) return {};
  return fail(DataFolderError::kNotPrivate, "everybody may write " + parent.string() +
                                                ", and so put another folder in the place of " +
                                                path.string() + "; run `chmod o-w " +
                                                parent.string() + "`");
}

// The mode as it was, when it had to be changed.
Result<std::optional<unsigned>> make_private(const fs::path& path, FolderUser user) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return unusable(path, errno);
  const bool may_be_others = user == FolderUser::kRootForOwner && ::geteuid() == 0;
  if (status.st_uid != ::geteuid() && !may_be_others) {
    return fail(DataFolderError::kNotPrivate, path.string() + " belongs to the user with the id " +
                                                  std::to_string(status.st_uid) +
                                                  ", who could read its keys, and this process "
                                                  "runs as " +
                                                  std::to_string(::geteuid()));
  }
  const unsigned mode = status.st_mode & 07777U;
  if (mode == 0700) return std::nullopt;
  if (::chmod(path.c_str(), 0700) != 0) {
    return fail(DataFolderError::kNotPrivate,
                path.string() + " does not take mode 0700: " + std::strerror(errno));
  }
  return mode;
}

Result<void> make_private_folder(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) return unusable(path.parent_path(), error.value());
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  const int code = errno;
  if (code == EEXIST && fs::is_directory(path, error)) return {};
  return unusable(path, code == EEXIST ? ENOTDIR : code);
}

Result<std::string> read_text(const fs::path& path) {
  auto bytes = read_file(path, kMaxPem);
  if (!bytes) return pass(bytes);
  return std::string(as_text(*bytes));
}

// A P-256 key in PEM at `path`; made when it is not there.
Result<crypto::EcKey> key_at(const fs::path& path) {
  auto pem = read_text(path);
  if (pem) {
    auto key = crypto::EcKey::from_private_pem(*pem);
    if (key) return key;
    return fail(DataFolderError::kBadKeyFile, path.string() + ": " + key.error().message());
  }
  if (!pem.error().is(FileError::kNotFound)) return pass(pem);
  crypto::EcKey key = crypto::EcKey::generate();
  if (auto ok = write_file_atomic(path, as_bytes(key.private_pem()), 0600); !ok) return pass(ok);
  return key;
}

bool still_good(const std::string& pem, const std::vector<std::string>& hosts,
                const Sha256Digest& spki, UnixTime now) {
  const auto facts = pki::read_certificate(pem);
  if (!facts || facts->spki_sha256 != spki || facts->not_after < now + kRenewBefore) return false;
  for (const std::string& host : hosts) {
    if (!pki::names_host(pem, host)) return false;
  }
  return true;
}

Result<Bytes> parse_master_key(const fs::path& path, std::string_view text, bool is_credential) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  auto key = base64_decode(text);
  if (!key || key->size() != kMasterKeyBytes) {
    return fail(DataFolderError::kMasterKeyBad, path.string() + " is not 32 bytes in base64");
  }
  struct stat status {};
  // What systemd hands over may carry an access list, whose mask reads as bits of the group.
  if (!is_credential && ::stat(path.c_str(), &status) == 0 && (status.st_mode & 0077) != 0) {
    return fail(DataFolderError::kMasterKeyBad,
                path.string() + " may be read by others; give it mode 0600");
  }
  return key;
}

}  // namespace

Result<Bytes> read_master_key(const fs::path& file) {
  auto text = read_text(file);
  if (!text) return pass(text);
  return parse_master_key(file, *text, false);
}

std::string_view error_id(DataFolderError error) {
  using enum DataFolderError;
  static constexpr auto kIds = error_table<DataFolderError>({
      {kUnusable, "data-folder.unusable"},
      {kInUse, "data-folder.in-use"},
      {kMasterKeyMissing, "data-folder.master-key-missing"},
      {kMasterKeyBad, "data-folder.master-key-bad"},
      {kBadKeyFile, "data-folder.bad-key-file"},
      {kNotTouchmarks, "data-folder.not-touchmarks"},
      {kNotPrivate, "data-folder.not-private"},
      {kMoved, "data-folder.moved"},
      {kNoDatabase, "data-folder.no-database"},
  });
  return kIds[error];
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      mode_before_(other.mode_before_) {}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<DataFolder> DataFolder::open(const fs::path& path, FolderUser user) {
  if (auto ok = make_private_folder(path); !ok) return pass(ok);
  // Before anything of it is changed.
  if (auto ok = check_content(path); !ok) return pass(ok);
  if (auto ok = check_parent(path); !ok) return pass(ok);
  auto mode_before = make_private(path, user);
  if (!mode_before) return pass(mode_before);
  const fs::path lock_path = path / "lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return unusable(lock_path, errno);
  DataFolder folder(path, lock);
  folder.mode_before_ = *mode_before;
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return fail(DataFolderError::kInUse, path.string() + " is in use by another touchmark serve");
  }
  std::error_code error;
  fs::remove_all(folder.uploads(), error);
  if (auto ok = make_private_folder(folder.uploads()); !ok) return pass(ok);
  struct stat owner {};
  if (::stat(path.c_str(), &owner) != 0) return unusable(path, errno);
  if (owner.st_uid != ::geteuid() &&
      (::fchown(lock, owner.st_uid, owner.st_gid) != 0 ||
       ::chown(folder.uploads().c_str(), owner.st_uid, owner.st_gid) != 0)) {
    return unusable(path, errno);
  }
  return folder;
}

Result<void> DataFolder::still_there() const {
  struct stat ours {};
  struct stat found {};
  const bool is_there = ::fstat(lock_, &ours) == 0 &&
                        ::stat((path_ / "lock").c_str(), &found) == 0 &&
                        ours.st_dev == found.st_dev && ours.st_ino == found.st_ino;
  std::error_code error;
  if (is_there && fs::exists(database(), error)) return {};
  return fail(DataFolderError::kMoved,
              path_.string() +
                  (is_there ? " lost its touchmark.db"
                            : " is not the data folder that "
                              "the service opened") +
                  ": it was moved or removed while the service runs; put it back, or stop the "
                  "service and start it with --data where it is now");
}

Result<Bytes> DataFolder::master_key(const std::optional<fs::path>& file, Random& random,
                                     const fs::path& credentials) const {
  const fs::path path = file.value_or(path_ / "master.key");
  const bool is_credential = !credentials.empty() && path.parent_path() == credentials;
  auto text = read_text(path);
  if (text) return parse_master_key(path, *text, is_credential);
  if (!text.error().is(FileError::kNotFound)) return pass(text);
  if (is_credential) {
    return fail(DataFolderError::kMasterKeyMissing,
                path.string() + " is not there: the unit has no such LoadCredential=");
  }
  std::error_code error;
  if (fs::exists(database(), error)) {
    return fail(DataFolderError::kMasterKeyMissing,
                path.string() + " is not there, and the secrets in " + database().string() +
                    " cannot be opened without it");
  }
  Bytes key = random.bytes(kMasterKeyBytes);
  if (auto ok = write_file_atomic(path, as_bytes(base64_encode(key) + "\n"), 0600); !ok) {
    return pass(ok);
  }
  return key;
}

Result<verifier::http::TlsIdentity> DataFolder::development_identity(
    const std::vector<std::string>& hosts, UnixTime now, Random& random) const {
  auto key = key_at(path_ / kTlsKey);
  if (!key) return pass(key);
  const fs::path path = path_ / kTlsCertificate;
  auto stored = read_text(path);
  if (!stored && !stored.error().is(FileError::kNotFound)) return pass(stored);
  if (stored && still_good(*stored, hosts, crypto::sha256(key->public_der()), now)) {
    return verifier::http::TlsIdentity{*stored, key->private_pem()};
  }
  // An hour back, for clients whose clock is behind.
  auto made =
      pki::make_self_signed(*key, hosts, now - Seconds(3600), now + kCertificateLifetime, random);
  if (!made) return pass(made);
  if (auto ok = write_file_atomic(path, as_bytes(*made), 0644); !ok) return pass(ok);
  return verifier::http::TlsIdentity{*made, key->private_pem()};
}

Result<std::string> DataFolder::next_key() const {
  auto key = key_at(path_ / kNextKey);
  if (!key) return pass(key);
  return base64_encode(crypto::sha256(key->public_der()));
}

Result<void> DataFolder::take_next_key(const std::string& pin) const {
  auto pem = read_text(path_ / kNextKey);
  if (!pem) return pass(pem);
  auto key = crypto::EcKey::from_private_pem(*pem);
  if (!key || base64_encode(crypto::sha256(key->public_der())) != pin) {
    return fail(DataFolderError::kBadKeyFile,
                (path_ / kNextKey).string() + " is not the key with the pin " + pin);
  }
  // At every moment there is a tls-key.pem, and it is one that apps know.
  std::error_code error;
  fs::remove(path_ / kOldKey, error);
  fs::create_hard_link(path_ / kTlsKey, path_ / kOldKey, error);
  if (error) return unusable(path_ / kOldKey, error.value());
  fs::rename(path_ / kNextKey, path_ / kTlsKey, error);
  if (error) return unusable(path_ / kTlsKey, error.value());
  return {};
}

Result<void> DataFolder::undo_next_key() const {
  std::error_code error;
  fs::create_hard_link(path_ / kTlsKey, path_ / kNextKey, error);
  if (error) return unusable(path_ / kNextKey, error.value());
  fs::rename(path_ / kOldKey, path_ / kTlsKey, error);
  if (error) return unusable(path_ / kTlsKey, error.value());
  return {};
}

Result<std::vector<std::pair<std::string, Bytes>>> DataFolder::key_files() const {
  std::vector<std::pair<std::string, Bytes>> out;
  for (const char* name : {kTlsKey, kTlsCertificate, kBackupPin, kBackupKey, kNextKey, kOldKey}) {
    auto content = read_file(path_ / name, kMaxPem);
    if (content) {
      out.emplace_back(name, std::move(*content));
    } else if (!content.error().is(FileError::kNotFound)) {
      return pass(content);
    }
  }
  return out;
}

Result<std::string> DataFolder::backup_pin() const {
  const fs::path pin_path = path_ / kBackupPin;
  auto stored = read_text(pin_path);
  if (stored) {
    std::string pin = stored->substr(0, stored->find('\n'));
    if (base64_digest(pin)) return pin;
    // It can be made again, unless its key was moved away.
    std::error_code error;
    if (!fs::exists(path_ / kBackupKey, error)) {
      return fail(DataFolderError::kBadKeyFile, pin_path.string() +
                                                    " is not the padded base64 of a SHA-256, and "
                                                    "tls-backup-key.pem is not beside it");
    }
  } else if (!stored.error().is(FileError::kNotFound)) {
    return pass(stored);
  }
  auto key = key_at(path_ / kBackupKey);
  if (!key) return pass(key);
  const std::string pin = base64_encode(crypto::sha256(key->public_der()));
  if (auto ok = write_file_atomic(pin_path, as_bytes(pin + "\n"), 0644); !ok) return pass(ok);
  return pin;
}

}  // namespace touchmark::cli::serve
