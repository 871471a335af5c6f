// Builds ZIP archives for tests, correct ones and ones that lie in any field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace touchmark::package::testing {

struct ZipHeader {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint32_t compressed_size = 0;
  std::uint32_t size = 0;
  std::string name;
  std::string extra;
};

struct ZipFileEntry {
  ZipHeader local;
  ZipHeader central;
  std::string gap = {};         // bytes before the local header
  std::string data = {};        // as it stands in the archive
  std::string descriptor = {};  // bytes after the data
  std::string comment = {};     // in the central directory
  std::uint16_t disk = 0;
  std::optional<std::uint32_t> header_offset = {};  // what the central directory claims
};

// A correct entry; change what the test is about.
ZipFileEntry stored(std::string_view name, std::string_view content);
ZipFileEntry deflated(std::string_view name, std::string_view content);
// With sizes and CRC-32 in a descriptor after the data.
ZipFileEntry with_descriptor(ZipFileEntry entry, bool signature);

struct ZipFile {
  std::vector<ZipFileEntry> entries;
  std::string before_directory = {};  // where a signing block stands
  std::string after_directory = {};
  std::string comment = {};
  std::uint16_t disk = 0;
  // What the end record claims instead of the truth.
  std::optional<std::uint16_t> entry_count = {};
  std::optional<std::uint16_t> entry_count_on_disk = {};
  std::optional<std::uint32_t> directory_size = {};
  std::optional<std::uint32_t> directory_offset = {};
  std::optional<std::uint16_t> comment_size = {};

  std::string build() const;
};

// Raw deflate (RFC 1951) and CRC-32.
std::string deflate(std::string_view content);
std::uint32_t crc32_of(std::string_view content);

}  // namespace touchmark::package::testing
