// What an installation keeps in the app's private folder: its key, and the newest configuration.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "attester/core/config.h"
#include "attester/keys/installation_key.h"
#include "base/random.h"

namespace touchmark::attester::keys {

// Thread-safe for what one process does; two processes of one app may race for the first key, and
// the later one then stands from the next start on.
class Storage {
 public:
  // Makes the folder (0700) when it is missing.
  static Result<Storage> open(std::filesystem::path dir);

  // The stored configuration when it is a valid update of `initial`. Anything else (absent,
  // damaged, older, of another account) counts as nothing stored.
  std::optional<Config> load_config(const Config& initial) const;
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
