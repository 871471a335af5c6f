#include "package/zip.h"

#include <algorithm>

#include "package/zip_internal.h"

namespace touchmark::package {

std::string_view error_id(ZipError error) {
  switch (error) {
    case ZipError::kNoEndRecord:
      return "zip.no-end-record";
    case ZipError::kEndRecordLength:
      return "zip.end-record-length";
    case ZipError::kSecondEndRecord:
      return "zip.second-end-record";
    case ZipError::kMultiDisk:
      return "zip.multi-disk";
    case ZipError::kZip64:
      return "zip.zip64";
    case ZipError::kDirectoryBounds:
      return "zip.directory-bounds";
    case ZipError::kDirectoryTooLarge:
      return "zip.directory-too-large";
    case ZipError::kEmpty:
      return "zip.empty";
    case ZipError::kPrepended:
      return "zip.prepended";
    case ZipError::kDirectorySignature:
      return "zip.directory-signature";
    case ZipError::kDirectoryTruncated:
      return "zip.directory-truncated";
    case ZipError::kEntryCount:
      return "zip.entry-count";
    case ZipError::kFieldTooLong:
      return "zip.field-too-long";
    case ZipError::kUnknownFlags:
      return "zip.unknown-flags";
    case ZipError::kUnknownMethod:
      return "zip.unknown-method";
    case ZipError::kStoredSize:
      return "zip.stored-size";
    case ZipError::kEmptyName:
      return "zip.empty-name";
    case ZipError::kNameEncoding:
      return "zip.name-encoding";
    case ZipError::kNameTraversal:
      return "zip.name-traversal";
    case ZipError::kDuplicateName:
      return "zip.duplicate-name";
    case ZipError::kConfusableName:
      return "zip.confusable-name";
    case ZipError::kDirectoryWithData:
      return "zip.directory-with-data";
    case ZipError::kLocalBounds:
      return "zip.local-bounds";
    case ZipError::kLocalSignature:
      return "zip.local-signature";
    case ZipError::kLocalName:
      return "zip.local-name";
    case ZipError::kLocalFlags:
      return "zip.local-flags";
    case ZipError::kLocalMethod:
      return "zip.local-method";
    case ZipError::kLocalSizes:
      return "zip.local-sizes";
    case ZipError::kDescriptor:
      return "zip.descriptor";
    case ZipError::kOverlap:
      return "zip.overlap";
    case ZipError::kBomb:
      return "zip.bomb";
    case ZipError::kBadDeflate:
      return "zip.bad-deflate";
    case ZipError::kTrailingData:
      return "zip.trailing-data";
    case ZipError::kSizeMismatch:
      return "zip.size-mismatch";
    case ZipError::kCrcMismatch:
      return "zip.crc-mismatch";
    case ZipError::kTooLarge:
      return "zip.too-large";
  }
  return "zip.unknown";
}

Result<ZipArchive> ZipArchive::open(const Source& source) {
  ZipArchive archive;
  archive.source_ = &source;
  auto sections = zip::find_sections(source);
  if (!sections) return pass(sections);
  archive.sections_ = std::move(*sections);
  auto entries = zip::read_directory(source, archive.sections_);
  if (!entries) return pass(entries);
  archive.entries_ = std::move(*entries);
  auto by_name = zip::check_names(archive.entries_);
  if (!by_name) return pass(by_name);
  archive.by_name_ = std::move(*by_name);
  if (auto ok = zip::check_local_headers(source, archive.sections_, archive.entries_); !ok) {
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
  // Grows with what is really there, not with what the directory declares.
  Bytes content;
  const auto collect = [&](ByteView piece) -> Result<void> {
    append(content, piece);
    return {};
  };
  if (auto ok = stream(entry, collect); !ok) return pass(ok);
  return content;
}

}  // namespace touchmark::package
