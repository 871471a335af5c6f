// The container: a ZIP archive read the one way on which Android's readers all agree. Where two readers
// could see different content (a duplicate name, a local header that contradicts the central
// directory, ...) the archive is refused.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package {

// Random access to the bytes of a package. Thread-safe: read_at may run on several threads.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::uint64_t size() const = 0;
  // Fills all of `out` from `offset`, or fails.
  virtual Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;          // uncompressed, as the central directory declares it
  std::uint64_t header_offset = 0;  // of the local file header
  std::uint64_t data_offset = 0;    // of the compressed bytes
};

// Where the parts of the file lie, for the signing block (it ends where the central directory starts).
struct ZipSections {
  std::uint64_t central_directory_offset = 0;
  std::uint64_t central_directory_size = 0;
  std::uint64_t end_record_offset = 0;  // end of central directory record
  Bytes end_record;                     // with its comment
};

// Immutable after open(); usable from many threads. Holds a reference to the source, no content.
class ZipArchive {
 public:
  static Result<ZipArchive> open(const Source& source);

  const Source& source() const { return *source_; }
  const ZipSections& sections() const { return sections_; }
  const std::vector<ZipEntry>& entries() const { return entries_; }  // in central directory order
  const ZipEntry* find(std::string_view name) const;                 // nullptr when absent

  // Inflates `entry` piece by piece into `sink`, with a fixed amount of memory; fails when size or
  // CRC-32 differ from what was declared.
  Result<void> stream(const ZipEntry& entry,
                      const std::function<Result<void>(ByteView)>& sink) const;
  // The whole content; refuses a declared size over `max_bytes` before it allocates.
  Result<Bytes> read(const ZipEntry& entry, std::size_t max_bytes) const;

 private:
  const Source* source_ = nullptr;
  ZipSections sections_;
  std::vector<ZipEntry> entries_;
  std::vector<std::uint32_t> by_name_;  // indices into entries_, sorted by name
};

}  // namespace touchmark::package
