// Files read by raw system calls.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::attester::checks {

enum class RawFileError {
  kNotFound,
  kPermission,
  kNotAFile,
  kTooLarge,
  kPastEnd,
  kIo,
};
std::string_view error_id(RawFileError error);

// What the kernel says of a file.
struct FileStatus {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint32_t mode = 0;   // with the file's type, as st_mode
  std::uint32_t owner = 0;  // user id
  std::int64_t modify_seconds = 0, modify_nanoseconds = 0;
  std::int64_t change_seconds = 0, change_nanoseconds = 0;

  bool operator==(const FileStatus&) const = default;
};

// Owns its descriptor. Reads are pread, so several threads may share one.
class RawFile {
 public:
  static Result<RawFile> open(const std::string& path);
  ~RawFile();
  RawFile(RawFile&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  RawFile& operator=(RawFile&&) = delete;

  Result<FileStatus> status() const;
  int descriptor() const { return fd_; }
  // As many bytes as there are from `offset`, at most out.size().
  Result<std::size_t> read_some(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  explicit RawFile(int fd) : fd_(fd) {}
  int fd_;
};

// The names in a folder, sorted; at most 10,000 of them (kTooLarge).
Result<std::vector<std::string>> list_folder(const std::string& path);

// What the path leads to, links followed.
Result<FileStatus> file_status(const std::string& path);

}  // namespace touchmark::attester::checks
