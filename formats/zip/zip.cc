#include "formats/zip/zip.h"

#include <algorithm>

#include "formats/zip/internal.h"

namespace touchmark::zip {
namespace {

constexpr std::uint64_t kMaxDeflateRatio = 1032;  // of RFC 1951: 258 bytes of two bits

}  // namespace

std::string_view error_id(ZipError error) {
  using enum ZipError;
  static constexpr auto kIds = error_table<ZipError>({
      {kNoEndRecord, "zip.no-end-record"},
      {kEndRecordLength, "zip.end-record-length"},
      {kSecondEndRecord, "zip.second-end-record"},
      {kMultiDisk, "zip.multi-disk"},
      {kZip64, "zip.zip64"},
      {kDirectoryBounds, "zip.directory-bounds"},
      {kDirectoryTooLarge, "zip.directory-too-large"},
      {kEmpty, "zip.empty"},
      {kPrepended, "zip.prepended"},
      {kDirectorySignature, "zip.directory-signature"},
      {kDirectoryTruncated, "zip.directory-truncated"},
      {kEntryCount, "zip.entry-count"},
      {kFieldTooLong, "zip.field-too-long"},
      {kUnknownFlags, "zip.unknown-flags"},
      {kUnknownMethod, "zip.unknown-method"},
      {kStoredSize, "zip.stored-size"},
      {kEmptyName, "zip.empty-name"},
      {kNameEncoding, "zip.name-encoding"},
      {kNameTraversal, "zip.name-traversal"},
      {kDuplicateName, "zip.duplicate-name"},
      {kConfusableName, "zip.confusable-name"},
      {kDirectoryWithData, "zip.directory-with-data"},
      {kLocalBounds, "zip.local-bounds"},
      {kLocalSignature, "zip.local-signature"},
      {kLocalName, "zip.local-name"},
      {kLocalFlags, "zip.local-flags"},
      {kLocalMethod, "zip.local-method"},
      {kLocalSizes, "zip.local-sizes"},
      {kDescriptor, "zip.descriptor"},
      {kOverlap, "zip.overlap"},
      {kBomb, "zip.bomb"},
      {kBadDeflate, "zip.bad-deflate"},
      {kTrailingData, "zip.trailing-data"},
      {kSizeMismatch, "zip.size-mismatch"},
      {kCrcMismatch, "zip.crc-mismatch"},
      {kTooLarge, "zip.too-large"},
  });
  return kIds[error];
}

Result<ZipArchive> ZipArchive::open(const Source& source, std::shared_ptr<Budget> budget) {
  ZipArchive archive;
  archive.source_ = &source;
  archive.budget_ = budget ? std::move(budget) : std::make_shared<Budget>(source.size());
  auto sections = find_sections(source);
  if (!sections) return pass(sections);
  archive.sections_ = std::move(*sections);
  auto entries = read_directory(source, archive.sections_, archive.budget());
  if (!entries) return pass(entries);
  archive.entries_ = std::move(*entries);
  auto by_name = check_names(archive.entries_);
  if (!by_name) return pass(by_name);
  archive.by_name_ = std::move(*by_name);
  if (auto ok = check_local_headers(source, archive.sections_, archive.entries_); !ok) {
    return pass(ok);
  }
  return archive;
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto name_of = [&](std::uint32_t i) -> std::string_view { return entries_[i].name; };
  const auto at = std::ranges::lower_bound(by_name_, name, {}, name_of);
  if (at == by_name_.end() || name_of(*at) != name) return nullptr;
  return &entries_[*at];
}

Result<Bytes> ZipArchive::read(const ZipEntry& entry, std::size_t max_bytes) const {
  if (entry.size > max_bytes) {
    return fail(ZipError::kTooLarge, entry.name + " has " + std::to_string(entry.size) +
                                         " bytes, at most " + std::to_string(max_bytes) +
                                         " are expected");
  }
  if (auto ok = budget_->take_bytes(entry.size); !ok) return pass(ok);
  Bytes content;
  // At once what is declared, as far as the compressed bytes can give it: growing by doubling would
  // take three times that.
  content.reserve(static_cast<std::size_t>(
      std::min(entry.size, entry.compressed_size * kMaxDeflateRatio + kMaxDeflateRatio)));
  const auto collect = [&](ByteView piece) -> Result<void> {
    append(content, piece);
    return {};
  };
  if (auto ok = stream(entry, collect); !ok) return pass(ok);
  return content;
}

}  // namespace touchmark::zip
