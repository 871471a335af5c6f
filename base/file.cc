#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/random.h"
#include "base/system_failure.h"

namespace touchmark {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = 256 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

// 0, or the errno of the write that failed.
int write_all(int fd, ByteView data) {
  while (!data.empty()) {
    ssize_t count = ::write(fd, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

int write_and_sync(int fd, ByteView data, unsigned mode) {
  if (::fchmod(fd, static_cast<mode_t>(mode)) != 0) return errno;
  if (int code = write_all(fd, data); code != 0) return code;
  return ::fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

tl::unexpected<Error> system_failure(const std::filesystem::path& path, int code) {
  std::string message = path.string() + ": " + std::strerror(code);
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return fail(FileError::kNotFound, std::move(message));
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(FileError::kPermission, std::move(message));
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fail(FileError::kNoSpace, std::move(message));
    case EEXIST:
      return fail(FileError::kExists, path.string() + " is there already");
    default:
      return fail(FileError::kIo, std::move(message));
  }
}

std::string_view error_id(FileError error) {
  using enum FileError;
  static constexpr auto kIds = error_table<FileError>({
      {kNotFound, "file.not-found"},
      {kPermission, "file.permission"},
      {kTooLarge, "file.too-large"},
      {kNoSpace, "file.no-space"},
      {kIo, "file.io"},
      {kExists, "file.exists"},
  });
  return kIds[error];
}

Result<Bytes> read_file(const fs::path& path, std::size_t max_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return system_failure(path, errno);
  Bytes out;
  for (;;) {
    // One byte over the bound tells a file that fits from one that does not, pipes included.
    std::size_t step = std::min(kChunk, max_bytes - out.size() + 1);
    std::size_t before = out.size();
    out.resize(before + step);
    ssize_t count = ::read(file.get(), out.data() + before, step);
    if (count < 0 && errno != EINTR) return system_failure(path, errno);
    out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return out;
    if (out.size() > max_bytes) {
      return fail(FileError::kTooLarge,
                  path.string() + ": over " + std::to_string(max_bytes) + " bytes");
    }
  }
}

namespace {

// Puts a complete file beside `path` in its place by `place` (from, to -> 0, as rename() does), and
// leaves nothing of it otherwise.
Result<void> write_and_place(const fs::path& path, ByteView data, unsigned mode,
                             int (*place)(const char*, const char*)) {
  SystemRandom random;
  fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  fs::path temporary =
      folder / ("." + path.filename().string() + "." + hex_encode(random.bytes(8)) + ".tmp");
  {
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) return system_failure(path, errno);
    int code = write_and_sync(file.get(), data, mode);
    if (code == 0 && place(temporary.c_str(), path.c_str()) != 0) code = errno;
    if (code != 0) {
      ::unlink(temporary.c_str());
      return system_failure(path, code);
    }
  }
  // The new name itself is on disk only once the folder is.
  Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid() || ::fsync(parent.get()) != 0) return system_failure(folder, errno);
  return {};
}

// rename() that takes the place of nothing.
int place_new(const char* from, const char* to) {
  if (::link(from, to) != 0) return -1;
  ::unlink(from);
  return 0;
}

}  // namespace

Result<void> write_file_atomic(const fs::path& path, ByteView data, unsigned mode) {
  return write_and_place(path, data, mode, ::rename);
}

Result<void> check_new_file(const fs::path& path) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (status.type() != fs::file_type::not_found) return system_failure(path, EEXIST);
  return {};
}

Result<void> write_new_file(const fs::path& path, ByteView data, unsigned mode) {
  return write_and_place(path, data, mode, place_new);
}

}  // namespace touchmark
