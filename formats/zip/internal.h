// The steps of ZipArchive::open, one file each.
#pragma once

#include <vector>

#include "formats/zip/zip.h"

namespace touchmark::zip {

// zip_directory.cc: finds the end record and what it points to.
Result<ZipSections> find_sections(const Source& source);
// zip_directory.cc: the records of the central directory. data_offset is not set yet.
Result<std::vector<ZipEntry>> read_directory(const Source& source, const ZipSections& sections,
                                             Budget& budget);
// zip_names.cc: names that two readers could take for different, or for the same, entries.
// Returns the indices of `entries` sorted by name.
Result<std::vector<std::uint32_t>> check_names(const std::vector<ZipEntry>& entries);
// zip_local.cc: compares every local header with its central record, sets data_offset, refuses
// overlap.
Result<void> check_local_headers(const Source& source, const ZipSections& sections,
                                 std::vector<ZipEntry>& entries);

inline constexpr std::uint32_t kLocalHeaderMark = 0x04034b50;  // PK\3\4
inline constexpr std::uint16_t kStored = 0;
inline constexpr std::uint16_t kDeflated = 8;
// Stored or deflated. Of the v1 signature's own files only the platform's verifier reads the
// content, and that takes every method but stored for deflated.
bool is_known_method(std::string_view name, std::uint16_t method);
// Deflate options (1, 2), data descriptor (3), UTF-8 name (11). Everything else asks a reader to do
// what Android's do not: decrypt (0, 6, 13), patch (5), or guess (the rest).
inline constexpr std::uint16_t kKnownFlags = 0x080e;
inline constexpr std::uint16_t kMaxFieldLength = 0x7fff;
inline constexpr std::uint32_t kSentinel32 = 0xffffffff;

}  // namespace touchmark::zip
