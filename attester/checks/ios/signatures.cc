// The app's text, page by page, against its code directory, and that against the kernel's word. The
// pages were signed plain, so this needs no file; what a hook writes into text shows in its page.
#include <algorithm>

#include "attester/checks/ios/ios_check.h"
#include "base/encoding.h"
#include "package/ios/code_signature.h"

namespace touchmark::attester::checks::ios {
namespace {

using protocol::FindingId;
namespace image = package::ios;

constexpr std::size_t kMaxNamedPages = 4;  // of an image

// The segment whose file bytes hold all of a page; nullptr where the page may be written, or is not
// in one segment.
const image::ImageSegment* fixed_segment(const image::Image& loaded, std::uint64_t offset,
                                         std::uint64_t size) {
  const auto found = std::ranges::find_if(loaded.segments, [&](const image::ImageSegment& segment) {
    return !segment.writable() && segment.protection != 0 && offset >= segment.offset &&
           offset - segment.offset <= segment.file_size &&
           size <= segment.file_size - (offset - segment.offset);
  });
  return found == loaded.segments.end() ? nullptr : &*found;
}

// "__TEXT.__text" of the section that holds an offset of the file, or the segment's name.
std::string place_of(const image::Image& loaded, const image::ImageSegment& segment,
                     std::uint64_t offset) {
  const std::uint64_t address = segment.address + (offset - segment.offset);
  for (const image::ImageSection& section : loaded.sections) {
    if (address >= section.address && address - section.address < section.size) {
      return section.segment + "." + section.name;
    }
  }
  return segment.name;
}

void check_pages(const Iphone& iphone, const LoadedImage& loaded,
                 const image::CodeDirectory& directory, Findings& out) {
  Bytes page(static_cast<std::size_t>(std::min<std::uint64_t>(directory.page_size, 1 << 20)));
  std::size_t changed = 0;
  for (std::uint32_t i = 0; i < directory.code_slots; ++i) {
    const std::uint64_t offset = std::uint64_t{i} * directory.page_size;
    if (offset >= directory.code_limit) break;
    const std::uint64_t size = std::min(directory.page_size, directory.code_limit - offset);
    const image::ImageSegment* segment = fixed_segment(loaded.image, offset, size);
    if (segment == nullptr || size > page.size()) continue;
    const std::span<std::byte> bytes = std::span(page).first(static_cast<std::size_t>(size));
    const std::uint64_t address =
        loaded.header + (segment->address - loaded.image.base) + (offset - segment->offset);
    if (iphone.copy_memory(address, bytes) == bytes.size() &&
        std::ranges::equal(image::code_digest(directory.hash, bytes), directory.code_hash(i))) {
      continue;
    }
    if (++changed > kMaxNamedPages) continue;
    out.push_back(
        {FindingId::kHookTextModified, loaded.name + ": page " + std::to_string(i) + " in " +
                                           place_of(loaded.image, *segment, offset + size / 2)});
  }
  if (changed > kMaxNamedPages) {
    out.push_back({FindingId::kHookTextModified,
                   loaded.name + ": " + std::to_string(changed - kMaxNamedPages) + " more pages"});
  }
}

}  // namespace

void check_signatures(const IosContext& context, Findings& out) {
  for (const LoadedImage& loaded : context.images.images) {
    if (loaded.name.empty()) continue;
    const auto refuse = [&](const std::string& why) {
      out.push_back({FindingId::kAppCodeNotFromPackage, loaded.name + ": " + why});
    };
    const Bytes blob = mapped_signature(context.iphone, loaded);
    const auto signature = image::parse_code_signature(blob);
    if (!signature) {
      refuse(blob.empty() ? "no code signature" : signature.error().text());
      continue;
    }
    const image::CodeDirectory& directory = signature->strongest();
    check_pages(context.iphone, loaded, directory, out);
    if (&loaded != context.images.main()) continue;
    // Otherwise whoever changes a page changes its hash as well.
    const Bytes started = context.iphone.code_directory_hash();
    if (!started.empty() && started != directory.cdhash()) {
      refuse("the kernel started other code, " + hex_encode(started));
    }
  }
}

}  // namespace touchmark::attester::checks::ios
