// Whole-file reads with a bound, and writes that are there completely or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark {

enum class FileError {
  kNotFound,
  kPermission,
  kTooLarge,
  kNoSpace,
  kIo,
};
std::string_view error_id(FileError error);

Result<Bytes> read_file(const std::filesystem::path& path, std::size_t max_bytes);
// Writes a temporary file beside `path`, syncs it and the folder, and renames it over `path`.
// `mode` is the permission of the new file.
Result<void> write_file_atomic(const std::filesystem::path& path, ByteView data,
                               unsigned mode = 0644);

}  // namespace touchmark
