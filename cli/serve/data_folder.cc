#include "cli/serve/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/encoding.h"
#include "base/file.h"
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

Result<Bytes> parse_master_key(const fs::path& path, std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  auto key = base64_decode(text);
  if (!key || key->size() != kMasterKeyBytes) {
    return fail(DataFolderError::kMasterKeyBad, path.string() + " is not 32 bytes in base64");
  }
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 0077) != 0) {
    return fail(DataFolderError::kMasterKeyBad,
                path.string() + " may be read by others; give it mode 0600");
  }
  return key;
}

}  // namespace

std::string_view error_id(DataFolderError error) {
  using enum DataFolderError;
  static constexpr auto kIds = error_table<DataFolderError>({
      {kUnusable, "data-folder.unusable"},
      {kInUse, "data-folder.in-use"},
      {kMasterKeyMissing, "data-folder.master-key-missing"},
      {kMasterKeyBad, "data-folder.master-key-bad"},
      {kBadKeyFile, "data-folder.bad-key-file"},
      {kNoDatabase, "data-folder.no-database"},
  });
  return kIds[error];
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<DataFolder> DataFolder::open(const fs::path& path) {
  if (auto ok = make_private_folder(path); !ok) return pass(ok);
  const fs::path lock_path = path / "lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return unusable(lock_path, errno);
  DataFolder folder(path, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return fail(DataFolderError::kInUse, path.string() + " is in use by another touchmark serve");
  }
  std::error_code error;
  fs::remove_all(folder.uploads(), error);
  if (auto ok = make_private_folder(folder.uploads()); !ok) return pass(ok);
  return folder;
}

Result<Bytes> DataFolder::master_key(const std::optional<fs::path>& file, Random& random) const {
  const fs::path path = file.value_or(path_ / "master.key");
  auto text = read_text(path);
  if (text) return parse_master_key(path, *text);
  if (!text.error().is(FileError::kNotFound)) return pass(text);
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
  auto key = key_at(path_ / "tls-key.pem");
  if (!key) return pass(key);
  const fs::path path = path_ / "tls-cert.pem";
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

Result<std::string> DataFolder::backup_pin() const {
  const fs::path pin_path = path_ / "tls-backup.pin";
  auto stored = read_text(pin_path);
  if (stored) {
    std::string pin = stored->substr(0, stored->find('\n'));
    if (base64_digest(pin)) return pin;
    // It can be made again, unless its key was moved away.
    std::error_code error;
    if (!fs::exists(path_ / "tls-backup-key.pem", error)) {
      return fail(DataFolderError::kBadKeyFile, pin_path.string() +
                                                    " is not the padded base64 of a SHA-256, and "
                                                    "tls-backup-key.pem is not beside it");
    }
  } else if (!stored.error().is(FileError::kNotFound)) {
    return pass(stored);
  }
  auto key = key_at(path_ / "tls-backup-key.pem");
  if (!key) return pass(key);
  const std::string pin = base64_encode(crypto::sha256(key->public_der()));
  if (auto ok = write_file_atomic(pin_path, as_bytes(pin + "\n"), 0644); !ok) return pass(ok);
  return pin;
}

}  // namespace touchmark::cli::serve
