// The APK Signing Block: a list of (id, value) entries between the ZIP entries and the central
// directory. https://source.android.com/docs/security/features/apksigning/v2#apk-signing-block
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/zip/zip.h"

namespace touchmark::package::signature {

inline constexpr std::uint32_t kV2BlockId = 0x7109871a;
inline constexpr std::uint32_t kV3BlockId = 0xf05368c0;
inline constexpr std::uint32_t kV31BlockId = 0x1b93ad61;
inline constexpr std::uint32_t kSourceStampV1BlockId = 0x2b09189e;
inline constexpr std::uint32_t kSourceStampV2BlockId = 0x6dff800d;
inline constexpr std::uint32_t kPaddingBlockId = 0x42726577;  // aligns the block for fs-verity

// Far above what a signer writes (the largest real ones are a few tens of KiB).
inline constexpr std::uint64_t kMaxBlockEntryBytes = 4 << 20;
inline constexpr std::size_t kMaxBlockEntries = 1024;

class SigningBlock {
 public:
  // Nothing when the file has no block where a platform looks for one: directly before a central
  // directory that ends where the end record starts. As on the platform, a block whose frame or
  // sizes do not fit is no block, and an entry that overruns hides itself and those behind it;
  // stripping protection in the older schemes is what turns that into a refusal.
  static Result<std::optional<SigningBlock>> find(const zip::ZipArchive& archive);

  std::uint64_t offset() const { return offset_; }
  // The value of the first entry with this id, or nothing.
  Result<std::optional<Bytes>> read(const Source& source, std::uint32_t id) const;
  bool truncated() const { return truncated_; }  // an entry overruns the block
  bool has(std::uint32_t id) const { return find_entry(id) != nullptr; }

 private:
  struct Entry {
    std::uint32_t id;
    std::uint64_t offset;  // of the value, in the file
    std::uint64_t size;
  };
  const Entry* find_entry(std::uint32_t id) const;
  Result<void> list_entries(const Source& source, std::uint64_t begin, std::uint64_t end);

  std::uint64_t offset_ = 0;
  bool truncated_ = false;
  std::vector<Entry> entries_;
};

}  // namespace touchmark::package::signature
