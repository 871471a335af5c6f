// The chunk that binary XML and resource tables consist of: ResChunk_header of AOSP's
// androidfw/ResourceTypes.h, that is type (16 bits), size of the header (16), size of the whole
// (32).
#pragma once

#include <cstdint>
#include <optional>

#include "base/endian.h"

namespace touchmark::package::android {

struct Chunk {
  std::uint16_t type = 0;
  ByteView header;  // with the 8 bytes above
  ByteView body;    // what follows the header
  ByteView whole;
};

enum ChunkType : std::uint16_t {
  kStringPoolChunk = 0x0001,
  kTableChunk = 0x0002,
  kXmlChunk = 0x0003,
  kXmlStartNamespace = 0x0100,
  kXmlEndNamespace = 0x0101,
  kXmlStartElement = 0x0102,
  kXmlEndElement = 0x0103,
  kXmlText = 0x0104,
  kXmlResourceMap = 0x0180,
  kTablePackage = 0x0200,
  kTableType = 0x0201,
  kTableTypeSpec = 0x0202,
};

// Splits the first chunk off `rest`. Nothing when it is malformed: shorter than its header, a
// header under 8 bytes, not a multiple of 4, or larger than what is left.
inline std::optional<Chunk> take_chunk(ByteView& rest) {
  if (rest.size() < 8) return std::nullopt;
  const std::size_t header_size = le16(rest, 2);
  const std::size_t size = le32(rest, 4);
  if (header_size < 8 || header_size > size || size > rest.size() ||
      (header_size | size) % 4 != 0) {
    return std::nullopt;
  }
  const Chunk chunk{le16(rest, 0), rest.first(header_size),
                    rest.subspan(header_size, size - header_size), rest.first(size)};
  rest = rest.subspan(size);
  return chunk;
}

}  // namespace touchmark::package::android
