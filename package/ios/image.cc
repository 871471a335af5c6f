#include "package/ios/image.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/endian.h"
#include "package/model/measurement.h"

namespace touchmark::package::ios {
namespace {

constexpr std::uint32_t kImageMagic = 0xfeedfacf;
constexpr std::size_t kMaxImageCommands = std::size_t{4} << 20;
constexpr std::size_t kMaxSections = 1024;
constexpr std::size_t kMaxSegments = 256;
constexpr std::size_t kMaxLibraries = 4096;
constexpr std::size_t kMaxInstructionSections = 64;
constexpr std::size_t kMaxPathText = 4096;
constexpr std::size_t kNameSize = 16;
constexpr std::size_t kSegmentSize = 72;
constexpr std::size_t kSectionSize = 80;

namespace command {
constexpr std::uint32_t kSymbols = 0x2;
constexpr std::uint32_t kDynamicSymbols = 0xb;
constexpr std::uint32_t kLoadLibrary = 0xc;
constexpr std::uint32_t kSegment64 = 0x19;
constexpr std::uint32_t kUuid = 0x1b;
constexpr std::uint32_t kCodeSignature = 0x1d;
constexpr std::uint32_t kLazyLibrary = 0x20;
constexpr std::uint32_t kEncryptionInfo = 0x21;
constexpr std::uint32_t kEncryptionInfo64 = 0x2c;
constexpr std::uint32_t kWeakLibrary = 0x80000018;
constexpr std::uint32_t kSearchPath = 0x8000001c;
constexpr std::uint32_t kReexportedLibrary = 0x8000001f;
constexpr std::uint32_t kUpwardLibrary = 0x80000023;
constexpr std::uint32_t kMain = 0x80000028;
}  // namespace command

constexpr const char* kBitcodeHelp =
    ": bitcode in place of code, which the store compiles; export the app without bitcode";
constexpr std::uint32_t kPureInstructions = 0x80000000;  // attributes of a section
constexpr std::uint32_t kSomeInstructions = 0x00000400;

bool is_library(std::uint32_t type) {
  return type == command::kLoadLibrary || type == command::kWeakLibrary ||
         type == command::kReexportedLibrary || type == command::kUpwardLibrary ||
         type == command::kLazyLibrary;
}

// Sections that take no room in the file.
bool is_zero_fill(std::uint32_t type) { return type == 1 || type == 0xc || type == 0x12; }

bool fits(std::uint64_t offset, std::uint64_t size, std::uint64_t end) {
  return offset <= end && size <= end - offset;
}

// A name in 16 bytes, of characters that nobody takes for another thing in a list of parts.
std::optional<std::string> name_at(ByteView bytes, std::size_t at) {
  const std::string_view field = as_text(bytes.subspan(at, kNameSize));
  const std::string_view text = field.substr(0, field.find('\0'));
  const auto proper = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '$' || c == '-';
  };
  if (!std::ranges::all_of(text, proper)) return std::nullopt;
  return std::string(text);
}

// The text that a load command holds at the offset it names.
std::optional<std::string> text_of(ByteView bytes) {
  if (bytes.size() < 12) return std::nullopt;
  const std::size_t at = le32(bytes, 8);
  if (at < 12 || at >= bytes.size()) return std::nullopt;
  const std::string_view rest = as_text(bytes.subspan(at));
  return std::string(rest.substr(0, std::min(rest.find('\0'), kMaxPathText)));
}

class ImageParser {
 public:
  explicit ImageParser(std::optional<std::uint64_t> slice_size) : slice_size_(slice_size) {}

  Result<Image> parse(ByteView head) {
    const auto size = commands_size(head);
    if (!size) return pass(size);
    if (head.size() - kImageHeaderBytes < *size) {
      return fail(ImageError::kTruncated, "load commands that leave the image");
    }
    image_.cpu_type = le32(head, 4);
    image_.cpu_subtype = le32(head, 8);
    image_.file_type = le32(head, 12);
    image_.flags = le32(head, 24);
    const std::uint32_t count = le32(head, 16);
    std::uint64_t at = kImageHeaderBytes;
    ByteView rest = head.subspan(kImageHeaderBytes, *size);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (rest.size() < 8) return fail(ImageError::kTruncated, "a load command is cut off");
      const std::size_t length = le32(rest, 4);
      if (length < 8 || length > rest.size()) return bad_command(i);
      if (auto ok = read_command(rest.first(length), at, i); !ok) return pass(ok);
      rest = rest.subspan(length);
      at += length;
    }
    if (auto ok = find_base(); !ok) return pass(ok);
    if (auto ok = make_parts(); !ok) return pass(ok);
    return std::move(image_);
  }

 private:
  static tl::unexpected<Error> bad_command(std::uint32_t index) {
    return fail(ImageError::kBadCommand, "load command " + std::to_string(index));
  }

  Result<void> read_command(ByteView bytes, std::uint64_t at, std::uint32_t index) {
    const std::uint32_t type = le32(bytes, 0);
    const auto too_short = [&](std::size_t size) { return bytes.size() < size; };
    if (type == command::kSegment64) return read_segment(bytes, index);
    if (is_library(type) || type == command::kSearchPath) return read_path(bytes, at, index);
    switch (type) {
      case command::kUuid:
        if (too_short(24)) return bad_command(index);
        image_.uuid.emplace();
        std::ranges::copy(bytes.subspan(8, 16), image_.uuid->begin());
        break;
      case command::kCodeSignature:
        if (too_short(16)) return bad_command(index);
        image_.signature_offset = le32(bytes, 8);
        image_.signature_size = le32(bytes, 12);
        break;
      case command::kSymbols:
        if (too_short(24)) return bad_command(index);
        image_.symbols_offset = le32(bytes, 8);
        image_.symbols = le32(bytes, 12);
        image_.strings_offset = le32(bytes, 16);
        image_.strings_size = le32(bytes, 20);
        break;
      case command::kDynamicSymbols:
        if (too_short(64)) return bad_command(index);
        image_.indirect_offset = le32(bytes, 56);
        image_.indirect_symbols = le32(bytes, 60);
        break;
      case command::kEncryptionInfo:
      case command::kEncryptionInfo64:
        if (too_short(20)) return bad_command(index);
        image_.encrypted = image_.encrypted || le32(bytes, 16) != 0;
        break;
      case command::kMain:
        commands_.push_back({at, at, bytes.size()});
        break;
      default:
        break;
    }
    return {};
  }

  Result<void> read_path(ByteView bytes, std::uint64_t at, std::uint32_t index) {
    auto text = text_of(bytes);
    if (!text || image_.libraries.size() == kMaxLibraries) return bad_command(index);
    if (is_library(le32(bytes, 0))) image_.libraries.push_back(*std::move(text));
    commands_.push_back({at, at, bytes.size()});
    return {};
  }

  Result<void> read_segment(ByteView bytes, std::uint32_t index) {
    if (bytes.size() < kSegmentSize || image_.segments.size() == kMaxSegments) {
      return bad_command(index);
    }
    auto name = name_at(bytes, 8);
    ImageSegment segment{.name = name.value_or(""),
                         .address = le64(bytes, 24),
                         .size = le64(bytes, 32),
                         .offset = le64(bytes, 40),
                         .file_size = le64(bytes, 48),
                         .protection = le32(bytes, 60)};
    if (!name || segment.file_size > segment.size ||
        segment.address + segment.size < segment.size ||
        !fits(segment.offset, segment.file_size, slice_size_.value_or(UINT64_MAX))) {
      return fail(ImageError::kBadSegment, "segment " + segment.name);
    }
    const std::size_t count = le32(bytes, 64);
    if (count > (bytes.size() - kSegmentSize) / kSectionSize) return bad_command(index);
    if (count > kMaxSections - image_.sections.size()) {
      return fail(ImageError::kTooManySections, "over " + std::to_string(kMaxSections));
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (auto ok = read_section(bytes.subspan(kSegmentSize + i * kSectionSize), segment); !ok) {
        return ok;
      }
    }
    image_.segments.push_back(std::move(segment));
    return {};
  }

  Result<void> read_section(ByteView bytes, const ImageSegment& segment) {
    auto name = name_at(bytes, 0);
    ImageSection section{.segment = segment.name,
                         .name = name.value_or(""),
                         .address = le64(bytes, 32),
                         .size = le64(bytes, 40),
                         .flags = le32(bytes, 64),
                         .first_symbol = le32(bytes, 68)};
    const auto refuse = [&section] {
      return fail(ImageError::kBadSection, section.segment + "." + section.name);
    };
    if (!name || section.address < segment.address ||
        !fits(section.address - segment.address, section.size, segment.size)) {
      return refuse();
    }
    const bool measured = !segment.writable() && segment.file_size > 0 && section.size > 0 &&
                          !is_zero_fill(section.type());
    if (measured) {
      // The file must hold it where the segment's mapping will put it.
      const std::uint64_t within = section.address - segment.address;
      if (!fits(within, section.size, segment.file_size) ||
          le32(bytes, 48) != segment.offset + within) {
        return refuse();
      }
      measured_.push_back({section, {section.address, segment.offset + within, section.size}});
    }
    image_.sections.push_back(std::move(section));
    return {};
  }

  // The segment that begins with the file's first byte holds the header.
  Result<void> find_base() {
    const auto first = std::ranges::find_if(image_.segments, [](const ImageSegment& segment) {
      return segment.offset == 0 && segment.file_size > 0;
    });
    if (first == image_.segments.end() || first->writable()) {
      return fail(ImageError::kBadSegment,
                  std::string("no segment holds the header") + (is_bitcode() ? kBitcodeHelp : ""));
    }
    image_.base = first->address;
    return {};
  }

  // Xcode 7 to 13 could take the code out of what goes to the App Store, which then compiled the
  // bitcode that is left.
  bool is_bitcode() const {
    return std::ranges::find(image_.segments, "__LLVM", &ImageSegment::name) !=
           image_.segments.end();
  }

  Result<void> make_parts() {
    std::ranges::sort(measured_, {}, [](const Measured& it) { return it.extent.address; });
    std::uint64_t end = image_.base;
    std::uint64_t file_end = 0;
    ImagePart constants{"constants", {}};
    for (Measured& it : measured_) {
      // In one order in both places and without overlaps, so that a file is read once.
      if (it.extent.address < end || it.extent.offset < file_end) {
        return fail(ImageError::kBadSection, it.section.segment + "." + it.section.name);
      }
      end = it.extent.address + it.extent.size;
      file_end = it.extent.offset + it.extent.size;
      it.extent.address -= image_.base;
      if ((it.section.flags & (kPureInstructions | kSomeInstructions)) == 0) {
        constants.extents.push_back(it.extent);
        continue;
      }
      if (image_.parts.size() == kMaxInstructionSections) {
        return fail(ImageError::kTooManySections,
                    "over " + std::to_string(kMaxInstructionSections) + " of instructions");
      }
      image_.parts.push_back({it.section.segment + "." + it.section.name, {it.extent}});
    }
    if (!constants.extents.empty()) image_.parts.push_back(std::move(constants));
    if (!commands_.empty()) image_.parts.push_back({"commands", std::move(commands_)});
    std::ranges::sort(image_.parts, {}, &ImagePart::name);
    const auto twice = std::ranges::adjacent_find(image_.parts, {}, &ImagePart::name);
    if (twice == image_.parts.end()) return {};
    return fail(ImageError::kBadSection, twice->name + " stands twice");
  }

  struct Measured {
    ImageSection section;
    Extent extent;
  };

  std::optional<std::uint64_t> slice_size_;
  Image image_;
  std::vector<Measured> measured_;
  std::vector<Extent> commands_;
};

}  // namespace

std::string_view error_id(ImageError error) {
  using enum ImageError;
  static constexpr auto kIds = error_table<ImageError>({
      {kNot64Bit, "image.not-64-bit"},
      {kTruncated, "image.truncated"},
      {kBadCommand, "image.bad-command"},
      {kBadSegment, "image.bad-segment"},
      {kBadSection, "image.bad-section"},
      {kTooManySections, "image.too-many-sections"},
  });
  return kIds[error];
}

std::uint64_t ImagePart::size() const {
  std::uint64_t out = 0;
  for (const Extent& extent : extents) out += extent.size;
  return out;
}

std::string Image::architecture() const { return architecture_name(cpu_type, cpu_subtype); }

std::optional<std::uint64_t> Image::mapped(std::uint64_t offset, std::uint64_t size) const {
  for (const ImageSegment& segment : segments) {
    if (offset < segment.offset || !fits(offset - segment.offset, size, segment.file_size) ||
        segment.address < base) {
      continue;
    }
    return segment.address - base + (offset - segment.offset);
  }
  return std::nullopt;
}

Result<std::size_t> commands_size(ByteView header) {
  if (header.size() < kImageHeaderBytes) {
    return fail(ImageError::kTruncated, "shorter than the header of an image");
  }
  if (le32(header, 0) != kImageMagic) {
    return fail(ImageError::kNot64Bit, "not a little-endian 64-bit Mach-O image");
  }
  const std::size_t size = le32(header, 20);
  if (size > kMaxImageCommands) return fail(ImageError::kTruncated, "over 4 MiB of load commands");
  return size;
}

Result<Image> parse_image(ByteView head, std::optional<std::uint64_t> slice_size) {
  return ImageParser(slice_size).parse(head);
}

std::string architecture_name(std::uint32_t cpu_type, std::uint32_t cpu_subtype) {
  constexpr std::uint32_t kArm64 = 0x0100000c;
  constexpr std::uint32_t kX86 = 0x01000007;
  // Above are bits of the pointers' authentication.
  const std::uint32_t subtype = cpu_subtype & 0xff'ffff;
  if (cpu_type == kArm64) return subtype == 2 ? "arm64e" : "arm64";
  if (cpu_type == kX86) return "x86_64";
  return "cpu-" + std::to_string(cpu_type) + "-" + std::to_string(subtype);
}

std::string image_part_name(std::string_view path, const Image& image, std::string_view part) {
  return std::string(path) + kImageMark + image.architecture() + "/" + std::string(part);
}

}  // namespace touchmark::package::ios
