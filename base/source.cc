// Files and memory as sources.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/source.h"

namespace touchmark {

std::string_view error_id(SourceError error) {
  using enum SourceError;
  static constexpr auto kIds = error_table<SourceError>({
      {kNotFound, "source.not-found"},
      {kPermission, "source.permission"},
      {kNotAFile, "source.not-a-file"},
      {kIo, "source.io"},
      {kPastEnd, "source.past-end"},
  });
  return kIds[error];
}

namespace {

bool within(std::uint64_t offset, std::size_t length, std::uint64_t size) {
  return offset <= size && length <= size - offset;
}

tl::unexpected<Error> past_end(std::uint64_t offset, std::size_t length) {
  return fail(SourceError::kPastEnd,
              std::to_string(length) + " bytes at " + std::to_string(offset) + " lie past the end");
}

class FileSource final : public Source {
 public:
  FileSource(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }

  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (!within(offset, out.size(), size_)) return past_end(offset, out.size());
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(SourceError::kIo, std::strerror(errno));
      if (got == 0) return past_end(offset, out.size());  // the file was cut meanwhile
      out = out.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

 private:
  int fd_;
  std::uint64_t size_;
};

class MemorySource final : public Source {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }

  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    return ViewSource(bytes_).read_at(offset, out);
  }

 private:
  Bytes bytes_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int error = errno;
    const SourceError code = error == ENOENT || error == ENOTDIR ? SourceError::kNotFound
                             : error == EACCES || error == EPERM ? SourceError::kPermission
                                                                 : SourceError::kIo;
    return fail(code, path.string() + ": " + std::strerror(error));
  }
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return fail(SourceError::kNotAFile, path.string() + ": not a regular file");
  }
  return std::make_unique<FileSource>(fd, static_cast<std::uint64_t>(info.st_size));
}

Result<void> ViewSource::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (!within(offset, out.size(), bytes_.size())) return past_end(offset, out.size());
  std::ranges::copy(bytes_.subspan(static_cast<std::size_t>(offset), out.size()), out.begin());
  return {};
}

Result<void> SourcePart::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (!within(offset, out.size(), size_)) return past_end(offset, out.size());
  return whole_.read_at(begin_ + offset, out);
}

std::unique_ptr<Source> from_memory(Bytes bytes) {
  return std::make_unique<MemorySource>(std::move(bytes));
}

}  // namespace touchmark
