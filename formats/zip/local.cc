// Local file headers: each must say what its central directory record says, and no two entries may
// share bytes.
#include <algorithm>
#include <string>

#include "base/endian.h"
#include "formats/zip/internal.h"

namespace touchmark::zip {
namespace {

constexpr std::uint32_t kDescriptorSignature = 0x08074b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kDescriptorSize = 12;  // and 4 more with a signature

struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  const ZipEntry* entry = nullptr;
};

// With a data descriptor the header may leave the three fields empty. Android's readers ignore them
// then; others do not, so what stands there must be zero or right.
Result<void> check_sizes(ByteView header, const ZipEntry& entry) {
  const bool may_be_zero = entry.has_descriptor();
  const auto agrees = [&](std::size_t at, std::uint64_t central) {
    const std::uint32_t local = le32(header, at);
    return local == central || (may_be_zero && local == 0);
  };
  if (!agrees(14, entry.crc32) || !agrees(18, entry.compressed_size) || !agrees(22, entry.size)) {
    return fail(ZipError::kLocalSizes,
                entry.name + ": sizes or CRC-32 differ from the central directory's");
  }
  return {};
}

Result<void> check_header(ByteView header, const ZipEntry& entry) {
  if (le32(header, 0) != kLocalHeaderMark) {
    return fail(ZipError::kLocalSignature,
                entry.name + ": no local file header at " + std::to_string(entry.header_offset));
  }
  if (le16(header, 26) != entry.name.size() ||
      as_text(header.subspan(kLocalSize, entry.name.size())) != entry.name) {
    return fail(ZipError::kLocalName, entry.name + ": the local header has another name");
  }
  const std::uint16_t flags = le16(header, 6);
  if (flags & ~kKnownFlags) {
    return fail(ZipError::kUnknownFlags, entry.name + ": flags " + std::to_string(flags));
  }
  if ((flags & 0x0008) != (entry.flags & 0x0008)) {
    return fail(ZipError::kLocalFlags, entry.name + ": headers differ on the data descriptor");
  }
  // The platform takes the method from the central directory only, and packages with the other one
  // of the two in the local header do verify.
  const std::uint16_t method = le16(header, 8);
  if (!is_known_method(entry.name, method)) {
    return fail(ZipError::kLocalMethod, entry.name + ": local method " + std::to_string(method));
  }
  if (le16(header, 28) > kMaxFieldLength) {
    return fail(ZipError::kFieldTooLong,
                entry.name + ": " + std::to_string(le16(header, 28)) + " bytes of extra field");
  }
  return check_sizes(header, entry);
}

// Returns the size of the data descriptor. Its signature is optional: like the platform, take the
// first four bytes for the signature when they look like it.
Result<std::size_t> check_descriptor(const Source& source, const ZipEntry& entry,
                                     std::uint64_t offset, std::uint64_t limit) {
  std::byte bytes[kDescriptorSize + 4];
  const std::size_t available =
      static_cast<std::size_t>(std::min<std::uint64_t>(sizeof bytes, limit - offset));
  if (available < kDescriptorSize) {
    return fail(ZipError::kDescriptor, entry.name + ": no room for its data descriptor");
  }
  if (auto read = source.read_at(offset, std::span(bytes).first(available)); !read) {
    return pass(read);
  }
  const std::size_t skip = le32(bytes, 0) == kDescriptorSignature ? 4 : 0;
  if (available < skip + kDescriptorSize || le32(bytes, skip) != entry.crc32 ||
      le32(bytes, skip + 4) != entry.compressed_size || le32(bytes, skip + 8) != entry.size) {
    return fail(ZipError::kDescriptor, entry.name + ": its data descriptor says something else");
  }
  return skip + kDescriptorSize;
}

// Reads and checks one local header, sets data_offset and returns the bytes that the entry takes.
Result<Extent> check_local(const Source& source, ZipEntry& entry, std::uint64_t limit) {
  const std::size_t header_size = kLocalSize + entry.name.size();
  if (entry.header_offset > limit || header_size > limit - entry.header_offset) {
    return fail(ZipError::kLocalBounds,
                entry.name + ": local header at " + std::to_string(entry.header_offset));
  }
  Bytes header(header_size);
  if (auto read = source.read_at(entry.header_offset, header); !read) return pass(read);
  if (auto ok = check_header(header, entry); !ok) return pass(ok);
  entry.data_offset = entry.header_offset + header_size + le16(header, 28);
  if (entry.data_offset > limit || entry.compressed_size > limit - entry.data_offset) {
    return fail(ZipError::kLocalBounds, entry.name + ": data runs into the central directory");
  }
  Extent extent{entry.header_offset, entry.data_offset + entry.compressed_size, &entry};
  if (entry.has_descriptor()) {
    const auto size = check_descriptor(source, entry, extent.end, limit);
    if (!size) return pass(size);
    extent.end += *size;
  }
  return extent;
}

}  // namespace

Result<void> check_local_headers(const Source& source, const ZipSections& sections,
                                 std::vector<ZipEntry>& entries) {
  std::vector<Extent> extents;
  extents.reserve(entries.size());
  for (ZipEntry& entry : entries) {
    const auto extent = check_local(source, entry, sections.central_directory_offset);
    if (!extent) return pass(extent);
    extents.push_back(*extent);
  }
  std::ranges::sort(extents, {}, &Extent::begin);
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) {
      return fail(ZipError::kOverlap,
                  extents[i].entry->name + " starts within " + extents[i - 1].entry->name);
    }
  }
  return {};
}

}  // namespace touchmark::zip
