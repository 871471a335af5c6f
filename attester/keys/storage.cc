#include "attester/keys/storage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "protocol/limits.h"

namespace touchmark::attester::keys {
namespace {

constexpr std::string_view kSealContext = "touchmark installation key v2";
constexpr std::string_view kOldSealContext = "touchmark installation key v1";
constexpr std::size_t kSecretBytes = 32;
constexpr const char* kKeyFile = "installation.key";
constexpr const char* kSecretFile = "installation.seal";
constexpr const char* kLockFile = "lock";

// What a copy of the folder does not have, and anybody can guess.
Result<std::string> place_of(const std::filesystem::path& dir) {
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0) {
    return fail(ClientError::kStorage, "cannot read the folder " + dir.string());
  }
  return std::to_string(info.st_ino) + ":" + std::to_string(info.st_uid);
}

// Of a random secret, which lies beside what it seals, and the folder.
Bytes sealing_key(ByteView secret, const std::string& place) {
  Bytes seed = to_bytes(secret);
  append(seed, as_bytes(place));
  return crypto::hkdf_sha256(seed, kSealContext, 32);
}

// As up to 0.1 without a secret, and so for anybody who knows or tries the folder's number.
Bytes old_sealing_key(const std::string& place) {
  return crypto::hkdf_sha256(as_bytes(place), kOldSealContext, 32);
}

std::optional<crypto::EcKey> open_key(const Bytes& sealing, std::string_view context,
                                      ByteView sealed) {
  const Result<Bytes> der = crypto::open_sealed(sealing, context, sealed);
  if (!der) return std::nullopt;
  Result<crypto::EcKey> key = crypto::EcKey::from_private_der(*der);
  if (!key) return std::nullopt;
  return std::move(*key);
}

// What a process that ended while it wrote has left (write_file_atomic).
void clear_drafts(const std::filesystem::path& dir) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(dir, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with('.') || !name.ends_with(".tmp")) continue;
    std::error_code gone;
    std::filesystem::remove(entry->path(), gone);
  }
}

// Waits until it is on the disk.
Result<void> write_private(const std::filesystem::path& path, ByteView data) {
  const Result<void> written = write_file_atomic(path, data, 0600);
  if (!written) return fail(ClientError::kStorage, written.error().text());
  return {};
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& dir, std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kPause{10};
  const int fd = ::open((dir / kLockFile).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= end) {
      ::close(fd);
      return;
    }
    std::this_thread::sleep_for(kPause);
  }
  fd_ = fd;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Storage> Storage::open(std::filesystem::path dir) {
  std::error_code error;
  if (std::filesystem::create_directories(dir, error)) {
    std::filesystem::permissions(dir, std::filesystem::perms::owner_all, error);
  }
  if (error || !std::filesystem::is_directory(dir, error)) {
    return fail(ClientError::kStorage, "cannot make the folder " + dir.string());
  }
  // Whether that is so for the disk as well, the first file that is written tells.
  if (::access(dir.c_str(), W_OK | X_OK) != 0) {
    return fail(ClientError::kStorage, "cannot write to the folder " + dir.string());
  }
  return Storage(std::move(dir));
}

std::optional<Config> Storage::load_config(const Config& initial) const {
  const Result<Bytes> file = read_file(dir_ / "config.jws", protocol::kMaxConfigBytes);
  if (!file) return std::nullopt;
  Result<Config> stored = parse_config_update(initial, as_text(*file));
  if (!stored) return std::nullopt;
  return std::move(*stored);
}

Result<void> Storage::save_config(const Config& config) const {
  const FolderLock folder = lock();
  if (load_config(config)) return {};
  if (folder.held()) clear_drafts(dir_);
  return write_private(dir_ / "config.jws", as_bytes(config.compact));
}

Result<std::unique_ptr<InstallationKey>> Storage::software_key(Random& random) const {
  const FolderLock folder = lock();
  const Result<std::string> place = place_of(dir_);
  if (!place) return pass(place);
  const Result<Bytes> secret = read_file(dir_ / kSecretFile, kSecretBytes);
  const bool has_secret = secret && secret->size() == kSecretBytes;
  std::optional<crypto::EcKey> key;
  if (const Result<Bytes> file = read_file(dir_ / kKeyFile, 4096)) {
    if (has_secret) key = open_key(sealing_key(*secret, *place), kSealContext, *file);
    if (key) return make_software_key(std::move(*key));
    // Sealed by an older version; or that one's file, where the last start ended in between.
    key = open_key(old_sealing_key(*place), kOldSealContext, *file);
  }
  if (!key) key = crypto::EcKey::generate();
  if (folder.held()) clear_drafts(dir_);
  Bytes fresh(kSecretBytes);
  random.fill(fresh);
  if (auto ok = write_private(dir_ / kSecretFile, fresh); !ok) return pass(ok);
  const Bytes sealed =
      crypto::seal(sealing_key(fresh, *place), kSealContext, key->private_der(), random);
  if (auto ok = write_private(dir_ / kKeyFile, sealed); !ok) return pass(ok);
  return make_software_key(std::move(*key));
}

}  // namespace touchmark::attester::keys
