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

Result<FileStatus> file_status(const std::string& path) {
  FileStatus out;
  const long result = status_at(AT_FDCWD, path.c_str(), out, 0);
  if (result < 0) return failure(result, path);
  return out;
}

}  // namespace touchmark::attester::checks
