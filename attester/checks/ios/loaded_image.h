// The images that dyld has mapped, read out of memory. What the file on the phone holds does not
// matter: a store has encrypted it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attester/checks/ios/iphone.h"
#include "base/error.h"
#include "package/ios/image.h"
#include "package/model/measurement.h"

namespace touchmark::attester::checks::ios {

struct LoadedImage {
  std::string path;          // as dyld names it
  std::string name;          // of the app's own: its path in the bundle; "" for others
  std::uint64_t header = 0;  // where it begins
  Bytes head;                // header and load commands
  package::ios::Image image;

  // Whether one of its segments holds the address.
  bool holds(std::uint64_t address) const;
  std::uint64_t address_of(const package::ios::ImageSection& section) const {
    return header + (section.address - image.base);
  }
};

// What dyld lists, and of it what can be read.
struct LoadedImages {
  std::string bundle;               // the app's folder, with a slash at its end
  std::vector<LoadedImage> images;  // the main executable first
  std::vector<std::string> unread;  // "path: why"
  const LoadedImage* main() const { return images.empty() ? nullptr : &images.front(); }
  // nullptr where no image holds the address.
  const LoadedImage* holding(std::uint64_t address) const;
  // The app's own of this name in a measurement, "Frameworks/Kit.framework/Kit#arm64".
  const LoadedImage* named(std::string_view image_name) const;

 private:
  friend LoadedImages list_images(const Iphone& iphone);
  struct Stretch {
    std::uint64_t end;
    std::size_t image;
  };
  std::map<std::uint64_t, Stretch> stretches_;  // segments, by where they begin
};
LoadedImages list_images(const Iphone& iphone);

// iOS names one folder in two ways: "/var" leads to "/private/var".
std::string_view without_private(std::string_view path);

// Digests every part of the image in memory, under the names that the IPA's measurement gives them.
// Fails where memory that must be there is not.
enum class LoadedImageError { kUnreadable };
std::string_view error_id(LoadedImageError error);
Result<std::vector<package::Part>> measure_image(const Iphone& iphone, const LoadedImage& image);

// Streams bytes [offset, offset + length) of a part, clipped to its end.
Result<void> read_part(const Iphone& iphone, const LoadedImage& image,
                       const package::ios::ImagePart& part, std::uint64_t offset,
                       std::uint64_t length, const std::function<void(ByteView)>& sink);

// The code signature as it is mapped; empty where there is none.
Bytes mapped_signature(const Iphone& iphone, const LoadedImage& image);

}  // namespace touchmark::attester::checks::ios
