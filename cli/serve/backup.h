// Backup and restore of a data folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "cli/serve/data_folder.h"
#include "verifier/store/backup_file.h"

namespace touchmark::cli::serve {

// Names of --cert and --key in a backup, and where they are restored.
inline constexpr const char* kGivenCertificate = "served-cert.pem";
inline constexpr const char* kGivenKey = "served-key.pem";

enum class BackupFolderError {
  kNoService,   // the folder to back up has no database
  kNotEmpty,    // the folder to restore to holds something
  kIncomplete,  // the backup lacks what a service needs, or its parts do not belong together
  kFileExists,  // the backup would replace a file
};
std::string_view error_id(BackupFolderError error);

// What a backup holds beside the database: the keys of the folder, and those that were `given`.
Result<std::vector<verifier::store::BackupPart>> key_parts(
    const DataFolder& folder, const std::optional<verifier::http::TlsIdentity>& given);

// A name beside `file` for what is not complete yet; keep_as() gives it its own.
std::filesystem::path draft_of(const std::filesystem::path& file, Random& random);
// Renames a complete draft, and syncs its folder. Without `replace` fails with kFileExists when
// something is at `file`; the draft is gone then.
Result<void> keep_as(const std::filesystem::path& draft, const std::filesystem::path& file,
                     bool replace);
// kFileExists when something is at `file`.
Result<void> check_free(const std::filesystem::path& file);

struct FolderBackup {
  verifier::store::BackupList list;
  std::uint64_t size = 0;
  bool lacks_given_key = false;  // the service is served with --cert and --key, which it has not
};

// Backs up the folder of a service that does not run (kInUse). `master_key`: where it is kept, when
// not in the folder.
Result<FolderBackup> back_up_folder(const std::filesystem::path& data,
                                    const std::optional<std::filesystem::path>& master_key,
                                    const std::filesystem::path& to, bool replace,
                                    const Clock& clock, Random& random);

struct Restored {
  verifier::store::BackupList list;
  bool has_given_key = false;        // kGivenCertificate and kGivenKey are in the folder
  std::filesystem::path master_key;  // that it is to be served with
};

// Restores `file` to `data`, which is not there or empty, except for a master key. All of the
// backup is opened and checked before anything has its name there: secrets and keys, the
// audit log, and that they belong together. Notes it in the audit log. The files belong to the
// folder's owner.
Result<Restored> restore_folder(const std::filesystem::path& file,
                                const std::filesystem::path& data,
                                const std::optional<std::filesystem::path>& master_key,
                                const Clock& clock, Random& random);

}  // namespace touchmark::cli::serve
