// The container: a ZIP archive read the one way on which Android's readers all agree. Where two
// readers could see different content (a duplicate name, a local header that contradicts the
// central directory, ...) the archive is refused. docs/package-rules.md has one line for each
// refusal.
//
// Formats: PKWARE APPNOTE.TXT 6.3.10. References for what the platform does: AOSP's libziparchive
// (installs and runs packages) and apksig (verifies signatures).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/source.h"

namespace touchmark::zip {

enum class ZipError {
  // End of central directory record.
  kNoEndRecord,        // none in the last 65,557 bytes: not a ZIP archive
  kEndRecordLength,    // its comment does not end where the file ends
  kSecondEndRecord,    // a second one, which another reader may take
  kMultiDisk,          // parts on other disks
  kZip64,              // ZIP64 records, or sentinels that ask for them
  kDirectoryBounds,    // the central directory is not directly before the end record
  kDirectoryTooLarge,  // over 32 MiB
  kEmpty,              // no entry
  kPrepended,          // the file does not begin with a local header (CVE-2017-13156, "Janus")
  // Central directory.
  kDirectorySignature,  // a record of it has no PK\1\2
  kDirectoryTruncated,  // a record runs over its end
  kEntryCount,          // more or fewer records than the end record counts
  kFieldTooLong,        // a length over 32,767, negative to old readers (bug 9695860, "Master Key")
  kUnknownFlags,        // encryption, patches, masked headers or reserved bits
  kUnknownMethod,       // neither stored nor deflated
  kStoredSize,          // stored, with two different sizes
  // Names.
  kEmptyName,
  kNameEncoding,       // not UTF-8; of a part also: holds a NUL
  kNameTraversal,      // absolute, or with a ".." segment
  kDuplicateName,      // CVE-2013-4787, "Master Key"
  kConfusableName,     // differs from another only in case or separators, where that matters
  kDirectoryWithData,  // ends in '/', yet has content
  // Local headers.
  kLocalBounds,     // outside the area before the central directory
  kLocalSignature,  // no PK\3\4
  kLocalName,       // another name than in the central directory (bug 9950697)
  kLocalFlags,      // another answer to whether a data descriptor follows
  kLocalMethod,     // a method that is neither stored nor deflated
  kLocalSizes,      // other sizes or CRC-32
  kDescriptor,      // the data descriptor contradicts the central directory
  kOverlap,         // two entries share bytes
  // Content.
  kBomb,          // expands past the limits
  kBadDeflate,    // not a deflate stream
  kTrailingData,  // compressed bytes after the end of the deflate stream
  kSizeMismatch,  // expands to another size than declared
  kCrcMismatch,
  kTooLarge,  // over the caller's bound
};
std::string_view error_id(ZipError error);

struct ZipEntry {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint16_t flags = 0;   // general purpose flags of the central directory
  std::uint32_t crc32 = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;           // uncompressed, as the central directory declares it
  std::uint64_t header_offset = 0;  // of the local file header
  std::uint64_t data_offset = 0;    // of the compressed bytes

  bool has_descriptor() const { return (flags & 0x0008) != 0; }
  bool is_directory() const { return name.ends_with('/'); }
};

// Where the parts of the file lie, for the signing block (it ends where the central directory
// starts).
struct ZipSections {
  std::uint64_t central_directory_offset = 0;
  std::uint64_t central_directory_size = 0;
  std::uint64_t end_record_offset = 0;  // end of central directory record
  Bytes end_record;                     // with its comment
};

// What an archive may expand to, with the archives in it that share its budget. A package of the
// size that stores accept stays far below.
inline constexpr std::uint64_t kMaxExpandedBytes = std::uint64_t{16} << 30;
inline constexpr std::uint64_t kUnsuspiciousBytes = std::uint64_t{256} << 20;
inline constexpr std::uint64_t kMaxExpansionRatio = 100;  // past kUnsuspiciousBytes
inline constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{32} << 20;

// Bytes of an entry's content, uncompressed.
struct ZipRange {
  std::uint64_t offset = 0;
  std::size_t length = 0;
};

// Immutable after open(); usable from many threads. Holds a reference to the source, no content.
class ZipArchive {
 public:
  // Reading counts on `budget`; nullptr makes one of the source's size. An archive within another
  // takes the other's. BudgetError.
  static Result<ZipArchive> open(const Source& source, std::shared_ptr<Budget> budget = nullptr);

  const Source& source() const { return *source_; }
  // What all readers of this archive's content count on.
  Budget& budget() const { return *budget_; }
  const std::shared_ptr<Budget>& shared_budget() const { return budget_; }
  const ZipSections& sections() const { return sections_; }
  const std::vector<ZipEntry>& entries() const { return entries_; }  // in central directory order
  const ZipEntry* find(std::string_view name) const;                 // nullptr when absent

  // Inflates `entry` piece by piece into `sink`, with a fixed amount of memory; fails when size or
  // CRC-32 differ from what was declared, or with the sink's error.
  Result<void> stream(const ZipEntry& entry,
                      const std::function<Result<void>(ByteView)>& sink) const;
  // The whole content; refuses a declared size over `max_bytes`, or over what the budget has left,
  // before it allocates.
  Result<Bytes> read(const ZipEntry& entry, std::size_t max_bytes) const;
  // The uncompressed bytes [offset, offset + length), clipped to the entry's end. Stops there: what
  // follows is not checked.
  Result<Bytes> read_range(const ZipEntry& entry, std::uint64_t offset, std::size_t length) const;
  // Several ranges of one entry, in the order asked for, each clipped to the entry's end. Inflates
  // the entry once at most, up to the end of the last. Counts on the budget, as read() does.
  Result<std::vector<Bytes>> read_ranges(const ZipEntry& entry,
                                         std::span<const ZipRange> ranges) const;

 private:
  const Source* source_ = nullptr;
  std::shared_ptr<Budget> budget_;
  ZipSections sections_;
  std::vector<ZipEntry> entries_;
  std::vector<std::uint32_t> by_name_;  // indices into entries_, sorted by name
};

// META-INF/MANIFEST.MF, *.SF, *.RSA, *.DSA, *.EC: they hold an APK's v1 signature. The platform
// does not look at the case of these names.
bool is_v1_signature_file(std::string_view name);

}  // namespace touchmark::zip
