// An archive that opens has entries that lie within it, that can be found by their names, and whose
// content has the declared size.
#include <cstdlib>

#include "package/package.h"

using namespace touchmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const auto source = from_memory(Bytes(bytes, bytes + size));
  const auto archive = zip::ZipArchive::open(*source);
  if (!archive) return 0;
  for (const zip::ZipEntry& entry : archive->entries()) {
    if (archive->find(entry.name) != &entry) std::abort();
    if (entry.data_offset + entry.compressed_size > size) std::abort();
    std::uint64_t total = 0;
    const auto count = [&](ByteView piece) -> Result<void> {
      total += piece.size();
      if (total > entry.size) std::abort();
      return {};
    };
    if (entry.size > 1 << 20) continue;  // slow, and nothing new
    if (archive->stream(entry, count) && total != entry.size) std::abort();
  }
  return 0;
}
