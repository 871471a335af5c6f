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
  kExists,  // something of that name is there, which may still be needed
};
std::string_view error_id(FileError error);

Result<Bytes> read_file(const std::filesystem::path& path, std::size_t max_bytes);
// Writes a temporary file beside `path`, syncs it and the folder, and renames it over `path`.
// `mode` is the permission of the new file.
Result<void> write_file_atomic(const std::filesystem::path& path, ByteView data,
                               unsigned mode = 0644);

// Whether a file can be made at `path`: kExists when anything is there, a link to nowhere included.
Result<void> check_new_file(const std::filesystem::path& path);
// The same as write_file_atomic(), for a file that was not there before (kExists): what is there is
// neither replaced nor, through a link, written to.
Result<void> write_new_file(const std::filesystem::path& path, ByteView data, unsigned mode);

}  // namespace touchmark
