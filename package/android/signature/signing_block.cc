#include "package/android/signature/signing_block.h"

#include <algorithm>
#include <array>

#include "package/android/signature/byte_reader.h"
#include "package/android/signature/error.h"

namespace touchmark::package::signature {
namespace {

// The frame: uint64 size, entries, uint64 size again, magic. `size` counts all but its first copy.
constexpr std::string_view kMagic = "APK Sig Block 42";
constexpr std::uint64_t kSizeBytes = 8;
constexpr std::uint64_t kFooterBytes = kSizeBytes + kMagic.size();
constexpr std::uint64_t kMinBlockBytes = kSizeBytes + kFooterBytes;
constexpr std::uint64_t kEntryHeadBytes = 12;  // uint64 size (of id and value), uint32 id

}  // namespace

Result<std::optional<SigningBlock>> SigningBlock::find(const zip::ZipArchive& archive) {
  const zip::ZipSections& sections = archive.sections();
  const Source& source = archive.source();
  const std::uint64_t end = sections.central_directory_offset;
  if (end + sections.central_directory_size != sections.end_record_offset || end < kMinBlockBytes) {
    return std::nullopt;
  }
  std::array<std::byte, kFooterBytes> footer{};
  if (auto r = source.read_at(end - kFooterBytes, footer); !r) return pass(r);
  ByteReader reader(footer);
  const std::uint64_t size = *reader.u64();
  if (as_text(reader.rest()) != kMagic || size < kFooterBytes || size > INT32_MAX - kSizeBytes ||
      size + kSizeBytes > end) {
    return std::nullopt;
  }
  SigningBlock block;
  block.offset_ = end - size - kSizeBytes;
  std::array<std::byte, kSizeBytes> head{};
  if (auto r = source.read_at(block.offset_, head); !r) return pass(r);
  if (*ByteReader(head).u64() != size) return std::nullopt;
  if (auto r = block.list_entries(source, block.offset_ + kSizeBytes, end - kFooterBytes); !r) {
    return pass(r);
  }
  return block;
}

Result<void> SigningBlock::list_entries(const Source& source, std::uint64_t begin,
                                        std::uint64_t end) {
  while (begin < end) {
    if (entries_.size() == kMaxBlockEntries) {
      return fail(
          SignatureError::kBlockTooManyEntries,
          "the signing block has more than " + std::to_string(kMaxBlockEntries) + " entries");
    }
    std::array<std::byte, kEntryHeadBytes> head{};
    truncated_ = end - begin < head.size();
    if (truncated_) return {};
    if (auto r = source.read_at(begin, head); !r) return pass(r);
    ByteReader reader(head);
    const std::uint64_t size = *reader.u64();
    const std::uint32_t id = *reader.u32();
    truncated_ = size < sizeof(id) || size > end - begin - kSizeBytes;
    if (truncated_) return {};
    entries_.push_back({id, begin + kEntryHeadBytes, size - sizeof(id)});
    begin += kSizeBytes + size;
  }
  return {};
}

const SigningBlock::Entry* SigningBlock::find_entry(std::uint32_t id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [id](const Entry& entry) { return entry.id == id; });
  return found == entries_.end() ? nullptr : &*found;
}

Result<std::optional<Bytes>> SigningBlock::read(const Source& source, std::uint32_t id) const {
  const Entry* entry = find_entry(id);
  if (entry == nullptr) return std::nullopt;
  if (entry->size > kMaxBlockEntryBytes) {
    return fail(SignatureError::kBlockTooLarge,
                "a signature entry of " + std::to_string(entry->size) + " bytes");
  }
  Bytes value(static_cast<std::size_t>(entry->size));
  if (auto r = source.read_at(entry->offset, value); !r) return pass(r);
  return value;
}

}  // namespace touchmark::package::signature
