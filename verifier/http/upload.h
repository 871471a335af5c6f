// A request's body on its way into a file.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::verifier::http {

// A temporary file that is gone when this object is. Not thread-safe; movable.
class Upload {
 public:
  static Result<Upload> create(const std::filesystem::path& folder);
  Upload(Upload&& other) noexcept;
  Upload& operator=(Upload&& other) noexcept;
  Upload() = default;
  ~Upload();

  // FileError::kNoSpace when the disk is full.
  Result<void> write(ByteView data);
  const std::filesystem::path& path() const { return path_; }

 private:
  Upload(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  void discard() noexcept;
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace touchmark::verifier::http
