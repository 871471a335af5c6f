// What is the same in a Mach-O image's file and where dyld has mapped it: the sections of segments
// that nobody may write (<mach-o/loader.h>). The service digests them in the IPA, the phone in its
// own memory. 64-bit images, as everything is since iOS 11.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace touchmark::package::ios {

enum class ImageError {
  kNot64Bit,    // no little-endian 64-bit image
  kTruncated,   // load commands that leave what is there
  kBadCommand,  // a load command of a wrong size
  kBadSegment,  // a segment that leaves the image, or none that holds the header
  kBadSection,  // a section that leaves its segment, shares bytes, or has no proper name
  kTooManySections,
};
std::string_view error_id(ImageError error);

inline constexpr std::size_t kImageHeaderBytes = 32;
// Of all images in an app together. Evidence has room for more, but a phone sends them each time.
inline constexpr std::size_t kMaxImageParts = 2048;

struct ImageSegment {
  std::string name;
  std::uint64_t address = 0;  // as linked: without the slide
  std::uint64_t size = 0;     // in memory
  std::uint64_t offset = 0;   // within the slice
  std::uint64_t file_size = 0;
  std::uint32_t protection = 0;  // VM_PROT_READ 1, WRITE 2, EXECUTE 4
  bool writable() const { return (protection & 2) != 0; }
  bool executable() const { return (protection & 4) != 0; }
};

struct ImageSection {
  std::string segment;
  std::string name;
  std::uint64_t address = 0;  // as linked
  std::uint64_t size = 0;
  std::uint32_t flags = 0;         // type and attributes
  std::uint32_t first_symbol = 0;  // of a section of pointers: index into the indirect symbols
  std::uint32_t type() const { return flags & 0xff; }
};
inline constexpr std::uint32_t kNonLazyPointers = 6;  // section types
inline constexpr std::uint32_t kLazyPointers = 7;

// Bytes that lie at one place in the file and at one in memory.
struct Extent {
  std::uint64_t address = 0;  // from the image's header in memory
  std::uint64_t offset = 0;   // within the slice
  std::uint64_t size = 0;
};

// Measured by itself: a section of instructions ("__TEXT.__text"); all other sections that nobody
// may write, one after the other ("constants"); the load commands that name libraries, their search
// paths and the entry point ("commands"). One for all constants, since an app sends its parts with
// each attestation, and a Swift image has twenty such sections.
struct ImagePart {
  std::string name;
  std::vector<Extent> extents;
  std::uint64_t size() const;
};

// What dyld loads: an executable, a library or a bundle. Others have no code (a dSYM), or are for a
// linker alone.
constexpr bool is_loadable_type(std::uint32_t file_type) {
  return file_type == 2 || file_type == 6 || file_type == 8;
}

struct Image {
  std::uint32_t cpu_type = 0;
  std::uint32_t cpu_subtype = 0;
  std::uint32_t file_type = 0;
  std::uint32_t flags = 0;
  std::uint64_t base = 0;  // the header's address as linked
  std::optional<std::array<std::byte, 16>> uuid;
  std::vector<ImageSegment> segments;
  std::vector<ImageSection> sections;
  std::vector<std::string> libraries;  // as linked; the symbols' ordinals count from 1
  // Within the slice, all of them in __LINKEDIT; sizes are 0 where there is none.
  std::uint64_t signature_offset = 0;
  std::uint64_t signature_size = 0;
  std::uint64_t symbols_offset = 0;
  std::uint32_t symbols = 0;
  std::uint64_t strings_offset = 0;
  std::uint32_t strings_size = 0;
  std::uint64_t indirect_offset = 0;
  std::uint32_t indirect_symbols = 0;
  bool encrypted = false;
  std::vector<ImagePart> parts;  // sorted by name

  bool is_executable() const { return file_type == 2; }
  // "arm64"
  std::string architecture() const;
  // Where bytes of the file lie from the header in memory; nullopt where no segment maps them.
  std::optional<std::uint64_t> mapped(std::uint64_t offset, std::uint64_t size) const;
};
inline constexpr std::uint32_t kInSharedCache = 0x80000000;  // of `flags`

// The size of the load commands behind a header; the header is kImageHeaderBytes.
Result<std::size_t> commands_size(ByteView header);
// `head`: the header and its load commands. `slice_size`: of the file; nullopt for one in memory.
Result<Image> parse_image(ByteView head, std::optional<std::uint64_t> slice_size);

// "arm64", "arm64e", "x86_64"; others by their numbers.
std::string architecture_name(std::uint32_t cpu_type, std::uint32_t cpu_subtype);
// "Frameworks/Kit.framework/Kit#arm64/__TEXT.__text": how a measurement names such a part
// (package/model/measurement.h takes these apart).
std::string image_part_name(std::string_view path, const Image& image, std::string_view part);

}  // namespace touchmark::package::ios
