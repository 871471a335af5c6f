// Images as the service reads them in a file and the SDK in memory: what is accepted lies within
// the file, and its parts are in order.
#include <cstdlib>

#include "package/ios/image.h"
#include "package/model/measurement.h"

using namespace touchmark;
namespace ios = package::ios;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView file(reinterpret_cast<const std::byte*>(data), size);
  const auto loaded = ios::parse_image(file, std::nullopt);
  const auto image = ios::parse_image(file, size);
  if (!image) return 0;
  if (!loaded || loaded->parts.size() != image->parts.size()) std::abort();
  for (const ios::ImagePart& part : image->parts) {
    std::uint64_t end = 0;
    for (const ios::Extent& extent : part.extents) {
      if (extent.offset < end || extent.size > size || extent.offset > size - extent.size) {
        std::abort();
      }
      end = extent.offset + extent.size;
    }
    if (part.size() > size) std::abort();
    const std::string name = ios::image_part_name("A", *image, part.name);
    if (package::path_of_image(package::image_of(name)) != "A") std::abort();
  }
  return 0;
}
