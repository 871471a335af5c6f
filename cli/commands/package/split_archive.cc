// Writes a ZIP archive of stored files (PKWARE APPNOTE.TXT 6.3.10), without the records that only
// archives over 4 GiB need.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "cli/commands/package/app_files.h"
#include "cli/io/error.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::uint64_t kMaxArchive = std::uint64_t{2} << 30;  // what the service takes
constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::uint32_t kStoredVersion = 10;  // APPNOTE 4.4.3.2: the default features

class Record {
 public:
  Record& u16(std::uint64_t value) { return number(value, 2); }
  Record& u32(std::uint64_t value) { return number(value, 4); }
  Record& text(std::string_view value) {
    append(bytes_, as_bytes(value));
    return *this;
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Record& number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>(value >> 8 * i & 0xff));
    return *this;
  }
  Bytes bytes_;
};

class ArchiveWriter {
 public:
  explicit ArchiveWriter(int fd) : fd_(fd) {}

  Result<void> add(const Source& source, const std::string& name) {
    const std::uint64_t header_at = at_;
    auto crc = checksum(source);
    if (!crc) return pass(crc);
    Record common;  // what local header and central directory share
    common.u16(0).u16(0).u16(0).u16(0x21).u32(*crc);  // stored; 1980-01-01
    common.u32(source.size()).u32(source.size()).u16(name.size()).u16(0);
    Record local;
    local.u32(0x04034b50).u16(kStoredVersion);
    Bytes header = local.bytes();
    append(header, common.bytes());
    append(header, as_bytes(name));
    if (auto ok = write(header); !ok) return ok;
    if (auto ok = copy(source); !ok) return ok;

    Record central;
    central.u32(0x02014b50).u16(kStoredVersion).u16(kStoredVersion);
    append(directory_, central.bytes());
    append(directory_, common.bytes());
    append(directory_, Record().u16(0).u16(0).u16(0).u32(0).u32(header_at).text(name).bytes());
    ++count_;
    return {};
  }

  Result<void> finish() {
    const std::uint64_t directory_at = at_;
    if (auto ok = write(directory_); !ok) return ok;
    Record end;
    end.u32(0x06054b50).u16(0).u16(0).u16(count_).u16(count_);
    end.u32(directory_.size()).u32(directory_at).u16(0);
    return write(end.bytes());
  }

 private:
  template <class Use>
  Result<void> for_each_piece(const Source& source, Use use) {
    Bytes piece;
    for (std::uint64_t offset = 0; offset < source.size(); offset += piece.size()) {
      piece.resize(
          static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, source.size() - offset)));
      if (auto ok = source.read_at(offset, piece); !ok) return ok;
      if (Result<void> ok = use(piece); !ok) return ok;
    }
    return {};
  }

  Result<std::uint32_t> checksum(const Source& source) {
    uLong crc = crc32(0, nullptr, 0);
    const auto add = [&](const Bytes& piece) -> Result<void> {
      crc =
          crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
      return {};
    };
    if (auto ok = for_each_piece(source, add); !ok) return pass(ok);
    return static_cast<std::uint32_t>(crc);
  }

  Result<void> copy(const Source& source) {
    return for_each_piece(source, [&](const Bytes& piece) { return write(piece); });
  }

  Result<void> write(ByteView data) {
    if (at_ + data.size() > kMaxArchive) {
      return fail(io::CliError::kTooLarge, "the packages together are too large");
    }
    at_ += data.size();
    while (!data.empty()) {
      const ssize_t count = ::write(fd_, data.data(), data.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        const bool full = errno == ENOSPC || errno == EDQUOT;
        return fail(full ? FileError::kNoSpace : FileError::kIo,
                    fmt::format("cannot write a temporary file: {}", std::strerror(errno)));
      }
      data = data.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  int fd_;
  std::uint64_t at_ = 0;
  std::uint64_t count_ = 0;
  Bytes directory_;
};

Result<void> write_archive(int fd, const std::vector<std::string>& paths) {
  ArchiveWriter archive(fd);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto source = open_file(paths[i]);
    if (!source)
      return fail(io::CliError::kUnreadableFile, "cannot read " + source.error().message());
    if (auto ok = archive.add(**source, fmt::format("{}.apk", i)); !ok) return ok;
  }
  return archive.finish();
}

}  // namespace

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<TemporaryFile> pack_splits(const std::vector<std::string>& paths) {
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  std::string path = (folder / "touchmark-XXXXXX").string();
  const int fd = error ? -1 : ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) {
    return fail(FileError::kIo, fmt::format("cannot make a temporary file in {}: {}",
                                            folder.string(), std::strerror(errno)));
  }
  TemporaryFile file(path);
  const auto written = write_archive(fd, paths);
  ::close(fd);
  if (!written) return pass(written);
  return file;
}

}  // namespace touchmark::cli::commands
