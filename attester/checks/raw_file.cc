#include "attester/checks/raw_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "attester/checks/syscall.h"

namespace touchmark::attester::checks {
namespace {

tl::unexpected<Error> failure(long result, const std::string& what) {
  const std::string message = what + ": " + std::strerror(static_cast<int>(-result));
  switch (-result) {
    case ENOENT:
    case ENOTDIR:
      return fail(RawFileError::kNotFound, message);
    case EACCES:
    case EPERM:
      return fail(RawFileError::kPermission, message);
    default:
      return fail(RawFileError::kIo, message);
  }
}

// 0, or the kernel's negative errno.
long status_at(int folder, const char* path, FileStatus& out, int flags) {
  KernelStatus seen{};
  const long result = status_call(folder, path, seen, flags);
  if (result != 0) return result;
  out = {.device = seen.device,
         .inode = seen.inode,
         .size = static_cast<std::uint64_t>(seen.size),
         .mode = seen.mode,
         .owner = seen.user,
         .modify_seconds = static_cast<std::int64_t>(seen.modify_seconds),
         .modify_nanoseconds = static_cast<std::int64_t>(seen.modify_nanoseconds),
         .change_seconds = static_cast<std::int64_t>(seen.change_seconds),
         .change_nanoseconds = static_cast<std::int64_t>(seen.change_nanoseconds)};
  return 0;
}

class RawSource final : public Source {
 public:
  RawSource(RawFile file, std::uint64_t size) : file_(std::move(file)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    const Result<std::size_t> got = file_.read_some(offset, out);
    if (!got) return pass(got);
    if (*got != out.size()) return fail(RawFileError::kPastEnd, "the package ends too early");
    return {};
  }

 private:
  RawFile file_;
  std::uint64_t size_;
};

}  // namespace

std::string_view error_id(RawFileError error) {
  using enum RawFileError;
  static constexpr auto kIds = error_table<RawFileError>({
      {kNotFound, "raw-file.not-found"},
      {kPermission, "raw-file.permission"},
      {kNotAFile, "raw-file.not-a-file"},
      {kTooLarge, "raw-file.too-large"},
      {kPastEnd, "raw-file.past-end"},
      {kIo, "raw-file.io"},
  });
  return kIds[error];
}

Result<RawFile> RawFile::open(const std::string& path) {
  const long fd = open_call(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failure(fd, path);
  return RawFile(static_cast<int>(fd));
}

RawFile::~RawFile() {
  if (fd_ >= 0) system_call(__NR_close, fd_);
}

Result<FileStatus> RawFile::status() const {
  FileStatus out;
  const long result = status_at(fd_, "", out, AT_EMPTY_PATH);
  if (result < 0) return failure(result, "fstat");
  return out;
}

Result<std::size_t> RawFile::read_some(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t total = 0;
  while (total < out.size()) {
    const long got = read_call(fd_, out.data() + total, out.size() - total, offset + total);
    if (got == -EINTR) continue;
    if (got < 0) return failure(got, "read");
    if (got == 0) break;
    total += static_cast<std::size_t>(got);
  }
  return total;
}

Result<Bytes> read_whole(const std::string& path, std::size_t max_bytes) {
  const Result<RawFile> file = RawFile::open(path);
  if (!file) return pass(file);
  Bytes out;
  for (;;) {
    constexpr std::size_t kChunk = 64 * 1024;
    const std::size_t have = out.size();
    out.resize(have + kChunk);
    const Result<std::size_t> got = file->read_some(have, std::span(out).subspan(have));
    if (!got) return pass(got);
    out.resize(have + *got);
    if (out.size() > max_bytes) return fail(RawFileError::kTooLarge, path + " is too large");
    if (*got < kChunk) return out;
  }
}

Result<std::unique_ptr<Source>> open_source(const std::string& path) {
  Result<RawFile> file = RawFile::open(path);
  if (!file) return pass(file);
  const Result<FileStatus> status = file->status();
  if (!status) return pass(status);
  return to_source(std::move(*file), *status);
}

Result<std::unique_ptr<Source>> to_source(RawFile file, const FileStatus& status) {
  if (!S_ISREG(status.mode)) return fail(RawFileError::kNotAFile, "the package is not a file");
  return std::make_unique<RawSource>(std::move(file), status.size);
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  constexpr std::size_t kMaxNames = 10'000;
  constexpr std::size_t kLengthAt = 16;  // in struct linux_dirent64: after inode and offset
  constexpr std::size_t kNameAt = 19;    // after the record's length and the type
  const Result<RawFile> folder = RawFile::open(path);
  if (!folder) return pass(folder);
  std::vector<std::string> names;
  Bytes records(16 * 1024);
  for (;;) {
    const long got = system_call(__NR_getdents64, folder->descriptor(), as_argument(records.data()),
                                 static_cast<long>(records.size()));
    if (got < 0) return failure(got, path);
    if (got == 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      std::uint16_t length = 0;
      std::memcpy(&length, records.data() + at + kLengthAt, sizeof length);
      names.emplace_back(reinterpret_cast<const char*>(records.data() + at + kNameAt));
      at += length;
    }
    if (names.size() > kMaxNames) return fail(RawFileError::kTooLarge, path + " has many files");
  }
  std::ranges::sort(names);
  return names;
}

bool exists(const std::string& path) {
  FileStatus out;
  return status_at(AT_FDCWD, path.c_str(), out, 0) == 0;
}

bool same_file(const std::string& a, const std::string& b) {
  FileStatus first;
  FileStatus second;
  return status_at(AT_FDCWD, a.c_str(), first, 0) == 0 &&
         status_at(AT_FDCWD, b.c_str(), second, 0) == 0 && first.device == second.device &&
         first.inode == second.inode;
}

}  // namespace touchmark::attester::checks
