#include "formats/testing/zip_builder.h"

#include <zlib.h>

#include "formats/testing/bytes_writer.h"

namespace touchmark::package::testing {
namespace {

ZipFileEntry entry(std::string_view name, std::string_view content, std::uint16_t method,
                   std::string data) {
  ZipFileEntry out;
  out.local.method = method;
  out.local.crc32 = crc32_of(content);
  out.local.compressed_size = static_cast<std::uint32_t>(data.size());
  out.local.size = static_cast<std::uint32_t>(content.size());
  out.local.name = name;
  out.central = out.local;
  out.data = std::move(data);
  return out;
}

// The fields that both headers have, from the flags to the length of the extra field.
std::string common_fields(const ZipHeader& header) {
  return u16(20) + u16(header.flags) + u16(header.method) + u32(0) + u32(header.crc32) +
         u32(header.compressed_size) + u32(header.size) + u16(header.name.size()) +
         u16(header.extra.size());
}

std::string local_record(const ZipFileEntry& entry) {
  return "PK\3\4" + common_fields(entry.local) + entry.local.name + entry.local.extra + entry.data +
         entry.descriptor;
}

std::string central_record(const ZipFileEntry& entry, std::size_t offset) {
  return "PK\1\2" + u16(20) + common_fields(entry.central) + u16(entry.comment.size()) +
         u16(entry.disk) + u16(0) + u32(0) + u32(entry.header_offset.value_or(offset)) +
         entry.central.name + entry.central.extra + entry.comment;
}

}  // namespace

std::string deflate(std::string_view content) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::uint32_t crc32_of(std::string_view content) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
}

ZipFileEntry stored(std::string_view name, std::string_view content) {
  return entry(name, content, 0, std::string(content));
}

ZipFileEntry deflated(std::string_view name, std::string_view content) {
  return entry(name, content, 8, deflate(content));
}

ZipFileEntry with_descriptor(ZipFileEntry entry, bool signature) {
  entry.descriptor = (signature ? "PK\7\10" : "") + u32(entry.local.crc32) +
                     u32(entry.local.compressed_size) + u32(entry.local.size);
  entry.central.flags |= 0x0008;
  entry.local.flags |= 0x0008;
  entry.local.crc32 = entry.local.compressed_size = entry.local.size = 0;
  return entry;
}

std::string ZipFile::build() const {
  std::string file;
  std::string directory;
  for (const ZipFileEntry& entry : entries) {
    file += entry.gap;
    directory += central_record(entry, file.size());
    file += local_record(entry);
  }
  file += before_directory;
  const std::size_t offset = file.size();
  file += directory + after_directory;
  const std::uint64_t count = entry_count.value_or(static_cast<std::uint16_t>(entries.size()));
  file += "PK\5\6" + u16(disk) + u16(disk) +
          u16(entry_count_on_disk.value_or(static_cast<std::uint16_t>(count))) + u16(count) +
          u32(directory_size.value_or(static_cast<std::uint32_t>(directory.size()))) +
          u32(directory_offset.value_or(static_cast<std::uint32_t>(offset))) +
          u16(comment_size.value_or(static_cast<std::uint16_t>(comment.size()))) + comment;
  return file;
}

}  // namespace touchmark::package::testing
