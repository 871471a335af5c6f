#include "verifier/http/upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "base/file.h"

namespace touchmark::verifier::http {
namespace {

tl::unexpected<Error> failure(const std::string& what, int code) {
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return fail(full ? FileError::kNoSpace : FileError::kIo, what + ": " + std::strerror(code));
}

}  // namespace

Result<Upload> Upload::create(const std::filesystem::path& folder) {
  std::string path = (folder / "upload-XXXXXX").string();
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) {
    const int code = errno;
    if (code == ENOENT || code == ENOTDIR) {
      return fail(FileError::kIo,
                  "cannot make a file for the upload: " + folder.string() +
                      " is gone; the data folder was moved or removed while the service runs");
    }
    return failure("cannot make a file for the upload in " + folder.string(), code);
  }
  return Upload(path, fd);
}

Upload::Upload(Upload&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

Upload& Upload::operator=(Upload&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Upload::~Upload() { discard(); }

void Upload::discard() noexcept {
  if (fd_ < 0) return;
  ::close(std::exchange(fd_, -1));
  ::unlink(path_.c_str());
}

Result<void> Upload::write(ByteView data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd_, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure("cannot write the upload", errno);
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace touchmark::verifier::http
