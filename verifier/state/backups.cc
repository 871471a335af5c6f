#include "verifier/state/backups.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "crypto/crypto.h"

namespace touchmark::verifier::state {
namespace {

constexpr const char* kLastBackup = "backup.last";  // in the store
constexpr std::size_t kMaxMade = 2;
constexpr std::size_t kPiece = 1 << 20;

void remove_file(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

// The plain copy of the database, gone with the object.
class Copy {
 public:
  explicit Copy(std::filesystem::path path) : path_(std::move(path)) {}
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() { remove_file(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Result<Sha256Digest> digest_of(const std::filesystem::path& path) {
  auto file = open_file(path);
  if (!file) return pass(file);
  crypto::Sha256 digest;
  Bytes piece;
  for (std::uint64_t at = 0; at < (*file)->size(); at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kPiece, (*file)->size() - at));
    if (auto ok = (*file)->read_at(at, piece); !ok) return pass(ok);
    digest.update(piece);
  }
  return digest.finish();
}

}  // namespace

std::string_view error_id(BackupsError error) {
  using enum BackupsError;
  static constexpr auto kIds = error_table<BackupsError>({
      {kNotOffered, "backups.not-offered"},
      {kNoBackup, "backups.no-backup"},
  });
  return kIds[error];
}

Result<std::optional<UnixTime>> last_backup(store::Reader& reader) {
  auto noted = reader.get(kLastBackup);
  if (!noted) return pass(noted);
  if (!*noted) return std::nullopt;
  std::int64_t seconds = 0;
  const std::string_view text = as_text(**noted);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_time = error == std::errc{} && end == text.data() + text.size() && seconds >= 0 &&
                       seconds <= kMaxUnixTime;
  if (!is_time) return std::nullopt;  // a warning too many is better than none
  return from_unix(seconds);
}

Result<void> put_last_backup(store::Transaction& transaction, UnixTime when) {
  return transaction.put(kLastBackup, as_bytes(std::to_string(to_unix(when))));
}

Backups::Backups(AuditedStore& store, const Keyring& keyring, const ServiceSettings& settings,
                 const ApiDomains& domains, Random& random)
    : store_(store), keyring_(keyring), settings_(settings), domains_(domains), random_(random) {}

Result<void> Backups::load() {
  auto last = last_backup(store_.read());
  if (!last) return pass(last);
  const MutexLock lock(mutex_);
  last_ = *last;
  return {};
}

Result<MadeBackup> Backups::write(const std::string& id) {
  const std::filesystem::path folder = settings_.backup.folder;
  const Copy database(folder / ("backup-" + id + ".db"));
  MadeBackup out;
  out.id = id;
  out.path = folder / ("backup-" + id);
  out.list = {.account = keyring_.account,
              .version = TOUCHMARK_VERSION,
              .made = store_.now(),
              .pins = domains_.service_pins(),
              .files = {}};
  if (auto ok = store_.copy_to(database.path().string()); !ok) return pass(ok);
  auto parts = settings_.backup.keys();
  if (!parts) return pass(parts);
  parts->push_back({kDatabaseName, database.path(), {}});
  auto size = store::write_backup(out.path, keyring_.backup_key, out.list, *parts, random_);
  if (!size) return pass(size);
  out.size = *size;
  for (const store::BackupPart& part : *parts) out.list.files.push_back({part.name, 0});
  auto digest = digest_of(out.path);
  if (!digest) {
    remove_file(out.path);
    return pass(digest);
  }
  out.sha256 = *digest;
  return out;
}

Result<MadeBackup> Backups::make(const std::string& actor) {
  if (settings_.backup.folder.empty()) {
    return fail(BackupsError::kNotOffered, "this service makes no backups of itself");
  }
  const MutexLock making(making_);
  // Before anything leaves, so that what left is always in the log.
  if (auto ok = store_.note(actor, "backup.make", ""); !ok) return pass(ok);
  auto made = write(hex_encode(random_.bytes(8)));
  if (!made) return made;
  const MutexLock lock(mutex_);
  made_.push_back(*made);
  while (made_.size() > kMaxMade) {
    remove_file(made_.front().path);
    made_.erase(made_.begin());
  }
  return made;
}

Result<MadeBackup> Backups::find(const std::string& id) const {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(made_, id, &MadeBackup::id);
  if (found != made_.end()) return *found;
  return fail(BackupsError::kNoBackup, "there is no backup " + id.substr(0, 64) + " any longer");
}

Result<Bytes> Backups::read(const std::string& id, std::uint64_t offset, std::size_t length) {
  auto made = find(id);
  if (!made) return pass(made);
  auto file = open_file(made->path);
  if (!file) return pass(file);
  const std::uint64_t size = (*file)->size();
  Bytes out(std::min<std::uint64_t>(length, size - std::min(size, offset)));
  if (auto ok = (*file)->read_at(std::min(size, offset), out); !ok) return pass(ok);
  return out;
}

Result<void> Backups::end(const std::string& id, bool kept, const std::string& actor) {
  auto made = find(id);
  if (!made) return pass(made);
  if (kept) {
    auto noted = store_.change(
        actor, "backup.keep", hex_encode(made->sha256),
        [&](store::Transaction& transaction) {
          return put_last_backup(transaction, made->list.made);
        },
        [&] {
          const MutexLock lock(mutex_);
          last_ = std::max(last_.value_or(UnixTime{}), made->list.made);
        });
    if (!noted) return noted;
  }
  const MutexLock lock(mutex_);
  std::erase_if(made_, [&](const MadeBackup& one) { return one.id == id; });
  remove_file(made->path);
  return {};
}

std::optional<UnixTime> Backups::last() const {
  const MutexLock lock(mutex_);
  return last_;
}

}  // namespace touchmark::verifier::state
