#include "verifier/store/backup_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/system_failure.h"
#include "crypto/crypto.h"

namespace touchmark::verifier::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "TMBACKUP";
constexpr std::byte kVersion{1};
constexpr std::size_t kSalt = 32;
constexpr std::size_t kCheck = 16;
constexpr std::size_t kHeader = kMagic.size() + 1 + kSalt + kCheck;
constexpr std::size_t kChunk = 1 << 20;
constexpr std::size_t kSeal = 12 + 16;  // nonce and tag
constexpr std::size_t kMaxFileName = 64;
constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 44;  // bytes

tl::unexpected<Error> broken(const std::string& how) {
  return fail(BackupError::kBroken, "the backup " + how);
}
tl::unexpected<Error> malformed(const std::string& what) {
  return fail(BackupError::kMalformed, "the list in the backup " + what);
}

struct Keys {
  Bytes sealing;
  Bytes check;
};
Keys derive(ByteView key, ByteView salt) {
  Bytes root = to_bytes(key);
  append(root, salt);
  Bytes both = crypto::hkdf_sha256(root, "touchmark backup 1", 32 + kCheck);
  return {Bytes(both.begin(), both.begin() + 32), Bytes(both.begin() + 32, both.end())};
}

std::string context_of(std::uint64_t number, bool is_last) {
  return "touchmark backup 1 chunk " + std::to_string(number) + (is_last ? " last" : " more");
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxFileName && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
         });
}

std::string to_text(const BackupList& list) {
  Json files = Json::array();
  for (const BackedUpFile& file : list.files) {
    files.push_back({{"name", file.name}, {"size", file.size}});
  }
  return dump_json({{"account", list.account},
                    {"version", list.version},
                    {"made", to_unix(list.made)},
                    {"pins", list.pins},
                    {"files", files}});
}

Bytes length_of(std::size_t size) {
  Bytes out;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::byte>((size >> shift) & 0xFFU));
  }
  return out;
}

// Seals what it is given into a new file.
class Sealer {
 public:
  Sealer(const fs::path& to, Random& random) : path_(to), random_(random) {}
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;
  ~Sealer() {
    if (file_ < 0) return;
    ::close(file_);
    if (!is_whole_) ::unlink(path_.c_str());
  }

  Result<void> open(ByteView key) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file_ < 0) return failed(errno);
    const Bytes salt = random_.bytes(kSalt);
    keys_ = derive(key, salt);
    Bytes header = to_bytes(as_bytes(kMagic));
    header.push_back(kVersion);
    append(header, salt);
    append(header, keys_.check);
    return write(header);
  }
  Result<void> add(ByteView data) {
    while (!data.empty()) {
      // A full chunk is sealed when more comes: it is then not the last.
      if (chunk_.size() == kChunk) {
        if (auto ok = seal(false); !ok) return ok;
      }
      const std::size_t taken = std::min(data.size(), kChunk - chunk_.size());
      append(chunk_, data.first(taken));
      data = data.subspan(taken);
    }
    return {};
  }
  Result<std::uint64_t> finish() {
    if (auto ok = seal(true); !ok) return pass(ok);
    if (::fsync(file_) != 0) return pass(failed(errno));
    is_whole_ = true;
    return written_;
  }

 private:
  Result<void> seal(bool is_last) {
    const Bytes sealed =
        crypto::seal(keys_.sealing, context_of(number_++, is_last), chunk_, random_);
    chunk_.clear();
    return write(sealed);
  }
  Result<void> write(ByteView data) {
    written_ += data.size();
    while (!data.empty()) {
      const ssize_t count = ::write(file_, data.data(), data.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed(errno);
      data = data.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }
  Result<void> failed(int code) const { return system_failure(path_, code); }

  const fs::path path_;
  Random& random_;
  Keys keys_;
  int file_ = -1;
  bool is_whole_ = false;
  Bytes chunk_;
  std::uint64_t number_ = 0;
  std::uint64_t written_ = 0;
};

Result<void> add_file(Sealer& sealer, const Source& source) {
  Bytes piece;
  for (std::uint64_t at = 0; at < source.size(); at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kChunk, source.size() - at));
    if (auto ok = source.read_at(at, piece); !ok) return ok;
    if (auto ok = sealer.add(piece); !ok) return ok;
  }
  return {};
}

// Takes plaintext as it comes: the list, and then the files.
class Unpacker {
 public:
  explicit Unpacker(const BackupSink& sink) : sink_(sink) {}

  Result<void> add(ByteView data) {
    while (!data.empty()) {
      if (!has_list_) {
        if (auto ok = add_to_list(data); !ok) return ok;
        continue;
      }
      if (file_ == list_.files.size()) return malformed("names less than there is");
      const BackedUpFile& file = list_.files[file_];
      const auto taken =
          static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), file.size - done_));
      if (auto ok = sink_(file, data.first(taken)); !ok) return ok;
      done_ += taken;
      data = data.subspan(taken);
      if (done_ < file.size) continue;
      if (auto ok = next_file(); !ok) return ok;
    }
    return {};
  }
  Result<BackupList> finish() {
    if (!has_list_) return malformed("is not whole");
    if (file_ < list_.files.size()) return malformed("names more than there is");
    return std::move(list_);
  }

 private:
  Result<void> add_to_list(ByteView& data) {
    std::size_t wanted = 4;
    const bool has_length = text_.size() >= 4;
    if (has_length) {
      std::size_t length = 0;
      for (std::size_t i = 4; i-- > 0;)
        length = length << 8 | std::to_integer<std::size_t>(text_[i]);
      if (length > kMaxBackupList) return malformed("is too long");
      wanted += length;
    }
    const std::size_t taken = std::min(data.size(), wanted - text_.size());
    append(text_, data.first(taken));
    data = data.subspan(taken);
    if (!has_length || text_.size() < wanted) return {};
    auto list = parse_backup_list(as_text(ByteView(text_).subspan(4)));
    if (!list) return pass(list);
    list_ = std::move(*list);
    has_list_ = true;
    return skip_empty();
  }
  Result<void> next_file() {
    ++file_;
    done_ = 0;
    return skip_empty();
  }
  Result<void> skip_empty() {
    while (file_ < list_.files.size() && list_.files[file_].size == 0) {
      if (auto ok = sink_(list_.files[file_], {}); !ok) return ok;
      ++file_;
    }
    return {};
  }

  const BackupSink& sink_;
  Bytes text_;
  bool has_list_ = false;
  BackupList list_;
  std::size_t file_ = 0;    // that comes next
  std::uint64_t done_ = 0;  // bytes of it
};

Result<Keys> read_header(const Source& source, ByteView key) {
  Bytes header(kHeader);
  const bool is_long_enough = source.size() >= kHeader;
  if (is_long_enough) {
    if (auto ok = source.read_at(0, header); !ok) return pass(ok);
  }
  if (!is_long_enough || as_text(ByteView(header).first(kMagic.size())) != kMagic) {
    return fail(BackupError::kNotABackup, "the file is not a backup that Touchmark made");
  }
  if (header[kMagic.size()] != kVersion) {
    return fail(BackupError::kNotABackup,
                "the backup has format " +
                    std::to_string(std::to_integer<int>(header[kMagic.size()])) +
                    ", and this program reads format 1");
  }
  const ByteView salt = ByteView(header).subspan(kMagic.size() + 1, kSalt);
  Keys keys = derive(key, salt);
  if (!crypto::constant_time_equal(ByteView(header).last(kCheck), keys.check)) {
    return fail(BackupError::kOtherKey,
                "the backup was sealed under another master key, or its first bytes were changed");
  }
  return keys;
}

}  // namespace

std::string_view error_id(BackupError error) {
  using enum BackupError;
  static constexpr auto kIds = error_table<BackupError>({
      {kNotABackup, "backup.not-a-backup"},
      {kOtherKey, "backup.other-key"},
      {kBroken, "backup.broken"},
      {kMalformed, "backup.malformed"},
  });
  return kIds[error];
}

Result<std::uint64_t> write_backup(const fs::path& to, ByteView key, BackupList list,
                                   const std::vector<BackupPart>& parts, Random& random) {
  std::vector<std::unique_ptr<Source>> sources;
  list.files.clear();
  for (const BackupPart& part : parts) {
    if (part.path.empty()) {
      sources.push_back(from_memory(part.content));
    } else {
      auto file = open_file(part.path);
      if (!file) return pass(file);
      sources.push_back(std::move(*file));
    }
    list.files.push_back({part.name, sources.back()->size()});
  }
  Sealer sealer(to, random);
  if (auto ok = sealer.open(key); !ok) return pass(ok);
  const std::string text = to_text(list);
  if (auto ok = sealer.add(length_of(text.size())); !ok) return pass(ok);
  if (auto ok = sealer.add(as_bytes(text)); !ok) return pass(ok);
  for (const auto& source : sources) {
    if (auto ok = add_file(sealer, *source); !ok) return pass(ok);
  }
  return sealer.finish();
}

Result<BackupList> read_backup(const Source& source, ByteView key, const BackupSink& sink) {
  auto keys = read_header(source, key);
  if (!keys) return pass(keys);
  Unpacker unpacker(sink);
  std::uint64_t at = kHeader;
  for (std::uint64_t number = 0;; ++number) {
    const std::uint64_t left = source.size() - at;
    if (left < kSeal) return broken("is cut off");
    Bytes sealed(std::min<std::uint64_t>(left, kChunk + kSeal));
    if (auto ok = source.read_at(at, sealed); !ok) return pass(ok);
    at += sealed.size();
    const bool is_last = at == source.size();
    auto plain = crypto::open_sealed(keys->sealing, context_of(number, is_last), sealed);
    if (!plain) return broken("was changed or cut off");
    if (auto ok = unpacker.add(*plain); !ok) return pass(ok);
    if (is_last) return unpacker.finish();
  }
}

Result<BackupList> parse_backup_list(std::string_view text) {
  const auto json = parse_json(text, {.max_bytes = kMaxBackupList, .max_depth = 4});
  if (!json || !json->is_object()) return malformed("is not JSON");
  BackupList out;
  auto account = get_string(*json, "account", 64);
  auto version = get_string(*json, "version", 64);
  const auto made = get_int(*json, "made", 0, kMaxUnixTime);
  const Json* pins = find_array(*json, "pins");
  const Json* files = find_array(*json, "files");
  if (!account || !version || !made || pins == nullptr || files == nullptr ||
      pins->size() > kMaxBackupFiles || files->size() > kMaxBackupFiles) {
    return malformed("lacks what every backup has");
  }
  out.account = std::move(*account);
  out.version = std::move(*version);
  out.made = from_unix(*made);
  for (const Json& pin : *pins) {
    if (!pin.is_string()) return malformed("has a pin that is none");
    out.pins.push_back(pin.get<std::string>());
  }
  std::set<std::string> names;
  for (const Json& file : *files) {
    auto name = get_string(file, "name", kMaxFileName);
    const auto size = get_int(file, "size", 0, kMaxFile);
    if (!name || !size || !is_name(*name) || !names.insert(*name).second) {
      return malformed("names a file that cannot be one");
    }
    out.files.push_back({std::move(*name), static_cast<std::uint64_t>(*size)});
  }
  return out;
}

}  // namespace touchmark::verifier::store
