#include "cli/serve/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/encoding.h"
#include "base/file.h"
#include "base/system_failure.h"
#include "crypto/crypto.h"
#include "verifier/state/backups.h"
#include "verifier/state/keyring.h"
#include "verifier/state/known_keys.h"

namespace touchmark::cli::serve {
namespace {

namespace fs = std::filesystem;
using verifier::state::kDatabaseName;
using verifier::store::BackupList;
using verifier::store::BackupPart;

// What a folder may hold that counts as empty: what a failed start, or the person who brings the
// master key, left there.
const std::set<std::string> kNothing{"lock", "uploads", "master.key", "lost+found", ".snapshot"};
// Begins the name of a folder where a restore unpacks; one that was killed leaves it behind.
constexpr const char* kStaging = ".restoring-";

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(::fsync(fd));
  ::close(fd);
}

Result<void> check_empty(const fs::path& data) {
  std::error_code error;
  const auto status = fs::status(data, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (status.type() != fs::file_type::directory) {
    return fail(BackupFolderError::kNotEmpty, data.string() + " is not a folder");
  }
  for (fs::directory_iterator at(data, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (kNothing.contains(name) || name.starts_with(kStaging)) continue;
    return fail(BackupFolderError::kNotEmpty,
                data.string() + " is not empty (" + name +
                    "): a backup is restored to a folder that holds nothing, so that nothing is "
                    "lost");
  }
  if (error) return system_failure(data, error.value());
  return {};
}

// Of restores that were killed: this process alone has the folder's lock.
void remove_old_staging(const fs::path& data) {
  std::error_code error;
  std::vector<fs::path> old;
  for (fs::directory_iterator at(data, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with(kStaging)) old.push_back(at->path());
  }
  for (const fs::path& path : old) fs::remove_all(path, error);
}

// A folder for what is not verified yet, gone with the object.
class Staging {
 public:
  explicit Staging(fs::path path) : path_(std::move(path)) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Result<void> make() const {
    if (::mkdir(path_.c_str(), 0700) == 0) return {};
    return system_failure(path_, errno);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Writes files as they come out of a backup, one after the other.
class FileWriter {
 public:
  explicit FileWriter(fs::path folder) : folder_(std::move(folder)) {}
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> add(const std::string& name, ByteView piece) {
    if (name != name_) {
      if (auto ok = finish(); !ok) return ok;
      name_ = name;
      const fs::path path = folder_ / name;
      fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd_ < 0) return system_failure(path, errno);
    }
    while (!piece.empty()) {
      const ssize_t count = ::write(fd_, piece.data(), piece.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_failure(folder_ / name_, errno);
      piece = piece.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }
  Result<void> finish() {
    if (fd_ < 0) return {};
    const int failed = ::fsync(fd_) == 0 ? 0 : errno;
    ::close(fd_);
    fd_ = -1;
    if (failed != 0) return system_failure(folder_ / name_, failed);
    return {};
  }

 private:
  const fs::path folder_;
  std::string name_;
  int fd_ = -1;
};

bool has_file(const BackupList& list, const std::string& name) {
  return std::ranges::any_of(list.files, [&](const auto& file) { return file.name == name; });
}

Result<std::string> pin_of_key(const fs::path& path) {
  auto pem = read_file(path, kMaxPem);
  if (!pem) return pass(pem);
  auto key = crypto::EcKey::from_private_pem(as_text(*pem));
  if (!key) return pass(key);
  return base64_encode(crypto::sha256(key->public_der()));
}

// That the database opens with this master key, is whole, and knows the keys beside it.
Result<void> check_restored(const fs::path& folder, const BackupList& list, ByteView master_key,
                            const Clock& clock, Random& random) {
  const auto incomplete = [](const std::string& what) {
    return fail(BackupFolderError::kIncomplete, "the backup " + what);
  };
  if (!has_file(list, kDatabaseName)) return incomplete("holds no database");
  auto store = verifier::store::open_sqlite((folder / kDatabaseName).string());
  if (!store) return pass(store);
  auto known = verifier::state::read_known_keys(**store);
  if (!known) return pass(known);
  if (!known->established) return incomplete("holds a database without an account");
  auto keyring = verifier::state::Keyring::open(**store, master_key, clock, random);
  if (!keyring) return pass(keyring);
  if (keyring->account != list.account) return incomplete("holds the database of another account");
  (*store)->seal_audit_with(keyring->audit_key);
  if (auto chain = (*store)->verify_audit(); !chain) return pass(chain);
  if (!known->folder.empty()) {
    if (!has_file(list, kTlsKey)) return incomplete("lacks tls-key.pem");
    auto pin = pin_of_key(folder / kTlsKey);
    if (!pin) return pass(pin);
    if (*pin != known->folder)
      return incomplete("holds another tls-key.pem than its database knows");
  }
  if (!known->backup.empty() && !has_file(list, kBackupPin)) {
    return incomplete("lacks tls-backup.pin");
  }
  return (*store)->write([&](verifier::store::Transaction& transaction) {
    return transaction.audit({clock.now(),
                              "touchmark restore",
                              "restore",
                              "of the backup of " + format_time(list.made) + " UTC",
                              {}});
  });
}

// The database last: without it, what is there is never taken for a service's folder.
Result<void> move_into(const fs::path& staging, const fs::path& data, const BackupList& list) {
  const auto move = [&](const std::string& name) -> Result<void> {
    if (::rename((staging / name).c_str(), (data / name).c_str()) == 0) return {};
    return system_failure(data / name, errno);
  };
  for (const auto& file : list.files) {
    if (file.name == kDatabaseName) continue;
    if (auto ok = move(file.name); !ok) return ok;
  }
  sync_folder(data);
  if (auto ok = move(kDatabaseName); !ok) return ok;
  sync_folder(data);
  return {};
}

// For root, who restores what another user serves.
Result<void> give_to_owner(const fs::path& data) {
  struct stat status {};
  if (::geteuid() != 0 || ::stat(data.c_str(), &status) != 0 || status.st_uid == 0) return {};
  std::error_code error;
  for (fs::directory_iterator at(data, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename() == "lost+found") continue;
    if (::lchown(at->path().c_str(), status.st_uid, status.st_gid) != 0) {
      return system_failure(at->path(), errno);
    }
  }
  return {};
}

Result<Restored> restore_into(const DataFolder& folder, const Source& backup, ByteView master_key,
                              const Clock& clock, Random& random) {
  const Staging staging(folder.path() / (kStaging + hex_encode(random.bytes(8))));
  remove_old_staging(folder.path());
  if (auto ok = staging.make(); !ok) return pass(ok);
  FileWriter writer(staging.path());
  auto list = verifier::store::read_backup(
      backup, verifier::state::Keyring::backup_key_of(master_key),
      [&](const auto& file, ByteView piece) { return writer.add(file.name, piece); });
  if (!list) return pass(list);
  if (auto ok = writer.finish(); !ok) return pass(ok);
  if (auto ok = check_restored(staging.path(), *list, master_key, clock, random); !ok) {
    return pass(ok);
  }
  if (auto ok = move_into(staging.path(), folder.path(), *list); !ok) return pass(ok);
  Restored out;
  out.list = std::move(*list);
  out.has_given_key = has_file(out.list, kGivenKey);
  return out;
}

}  // namespace

std::string_view error_id(BackupFolderError error) {
  using enum BackupFolderError;
  static constexpr auto kIds = error_table<BackupFolderError>({
      {kNoService, "backup-folder.no-service"},
      {kNotEmpty, "backup-folder.not-empty"},
      {kIncomplete, "backup-folder.incomplete"},
      {kFileExists, "backup-folder.file-exists"},
  });
  return kIds[error];
}

Result<std::vector<BackupPart>> key_parts(const DataFolder& folder,
                                          const std::optional<verifier::http::TlsIdentity>& given) {
  auto files = folder.key_files();
  if (!files) return pass(files);
  std::vector<BackupPart> out;
  for (auto& [name, content] : *files) out.push_back({name, {}, std::move(content)});
  if (given) {
    out.push_back({kGivenCertificate, {}, to_bytes(given->certificate_pem)});
    out.push_back({kGivenKey, {}, to_bytes(given->key_pem)});
  }
  return out;
}

fs::path draft_of(const fs::path& file, Random& random) {
  return file.string() + "." + hex_encode(random.bytes(8)) + ".new";
}

Result<void> check_free(const fs::path& file) {
  std::error_code error;
  if (fs::symlink_status(file, error).type() == fs::file_type::not_found) return {};
  return fail(BackupFolderError::kFileExists, file.string() + " is there already");
}

Result<void> keep_as(const fs::path& draft, const fs::path& file, bool replace) {
  int failed = 0;
  if (replace) {
    failed = ::rename(draft.c_str(), file.c_str()) == 0 ? 0 : errno;
  } else {
    failed = ::link(draft.c_str(), file.c_str()) == 0 ? 0 : errno;
    // A file system without links: the name was free a moment ago.
    if (failed == EPERM || failed == EOPNOTSUPP || failed == ENOSYS) {
      if (auto ok = check_free(file); !ok) {
        ::unlink(draft.c_str());
        return ok;
      }
      failed = ::rename(draft.c_str(), file.c_str()) == 0 ? 0 : errno;
    }
  }
  ::unlink(draft.c_str());
  if (failed == EEXIST) return check_free(file);
  if (failed != 0) return system_failure(file, failed);
  sync_folder(file.parent_path());
  return {};
}

Result<FolderBackup> back_up_folder(const fs::path& data, const std::optional<fs::path>& master_key,
                                    const fs::path& to, bool replace, const Clock& clock,
                                    Random& random) {
  std::error_code error;
  const fs::path database = data / kDatabaseName;
  if (!fs::exists(database, error) || fs::file_size(database, error) == 0) {
    return fail(BackupFolderError::kNoService,
                data.string() + " is no data folder: it holds no " + kDatabaseName);
  }
  if (!replace) {
    if (auto ok = check_free(to); !ok) return pass(ok);
  }
  auto folder = DataFolder::open(data, FolderUser::kRootForOwner);
  if (!folder) return pass(folder);
  auto key = folder->master_key(master_key, random);
  if (!key) return pass(key);
  auto store = verifier::store::open_sqlite(database.string());
  if (!store) return pass(store);
  auto known = verifier::state::read_known_keys(**store);
  if (!known) return pass(known);
  if (!known->established) {
    return fail(BackupFolderError::kNoService, data.string() + " holds no account yet");
  }
  auto keyring = verifier::state::Keyring::open(**store, *key, clock, random);
  if (!keyring) return pass(keyring);
  (*store)->seal_audit_with(keyring->audit_key);
  auto parts = key_parts(*folder, {});
  if (!parts) return pass(parts);
  const UnixTime now = clock.now();
  const auto noted = (*store)->write([&](verifier::store::Transaction& transaction) {
    return transaction.audit({now, "touchmark backup", "backup.make", "", {}});
  });
  if (!noted) return pass(noted);
  const fs::path copy = folder->uploads() / "backup.db";
  if (auto ok = (*store)->copy_to(copy.string()); !ok) return pass(ok);
  parts->push_back({kDatabaseName, copy, {}});
  FolderBackup out;
  out.list = {.account = keyring->account,
              .version = TOUCHMARK_VERSION,
              .made = now,
              .pins = known->announced,
              .files = {}};
  out.lacks_given_key =
      !known->serving.empty() && known->recorded && known->serving != known->folder;
  const fs::path draft = draft_of(to, random);
  auto size = verifier::store::write_backup(draft, keyring->backup_key, out.list, *parts, random);
  fs::remove(copy, error);
  if (!size) return pass(size);
  if (auto ok = keep_as(draft, to, replace); !ok) return pass(ok);
  for (const BackupPart& part : *parts) out.list.files.push_back({part.name, 0});
  out.size = *size;
  const auto kept = (*store)->write([&](verifier::store::Transaction& transaction) -> Result<void> {
    if (auto ok = verifier::state::put_last_backup(transaction, now); !ok) return ok;
    return transaction.audit({now, "touchmark backup", "backup.keep", "", {}});
  });
  if (!kept) return pass(kept);
  return out;
}

Result<Restored> restore_folder(const fs::path& file, const fs::path& data,
                                const std::optional<fs::path>& master_key, const Clock& clock,
                                Random& random) {
  if (auto ok = check_empty(data); !ok) return pass(ok);
  const fs::path key_file = master_key.value_or(data / "master.key");
  auto key = read_master_key(key_file);
  if (!key) {
    if (!key.error().is(FileError::kNotFound)) return pass(key);
    return fail(DataFolderError::kMasterKeyMissing,
                key_file.string() +
                    " is not there: a backup opens with the master key of the service that made "
                    "it, which is kept apart from it");
  }
  auto backup = open_file(file);
  if (!backup) return pass(backup);
  // Before a folder is made.
  if (auto opened = verifier::store::read_backup(
          **backup, verifier::state::Keyring::backup_key_of(*key),
          [](const auto& /*file*/, ByteView /*piece*/) { return Result<void>(); });
      !opened) {
    return tl::unexpected<Error>(
        opened.error().reworded(file.string() + ": " + opened.error().message()));
  }
  std::error_code error;
  const bool was_there = fs::exists(data, error);
  auto restored = [&]() -> Result<Restored> {
    auto folder = DataFolder::open(data, FolderUser::kRootForOwner);
    if (!folder) return pass(folder);
    return restore_into(*folder, **backup, *key, clock, random);
  }();
  if (!restored) {
    if (!was_there) fs::remove_all(data, error);
    return restored;
  }
  if (auto ok = give_to_owner(data); !ok) return pass(ok);
  restored->master_key = key_file;
  return restored;
}

}  // namespace touchmark::cli::serve
