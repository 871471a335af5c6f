// What an installation keeps in the app's private folder: its key, and the newest configuration.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "attester/core/config.h"
#include "attester/keys/installation_key.h"
#include "base/random.h"

namespace touchmark::attester::keys {

// The processes of an app have one folder: whoever makes a key or keeps a configuration there holds
// this meanwhile. It ends with the process, whatever ends that.
class FolderLock {
 public:
  // Not held, without an error, when another holder has not let go within `patience`: a process
  // that the system froze is no reason to stand still. The files themselves are replaced
  // atomically.
  FolderLock(const std::filesystem::path& dir, std::chrono::milliseconds patience);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  FolderLock(const FolderLock&) = delete;
  bool held() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Thread-safe, and safe for several processes of one app. A process may end at any time: what it
// was writing is then there as before or as after, and what it left half-written is cleared away
// when something is next written.
class Storage {
 public:
  // Makes the folder (0700) when it is missing. Writes no file, and waits for no lock and no disk.
  static Result<Storage> open(std::filesystem::path dir);

  // Not to be called by who holds it.
  FolderLock lock(std::chrono::milliseconds patience = std::chrono::seconds(5)) const {
    return {dir_, patience};
  }

  // The stored configuration when it is a valid update of `initial`. Anything else (absent,
  // damaged, older, of another account) counts as nothing stored.
  std::optional<Config> load_config(const Config& initial) const;
  // Does nothing when another process has kept a newer one.
  Result<void> save_config(const Config& config) const;

  // The installation's key; made at the first call. A file that cannot be opened is replaced, which
  // gives this installation a new device id; one that an older version sealed is opened and sealed
  // again.
  //
  // The file is sealed (AES-256-GCM) under a random secret, in a file of its own beside it (both
  // 0600), and the folder's inode and owner. So the key file by itself is of no use, and a copy of
  // the whole folder, as a backup makes one, is another installation. It is no protection from who
  // reads the folder and knows this code: code that runs as this app, root on the device, or
  // somebody with an image of its disk. Without hardware there is no secret that they cannot read;
  // the platform's key store has one, which is why its key is asked for first.
  Result<std::unique_ptr<InstallationKey>> software_key(Random& random) const;

 private:
  explicit Storage(std::filesystem::path dir) : dir_(std::move(dir)) {}
  std::filesystem::path dir_;
};

}  // namespace touchmark::attester::keys
