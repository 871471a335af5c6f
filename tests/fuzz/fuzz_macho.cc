// Mach-O files and their code signatures: what is accepted lies within the file.
#include <algorithm>
#include <cstdlib>

#include "package/ios/code_signature.h"
#include "package/ios/mach_o.h"

using namespace touchmark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView file(reinterpret_cast<const std::byte*>(data), size);
  const auto read = [&](std::span<const zip::ZipRange> ranges) -> Result<std::vector<Bytes>> {
    std::vector<Bytes> out;
    for (const zip::ZipRange& range : ranges) {
      const auto at = static_cast<std::size_t>(std::min<std::uint64_t>(range.offset, file.size()));
      out.push_back(to_bytes(file.subspan(at, std::min(range.length, file.size() - at))));
    }
    return out;
  };
  const auto slices = package::ios::read_mach_o(size, read);
  if (!slices) return 0;
  for (const package::ios::MachSlice& slice : *slices) {
    if (slice.offset + slice.size > size) std::abort();
    const ByteView image =
        file.subspan(static_cast<std::size_t>(slice.offset), static_cast<std::size_t>(slice.size));
    const auto signature = package::ios::parse_code_signature(
        image.subspan(static_cast<std::size_t>(slice.signature_offset)));
    if (!signature) continue;
    (void)package::ios::check_blob_slots(*signature);
    package::ios::PageChecker pages(*signature);
    if (pages.update(image)) (void)pages.finish();
  }
  return 0;
}
