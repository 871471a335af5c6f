// The end of central directory record and the central directory.
#include <algorithm>
#include <string>

#include "base/endian.h"
#include "formats/zip/internal.h"

namespace touchmark::zip {
namespace {

constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kZip64LocatorSignature = 0x07064b50;
constexpr std::uint32_t kDirectorySignature = 0x02014b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kMaxCommentSize = 0xffff;
constexpr std::size_t kZip64LocatorSize = 20;
constexpr std::size_t kRecordSize = 46;
// What an entry takes in memory beside its record: the entry, its name and its collision key.
constexpr std::size_t kEntryCost = 256;

// Offset in `tail` of the last end record. Every reader searches backwards and stops at the first
// signature; most, but not all, also want the comment to end at the end of the file. An archive on
// which that makes a difference is refused.
Result<std::size_t> find_end_record(ByteView tail) {
  const auto comment_fits = [&](std::size_t at) {
    return at + kEndSize + le16(tail, at + 20) == tail.size();
  };
  std::size_t found = tail.size();
  for (std::size_t at = tail.size() - kEndSize + 1; at-- > 0;) {
    if (le32(tail, at) != kEndSignature) continue;
    if (found == tail.size()) {
      if (!comment_fits(at)) {
        return fail(ZipError::kEndRecordLength,
                    "the comment of the end record does not end the file");
      }
      found = at;
    } else if (comment_fits(at)) {
      return fail(ZipError::kSecondEndRecord, "two end records end at the end of the file");
    }
  }
  if (found == tail.size()) {
    return fail(ZipError::kNoEndRecord, "no end of central directory record: not a ZIP archive");
  }
  return found;
}

Result<void> check_end_record(ByteView end, ByteView before) {
  if (before.size() >= kZip64LocatorSize &&
      le32(before, before.size() - kZip64LocatorSize) == kZip64LocatorSignature) {
    return fail(ZipError::kZip64, "a ZIP64 locator stands before the end record");
  }
  const std::uint16_t entries_here = le16(end, 8);
  const std::uint16_t entries = le16(end, 10);
  if (le32(end, 12) == kSentinel32 || le32(end, 16) == kSentinel32 || entries == 0xffff) {
    return fail(ZipError::kZip64, "the end record asks for a ZIP64 record");
  }
  if (le16(end, 4) != 0 || le16(end, 6) != 0 || entries_here != entries) {
    return fail(ZipError::kMultiDisk, "the end record speaks of other disks");
  }
  if (entries == 0) return fail(ZipError::kEmpty, "the archive has no entries");
  return {};
}

Result<void> check_lengths(std::string_view name, std::initializer_list<std::uint16_t> lengths) {
  for (const std::uint16_t length : lengths) {
    if (length > kMaxFieldLength) {
      return fail(ZipError::kFieldTooLong,
                  std::string(name) + ": a header field of " + std::to_string(length) + " bytes");
    }
  }
  return {};
}

Result<void> check_entry(const ZipEntry& entry, std::uint16_t disk) {
  if (entry.flags & ~kKnownFlags) {
    return fail(ZipError::kUnknownFlags, entry.name + ": flags " + std::to_string(entry.flags));
  }
  if (!is_known_method(entry.name, entry.method)) {
    return fail(ZipError::kUnknownMethod, entry.name + ": method " + std::to_string(entry.method));
  }
  if (entry.size == kSentinel32 || entry.compressed_size == kSentinel32 ||
      entry.header_offset == kSentinel32) {
    return fail(ZipError::kZip64, entry.name + " asks for ZIP64 sizes");
  }
  if (disk != 0) return fail(ZipError::kMultiDisk, entry.name + " is on another disk");
  if (entry.method == kStored && entry.size != entry.compressed_size) {
    return fail(ZipError::kStoredSize, entry.name + ": stored " +
                                           std::to_string(entry.compressed_size) + " of " +
                                           std::to_string(entry.size) + " bytes");
  }
  return {};
}

// By the size of the file that was received: the archives within an archive add to its own.
Result<void> check_expansion(const std::vector<ZipEntry>& entries, Budget& budget) {
  std::uint64_t total = 0;  // at most 65,534 entries of 32 bits each: cannot overflow
  for (const ZipEntry& entry : entries) total += entry.size;
  const std::uint64_t size = budget.input_bytes();
  const std::uint64_t limit =
      size > kMaxExpandedBytes / kMaxExpansionRatio
          ? kMaxExpandedBytes
          : std::max(kUnsuspiciousBytes, (size + 1) * kMaxExpansionRatio - 1);
  if (!budget.expand(total, limit)) {
    return fail(ZipError::kBomb, std::to_string(size) + " bytes declare to expand to over " +
                                     std::to_string(std::min(limit, total)));
  }
  return {};
}

}  // namespace

Result<ZipSections> find_sections(const Source& source) {
  const std::uint64_t file_size = source.size();
  if (file_size < kEndSize) {
    return fail(ZipError::kNoEndRecord,
                "a file of " + std::to_string(file_size) + " bytes is not a ZIP archive");
  }
  Bytes tail(static_cast<std::size_t>(
      std::min<std::uint64_t>(file_size, kEndSize + kMaxCommentSize + kZip64LocatorSize)));
  if (auto read = source.read_at(file_size - tail.size(), tail); !read) return pass(read);
  const ByteView view(tail);
  const std::size_t searched = std::min(view.size(), kEndSize + kMaxCommentSize);
  const std::size_t skipped = view.size() - searched;
  const auto found = find_end_record(view.subspan(skipped));
  if (!found) return pass(found);
  const std::size_t at = skipped + *found;
  const ByteView end = view.subspan(at);
  if (auto checked = check_end_record(end, view.first(at)); !checked) return pass(checked);

  ZipSections sections;
  sections.central_directory_size = le32(end, 12);
  sections.central_directory_offset = le32(end, 16);
  sections.end_record_offset = file_size - end.size();
  sections.end_record = to_bytes(end);
  if (sections.central_directory_offset + sections.central_directory_size !=
      sections.end_record_offset) {
    return fail(
        ZipError::kDirectoryBounds,
        "the central directory ends at " +
            std::to_string(sections.central_directory_offset + sections.central_directory_size) +
            ", the end record starts at " + std::to_string(sections.end_record_offset));
  }
  if (sections.central_directory_size > kMaxDirectoryBytes) {
    return fail(ZipError::kDirectoryTooLarge,
                std::to_string(sections.central_directory_size) + " bytes of central directory");
  }
  std::byte start[4];
  if (auto read = source.read_at(0, start); !read) return pass(read);
  if (le32(start, 0) != kLocalHeaderMark) {
    return fail(ZipError::kPrepended, "the file does not begin with a local file header");
  }
  return sections;
}

Result<std::vector<ZipEntry>> read_directory(const Source& source, const ZipSections& sections,
                                             Budget& budget) {
  const std::size_t count = le16(sections.end_record, 10);
  if (auto ok = budget.take_bytes(sections.central_directory_size + kEntryCost * count); !ok) {
    return pass(ok);
  }
  Bytes bytes(static_cast<std::size_t>(sections.central_directory_size));
  if (auto read = source.read_at(sections.central_directory_offset, bytes); !read) {
    return pass(read);
  }
  std::vector<ZipEntry> entries;
  ByteView rest(bytes);
  while (!rest.empty()) {
    if (entries.size() == count) {
      return fail(ZipError::kEntryCount, "more central directory records than the " +
                                             std::to_string(count) + " that the end record counts");
    }
    if (rest.size() < kRecordSize) {
      return fail(ZipError::kDirectoryTruncated, "the central directory ends within a record");
    }
    if (le32(rest, 0) != kDirectorySignature) {
      return fail(ZipError::kDirectorySignature,
                  "record " + std::to_string(entries.size()) + " of the central directory");
    }
    const std::uint16_t name_size = le16(rest, 28);
    const std::uint16_t extra_size = le16(rest, 30);
    const std::uint16_t comment_size = le16(rest, 32);
    const std::size_t record_size = kRecordSize + name_size + extra_size + comment_size;
    if (rest.size() < record_size) {
      return fail(ZipError::kDirectoryTruncated, "the central directory ends within a record");
    }
    ZipEntry entry;
    entry.name = to_string(rest.subspan(kRecordSize, name_size));
    entry.flags = le16(rest, 8);
    entry.method = le16(rest, 10);
    entry.crc32 = le32(rest, 16);
    entry.compressed_size = le32(rest, 20);
    entry.size = le32(rest, 24);
    entry.header_offset = le32(rest, 42);
    if (auto ok = check_lengths(entry.name, {name_size, extra_size, comment_size}); !ok) {
      return pass(ok);
    }
    if (auto ok = check_entry(entry, le16(rest, 34)); !ok) return pass(ok);
    entries.push_back(std::move(entry));
    rest = rest.subspan(record_size);
  }
  if (entries.size() != count) {
    return fail(ZipError::kEntryCount, std::to_string(entries.size()) +
                                           " central directory records, the end record counts " +
                                           std::to_string(count));
  }
  if (auto ok = check_expansion(entries, budget); !ok) return pass(ok);
  return entries;
}

}  // namespace touchmark::zip
