#include "attester/checks/ios/loaded_image.h"

#include <algorithm>
#include <functional>

#include "crypto/crypto.h"

namespace touchmark::attester::checks::ios {
namespace {

namespace image = package::ios;

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kMaxMappedSignature = std::size_t{32} << 20;

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? std::string() : std::string(path.substr(0, slash + 1));
}

Result<LoadedImage> read_image(const Iphone& iphone, const ListedImage& listed) {
  const auto unreadable = [] {
    return fail(LoadedImageError::kUnreadable, "its header is not readable");
  };
  LoadedImage out{
      .path = listed.path, .name = {}, .header = listed.header, .head = {}, .image = {}};
  out.head.resize(image::kImageHeaderBytes);
  if (iphone.copy_memory(listed.header, out.head) != out.head.size()) return unreadable();
  const auto size = image::commands_size(out.head);
  if (!size) return pass(size);
  out.head.resize(image::kImageHeaderBytes + *size);
  if (iphone.copy_memory(listed.header, out.head) != out.head.size()) return unreadable();
  auto parsed = image::parse_image(out.head, std::nullopt);
  if (!parsed) return pass(parsed);
  out.image = *std::move(parsed);
  return out;
}

}  // namespace

std::string_view error_id(LoadedImageError error) {
  using enum LoadedImageError;
  static constexpr auto kIds = error_table<LoadedImageError>({
      {kUnreadable, "loaded-image.unreadable"},
  });
  return kIds[error];
}

std::string_view without_private(std::string_view path) {
  constexpr std::string_view kPrivate = "/private";
  return path.starts_with("/private/var/") ? path.substr(kPrivate.size()) : path;
}

bool LoadedImage::holds(std::uint64_t address) const {
  return std::ranges::any_of(image.segments, [&](const image::ImageSegment& segment) {
    const std::uint64_t begin = header + (segment.address - image.base);
    return segment.protection != 0 && address >= begin && address - begin < segment.size;
  });
}

const LoadedImage* LoadedImages::holding(std::uint64_t address) const {
  const auto next = stretches_.upper_bound(address);
  if (next != stretches_.begin()) {
    const Stretch& stretch = std::prev(next)->second;
    if (address < stretch.end) return &images[stretch.image];
  }
  // Images of the shared cache have one __LINKEDIT together, which hides what begins within it.
  const auto found = std::ranges::find_if(
      images, [address](const LoadedImage& one) { return one.holds(address); });
  return found == images.end() ? nullptr : &*found;
}

const LoadedImage* LoadedImages::named(std::string_view image_name) const {
  const auto found = std::ranges::find_if(images, [&](const LoadedImage& one) {
    return !one.name.empty() && package::path_of_image(image_name) == one.name &&
           image_name == one.name + package::kImageMark + one.image.architecture();
  });
  return found == images.end() ? nullptr : &*found;
}

LoadedImages list_images(const Iphone& iphone) {
  LoadedImages out;
  for (const ListedImage& listed : iphone.images()) {
    auto read = read_image(iphone, listed);
    if (out.bundle.empty()) {
      out.bundle = std::string(without_private(folder_of(listed.path)));
    }
    if (!read) {
      out.unread.push_back(listed.path + ": " + read.error().text());
      continue;
    }
    const std::string_view path = without_private(read->path);
    if (!out.bundle.empty() && path.starts_with(out.bundle)) {
      read->name = path.substr(out.bundle.size());
    }
    for (const image::ImageSegment& segment : read->image.segments) {
      // Nothing is mapped for __PAGEZERO.
      if (segment.protection == 0 || segment.size == 0) continue;
      const std::uint64_t begin = read->header + (segment.address - read->image.base);
      out.stretches_[begin] = {begin + segment.size, out.images.size()};
    }
    out.images.push_back(*std::move(read));
  }
  return out;
}

Result<void> read_part(const Iphone& iphone, const LoadedImage& loaded,
                       const image::ImagePart& part, std::uint64_t offset, std::uint64_t length,
                       const std::function<void(ByteView)>& sink) {
  Bytes piece(kPiece);
  std::uint64_t at = 0;  // of the extent, within the part
  for (const image::Extent& extent : part.extents) {
    const std::uint64_t end = at + extent.size;
    std::uint64_t from = std::max(at, offset);
    const std::uint64_t to = length > UINT64_MAX - offset ? end : std::min(end, offset + length);
    while (from < to) {
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, to - from));
      const std::span<std::byte> room = std::span(piece).first(step);
      const std::uint64_t address = loaded.header + extent.address + (from - at);
      if (iphone.copy_memory(address, room) != step) {
        return fail(LoadedImageError::kUnreadable, part.name + " is not readable");
      }
      sink(room);
      from += step;
    }
    at = end;
  }
  return {};
}

Result<std::vector<package::Part>> measure_image(const Iphone& iphone, const LoadedImage& loaded) {
  std::vector<package::Part> out;
  for (const image::ImagePart& part : loaded.image.parts) {
    crypto::Sha256 sha;
    auto read = read_part(iphone, loaded, part, 0, UINT64_MAX,
                          [&sha](ByteView bytes) { sha.update(bytes); });
    if (!read) return pass(read);
    out.push_back({image::image_part_name(loaded.name, loaded.image, part.name),
                   package::PartKind::kNativeLibrary, part.size(), sha.finish()});
  }
  return out;
}

Bytes mapped_signature(const Iphone& iphone, const LoadedImage& loaded) {
  const image::Image& found = loaded.image;
  if (found.signature_size == 0 || found.signature_size > kMaxMappedSignature) return {};
  const auto at = found.mapped(found.signature_offset, found.signature_size);
  if (!at) return {};
  Bytes out(static_cast<std::size_t>(found.signature_size));
  if (iphone.copy_memory(loaded.header + *at, out) != out.size()) return {};
  return out;
}

}  // namespace touchmark::attester::checks::ios
