#include "attester/keys/storage.h"

#include <sys/stat.h>

#include "base/file.h"
#include "protocol/limits.h"

namespace touchmark::attester::keys {
namespace {

constexpr std::string_view kSealContext = "touchmark installation key v1";

// Binds the sealed file to this very folder: a copy of it, from a backup or on another device, does
// not open there and so cannot carry the device id along. It hides nothing from code that runs as
// this app; only a hardware-held key does.
Result<Bytes> sealing_key(const std::filesystem::path& dir) {
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0) {
    return fail(ClientError::kStorage, "cannot read the folder " + dir.string());
  }
  const std::string seed = std::to_string(info.st_ino) + ":" + std::to_string(info.st_uid);
  return crypto::hkdf_sha256(as_bytes(seed), kSealContext, 32);
}

Result<void> write_private(const std::filesystem::path& path, ByteView data) {
  const Result<void> written = write_file_atomic(path, data, 0600);
  if (!written) return fail(ClientError::kStorage, written.error().text());
  return {};
}

}  // namespace

Result<Storage> Storage::open(std::filesystem::path dir) {
  std::error_code error;
  if (std::filesystem::create_directories(dir, error)) {
    std::filesystem::permissions(dir, std::filesystem::perms::owner_all, error);
  }
  if (error || !std::filesystem::is_directory(dir, error)) {
    return fail(ClientError::kStorage, "cannot make the folder " + dir.string());
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
  return write_private(dir_ / "config.jws", as_bytes(config.compact));
}

Result<std::unique_ptr<InstallationKey>> Storage::software_key(Random& random) const {
  const std::filesystem::path path = dir_ / "installation.key";
  const Result<Bytes> sealing = sealing_key(dir_);
  if (!sealing) return pass(sealing);
  if (const Result<Bytes> file = read_file(path, 4096)) {
    if (const Result<Bytes> der = crypto::open_sealed(*sealing, kSealContext, *file)) {
      if (Result<crypto::EcKey> key = crypto::EcKey::from_private_der(*der)) {
        return make_software_key(std::move(*key));
      }
    }
  }
  crypto::EcKey key = crypto::EcKey::generate();
  const Bytes sealed = crypto::seal(*sealing, kSealContext, key.private_der(), random);
  if (const Result<void> written = write_private(path, sealed); !written) return pass(written);
  return make_software_key(std::move(key));
}

}  // namespace touchmark::attester::keys
