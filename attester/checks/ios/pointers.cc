// Pointers through which the app calls what other images export: each leads into an image of the
// app or the system, unless somebody has put their own function there.
#include <algorithm>

#include "attester/checks/ios/ios_check.h"
#include "base/endian.h"

namespace touchmark::attester::checks::ios {
namespace {

using protocol::FindingId;
namespace image = package::ios;

constexpr std::size_t kMaxNamedPointers = 8;  // of an image
constexpr std::size_t kMaxPointers = 1 << 20;
constexpr std::size_t kSymbolSize = 16;          // nlist_64
constexpr std::uint32_t kNoSymbol = 0xc0000000;  // INDIRECT_SYMBOL_LOCAL, _ABS
// Above are tags and the pointer's authentication.
constexpr std::uint64_t kAddressBits = (std::uint64_t{1} << 47) - 1;

std::uint64_t read_number(const Iphone& iphone, std::uint64_t address, std::size_t size) {
  Bytes bytes(8);
  if (iphone.copy_memory(address, std::span(bytes).first(size)) != size) return 0;
  return size == 4 ? le32(bytes, 0) : le64(bytes, 0);
}

// The name of the symbol that a pointer is bound to, for people.
std::string symbol_of(const Iphone& iphone, const LoadedImage& loaded, std::uint64_t index) {
  const image::Image& found = loaded.image;
  const auto indirect = found.mapped(found.indirect_offset + index * 4, 4);
  if (index >= found.indirect_symbols || !indirect) return "a symbol";
  const std::uint64_t symbol = read_number(iphone, loaded.header + *indirect, 4);
  if ((symbol & kNoSymbol) != 0 || symbol >= found.symbols) return "a symbol";
  const auto entry = found.mapped(found.symbols_offset + symbol * kSymbolSize, kSymbolSize);
  if (!entry) return "a symbol";
  const std::uint64_t at = read_number(iphone, loaded.header + *entry, 4);
  const auto text = found.mapped(found.strings_offset + at, 1);
  if (at >= found.strings_size || !text) return "a symbol";
  Bytes name(64);
  name.resize(iphone.copy_memory(loaded.header + *text,
                                 std::span(name).first(static_cast<std::size_t>(
                                     std::min<std::uint64_t>(64, found.strings_size - at)))));
  const std::string_view all = as_text(name);
  return std::string(all.substr(0, all.find('\0')));
}

void check_section(const IosContext& context, const LoadedImage& loaded,
                   const image::ImageSection& section, bool simulator, std::size_t& named,
                   Findings& out) {
  const std::size_t count =
      static_cast<std::size_t>(std::min<std::uint64_t>(section.size / 8, kMaxPointers));
  Bytes pointers(count * 8);
  if (context.iphone.copy_memory(loaded.address_of(section), pointers) != pointers.size()) return;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t target = le64(pointers, i * 8) & kAddressBits;
    if (target == 0) continue;  // of a library that may be missing
    const LoadedImage* holder = context.images.holding(target);
    if (holder != nullptr && (!holder->name.empty() || is_system_image(*holder, simulator))) {
      continue;
    }
    if (++named > kMaxNamedPointers) return;
    out.push_back({FindingId::kHookImportRedirected,
                   loaded.name + ": " +
                       symbol_of(context.iphone, loaded, section.first_symbol + i) + " leads " +
                       (holder == nullptr ? "out of every image" : "into " + holder->path)});
  }
}

}  // namespace

void check_pointers(const IosContext& context, Findings& out) {
  const bool simulator = context.iphone.is_simulator();
  for (const LoadedImage& loaded : context.images.images) {
    if (loaded.name.empty()) continue;
    std::size_t named = 0;
    for (const image::ImageSection& section : loaded.image.sections) {
      if (section.type() == image::kNonLazyPointers || section.type() == image::kLazyPointers) {
        check_section(context, loaded, section, simulator, named, out);
      }
    }
  }
}

}  // namespace touchmark::attester::checks::ios
