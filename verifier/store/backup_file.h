// The one file that a backup is: what makes a service itself, sealed. docs/operations.md says what
// it holds and how it is restored.
//
// Layout, version 1:
//
//   8   "TMBACKUP"
//   1   version, 1
//   32  salt, at random
//   16  check value: tells another key from a changed file
//   then chunks of 1 MiB of plaintext, the last one shorter, each sealed by AES-256-GCM
//   (crypto/seal.h) under HKDF-SHA256(key and salt), for its number and for being the last or not:
//   none can be changed, moved, repeated, left out or cut off.
//
// The plaintext is the length of the list in 4 bytes (little-endian), the list as JSON, and the
// content of the files that it names, in its order.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/source.h"

namespace touchmark::verifier::store {

enum class BackupError {
  kNotABackup,  // another kind of file, or of a newer version
  kOtherKey,    // sealed under another key, or its first bytes were changed
  kBroken,      // changed, cut off, or with something added
  kMalformed,   // sealed with the right key, and yet no backup that this program reads
};
std::string_view error_id(BackupError error);

inline constexpr std::size_t kMaxBackupList = 64 << 10;  // bytes
inline constexpr std::size_t kMaxBackupFiles = 16;

struct BackedUpFile {
  std::string name;  // lower-case letters, digits, '.' and '-', not beginning with '.'
  std::uint64_t size = 0;
};

struct BackupList {
  std::string account;
  std::string version;  // of the program that made it
  UnixTime made{};
  std::vector<std::string> pins;  // of the service, as apps are told them
  std::vector<BackedUpFile> files;
};

// A file to back up: what is at `path` or, where that is empty, `content`.
struct BackupPart {
  std::string name;
  std::filesystem::path path{};
  Bytes content{};
};

// Writes `to`, a new file of mode 0600, and syncs it; removes it again where that fails. The files
// of `list` are those of `parts`, which must not change meanwhile. `key`: 32 bytes for this purpose
// alone. Gives its size in bytes. Fails with FileError or SourceError.
Result<std::uint64_t> write_backup(const std::filesystem::path& to, ByteView key, BackupList list,
                                   const std::vector<BackupPart>& parts, Random& random);

// Is told of each file of the list in turn, piece by piece, of an empty one once. What it is given
// was not changed, though the rest may turn out to be.
using BackupSink = std::function<Result<void>(const BackedUpFile& file, ByteView piece)>;

// Reads to the end, and gives the list. Fails with BackupError, or what `source` and `sink` fail
// with. Keeps two chunks in memory at most.
Result<BackupList> read_backup(const Source& source, ByteView key, const BackupSink& sink);

// The list as it is stored. Fails with kMalformed.
Result<BackupList> parse_backup_list(std::string_view json);

}  // namespace touchmark::verifier::store
