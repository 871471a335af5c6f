#include "attester/testing/played_iphone.h"

#include <algorithm>
#include <cstring>

#include "attester/checks/ios/loaded_image.h"
#include "base/endian.h"
#include "base/source.h"
#include "formats/testing/bytes_writer.h"
#include "formats/zip/zip.h"
#include "package/ios/code_signature.h"
#include "package/ios/ipa.h"
#include "package/ios/mach_o.h"
#include "package/testing/mach_o_builder.h"

namespace touchmark::attester::testing {
namespace {

namespace ios = package::ios;

constexpr std::uint64_t kGap = 0x4000000;  // between images
constexpr std::uint64_t kPage = 0x4000;

std::string little_endian(std::uint64_t value) { return package::testing::u64(value); }

// An unsigned number of seven bits a byte.
std::uint64_t take_uleb(ByteView bytes, std::size_t& at) {
  std::uint64_t out = 0;
  for (unsigned shift = 0; at < bytes.size(); shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[at++]);
    if (shift < 64) out |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return out;
}

// The pointers in an image that dyld writes: where they are, from the header, and what they hold as
// linked; nullopt for those bound to another image's symbol.
struct Fixup {
  std::uint64_t at;
  std::optional<std::uint64_t> target;
};

// dyld's older form: a program for a small machine (LC_DYLD_INFO).
std::vector<Fixup> rebases_of(ByteView opcodes, const ios::Image& image, ByteView slice) {
  std::vector<Fixup> out;
  std::size_t segment = 0;
  std::uint64_t offset = 0;
  const auto rebase = [&](std::uint64_t times, std::uint64_t skip) {
    for (std::uint64_t i = 0; i < times && i < 1'000'000; ++i) {
      if (segment >= image.segments.size()) return;
      const ios::ImageSegment& in = image.segments[segment];
      if (offset + 8 <= in.file_size) {
        out.push_back({in.address - image.base + offset,
                       le64(slice, static_cast<std::size_t>(in.offset + offset))});
      }
      offset += 8 + skip;
    }
  };
  for (std::size_t at = 0; at < opcodes.size();) {
    const auto byte = std::to_integer<unsigned>(opcodes[at++]);
    const unsigned immediate = byte & 0x0f;
    switch (byte & 0xf0) {
      case 0x00:
        return out;
      case 0x10:
        break;  // type
      case 0x20:
        segment = immediate;
        offset = take_uleb(opcodes, at);
        break;
      case 0x30:
        offset += take_uleb(opcodes, at);
        break;
      case 0x40:
        offset += immediate * 8;
        break;
      case 0x50:
        rebase(immediate, 0);
        break;
      case 0x60:
        rebase(take_uleb(opcodes, at), 0);
        break;
      case 0x70:
        rebase(1, take_uleb(opcodes, at));
        break;
      case 0x80: {
        const std::uint64_t times = take_uleb(opcodes, at);
        rebase(times, take_uleb(opcodes, at));
        break;
      }
      default:
        return out;
    }
  }
  return out;
}

// dyld's newer form: each pointer says how far away the next is (LC_DYLD_CHAINED_FIXUPS).
std::vector<Fixup> chain_of(ByteView data, const ios::Image& image, ByteView slice) {
  std::vector<Fixup> out;
  const std::size_t starts = le32(data, 4);
  const std::uint32_t segments = le32(data, starts);
  for (std::uint32_t i = 0; i < segments && i < image.segments.size(); ++i) {
    const std::size_t info = le32(data, starts + 4 + i * 4);
    if (info == 0) continue;
    const std::size_t at = starts + info;
    const std::uint16_t page_size = le16(data, at + 4);
    const std::uint16_t format = le16(data, at + 6);
    const std::uint16_t pages = le16(data, at + 20);
    const ios::ImageSegment& segment = image.segments[i];
    for (std::uint16_t page = 0; page < pages; ++page) {
      std::uint64_t within = le16(data, at + 22 + page * 2);
      if (within == 0xffff) continue;
      within += std::uint64_t{page} * page_size;
      for (;;) {
        if (within + 8 > segment.file_size) break;
        const std::uint64_t raw = le64(slice, static_cast<std::size_t>(segment.offset + within));
        const std::uint64_t place = segment.address - image.base + within;
        std::uint64_t next = 0;
        if (format == 2 || format == 6) {
          const bool bound = raw >> 63 != 0;
          const std::uint64_t target = raw & 0xfffffffff;
          out.push_back({place, bound ? std::nullopt
                                      : std::optional(format == 6 ? image.base + target : target)});
          next = (raw >> 51 & 0xfff) * 4;
        } else {  // with authentication: formats of arm64e
          const bool bound = (raw >> 62 & 1) != 0;
          const bool authenticated = raw >> 63 != 0;
          const std::uint64_t target = authenticated ? raw & 0xffffffff : raw & 0x7ffffffffff;
          out.push_back(
              {place, bound ? std::nullopt
                            : std::optional(format == 1 && !authenticated ? target
                                                                          : image.base + target)});
          next = (raw >> 51 & 0x7ff) * 8;
        }
        if (next == 0) break;
        within += next;
      }
    }
  }
  return out;
}

std::vector<Fixup> fixups_of(ByteView slice, std::size_t head_size, const ios::Image& image) {
  std::vector<Fixup> out;
  for (std::size_t at = ios::kImageHeaderBytes; at + 8 <= head_size; at += le32(slice, at + 4)) {
    const std::uint32_t type = le32(slice, at) & 0x7fffffff;
    if (type != 0x22 && type != 0x34) continue;
    const std::size_t offset = le32(slice, at + 8);
    const std::size_t size = le32(slice, at + 12);
    if (size == 0 || offset + size > slice.size()) continue;
    const ByteView data = slice.subspan(offset, size);
    out = type == 0x22 ? rebases_of(data, image, slice) : chain_of(data, image, slice);
  }
  return out;
}

bool is_for_iphones(const ios::MachSlice& slice) {
  return ios::architecture_name(slice.cpu_type, slice.cpu_subtype) == "arm64";
}

// Extensions, App Clips and an Apple Watch's apps run in processes of their own.
bool runs_elsewhere(std::string_view name) {
  return name.find(".appex/") != name.npos || name.starts_with("AppClips/") ||
         name.starts_with("Watch/");
}

// Whether dyld could load the file into an app beside its main executable, or as that.
bool is_app_image(std::string_view name, ByteView file) {
  if (file.size() <= ios::kImageHeaderBytes || runs_elsewhere(name)) return false;
  if (be32(file, 0) == 0xcafebabe) return be32(file, 4) <= 16;  // else a Java class
  return le32(file, 0) == 0xfeedfacf && ios::is_loadable_type(le32(file, 12));
}

}  // namespace

PlayedIphone::PlayedIphone() {
  package::testing::MachOSpec spec;
  spec.file_type = 6;
  spec.libraries.clear();
  spec.got.clear();
  spec.lazy.clear();
  spec.has_signature = false;
  std::string library = package::testing::mach_o_image(spec, 3 * package::testing::kMachOPage, 0);
  library[27] = '\x80';  // of the shared cache
  const auto header = load("/usr/lib/libSystem.B.dylib", as_bytes(library));
  system_function_ = header.value() + 0x900;
  // The list begins with the main executable.
  images_.clear();
  images_.push_back({"/usr/lib/libSystem.B.dylib", *header});
}

Result<std::uint64_t> PlayedIphone::load(const std::string& path, ByteView file) {
  const auto read = [&](std::span<const zip::ZipRange> ranges) -> Result<std::vector<Bytes>> {
    std::vector<Bytes> out;
    for (const zip::ZipRange& range : ranges) {
      const auto at = static_cast<std::size_t>(std::min<std::uint64_t>(range.offset, file.size()));
      out.push_back(to_bytes(file.subspan(at, std::min(range.length, file.size() - at))));
    }
    return out;
  };
  const auto slices = ios::read_mach_o(file.size(), read, ios::NeedsSignature::kNo);
  if (!slices) return pass(slices);
  auto found = std::ranges::find_if(*slices, is_for_iphones);
  if (found == slices->end()) found = std::ranges::find_if(*slices, &ios::MachSlice::wide);
  if (found == slices->end()) return fail(ios::ImageError::kNot64Bit, path + ": no 64-bit image");
  const ios::MachSlice& place = *found;
  const ByteView slice =
      file.subspan(static_cast<std::size_t>(place.offset), static_cast<std::size_t>(place.size));
  const auto image = ios::parse_image(slice.first(place.head_size), slice.size());
  if (!image) return pass(image);

  const std::uint64_t header = next_;
  for (const ios::ImageSegment& segment : image->segments) {
    if (segment.protection == 0 || segment.size == 0) continue;
    Bytes bytes(static_cast<std::size_t>(segment.size));
    std::ranges::copy(slice.subspan(static_cast<std::size_t>(segment.offset),
                                    static_cast<std::size_t>(segment.file_size)),
                      bytes.begin());
    const std::uint64_t begin = header + (segment.address - image->base);
    next_ = std::max(next_, (begin + segment.size + kPage - 1) / kPage * kPage);
    memory_[begin] = std::move(bytes);
  }
  next_ += kGap;

  for (const ios::ImageSection& section : image->sections) {
    if (section.type() != ios::kNonLazyPointers && section.type() != ios::kLazyPointers) continue;
    for (std::uint64_t at = 0; at + 8 <= section.size; at += 8) {
      write(header + (section.address - image->base) + at,
            as_bytes(little_endian(system_function_)));
    }
  }
  for (const Fixup& fixup : fixups_of(slice, place.head_size, *image)) {
    const bool fixed = std::ranges::any_of(image->segments, [&](const ios::ImageSegment& segment) {
      const std::uint64_t begin = segment.address - image->base;
      return !segment.writable() && fixup.at >= begin && fixup.at - begin < segment.size;
    });
    fixed_rebases += fixed ? 1 : 0;
    write(header + fixup.at,
          as_bytes(little_endian(fixup.target ? header + (*fixup.target - image->base)
                                              : system_function_)));
  }
  images_.push_back({path, header});
  return header;
}

Result<void> PlayedIphone::install(ByteView ipa) {
  const auto source = from_memory(to_bytes(ipa));
  const auto archive = zip::ZipArchive::open(*source);
  if (!archive) return pass(archive);
  const std::string folder = ios::ipa_folder(*archive);
  std::string executable;
  std::vector<std::pair<std::string, Bytes>> libraries;
  for (const zip::ZipEntry& entry : archive->entries()) {
    if (entry.is_directory() || !entry.name.starts_with(folder)) continue;
    const std::string name = entry.name.substr(folder.size());
    auto content = archive->read(entry, std::size_t{1} << 30);
    if (!content) return pass(content);
    contents_[bundle + name] = *content;
    if (is_app_image(name, *content)) libraries.emplace_back(name, *std::move(content));
  }
  // The main executable, which dyld lists first.
  std::ranges::stable_sort(libraries, {},
                           [](const auto& one) { return one.first.find('/') != one.first.npos; });
  const checks::ios::ListedImage system = images_.back();
  images_.pop_back();
  for (const auto& [name, content] : libraries) {
    auto loaded = load(bundle + name, content);
    if (!loaded) return pass(loaded);
  }
  images_.push_back(system);
  const auto listed = checks::ios::list_images(*this);
  const Bytes signature = checks::ios::mapped_signature(*this, listed.images.front());
  const auto parsed = ios::parse_code_signature(signature);
  if (parsed) started = parsed->strongest().cdhash();
  return {};
}

std::uint64_t PlayedIphone::header_of(const std::string& name) const {
  const auto found = std::ranges::find(images_, bundle + name, &checks::ios::ListedImage::path);
  return found == images_.end() ? 0 : found->header;
}

void PlayedIphone::write(std::uint64_t address, ByteView bytes) {
  const auto next = memory_.upper_bound(address);
  if (next == memory_.begin()) return;
  auto& [begin, stretch] = *std::prev(next);
  const auto at = static_cast<std::size_t>(address - begin);
  if (at > stretch.size() || bytes.size() > stretch.size() - at) return;
  std::ranges::copy(bytes, stretch.begin() + static_cast<std::ptrdiff_t>(at));
}

Bytes PlayedIphone::read(std::uint64_t address, std::size_t size) const {
  Bytes out(size);
  out.resize(copy_memory(address, out));
  return out;
}

std::size_t PlayedIphone::copy_memory(std::uint64_t address, std::span<std::byte> out) const {
  std::size_t copied = 0;
  while (copied < out.size()) {
    const auto next = memory_.upper_bound(address + copied);
    if (next == memory_.begin()) break;
    const auto& [begin, stretch] = *std::prev(next);
    const std::uint64_t at = address + copied - begin;
    if (at >= stretch.size()) break;
    const std::size_t step =
        std::min(out.size() - copied, stretch.size() - static_cast<std::size_t>(at));
    std::copy_n(stretch.begin() + static_cast<std::ptrdiff_t>(at), step,
                out.begin() + static_cast<std::ptrdiff_t>(copied));
    copied += step;
  }
  return copied;
}

std::optional<Bytes> PlayedIphone::read_file(const std::string& path, std::size_t max_bytes) const {
  std::string real = path;
  if (real.starts_with("/var/")) real = "/private" + real;
  const auto found = contents_.find(real);
  if (found == contents_.end() || found->second.size() > max_bytes) return std::nullopt;
  return found->second;
}

std::string PlayedIphone::environment(const char* name) const {
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

}  // namespace touchmark::attester::testing
