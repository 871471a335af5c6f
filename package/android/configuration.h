// The configuration that a resource's value is for, and which of several values a device takes:
// ResTable_config::match() and isBetterThan() of AOSP's androidfw.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace touchmark::package::android {

// Zero in a field means: for any device. The numbers are those of ResTable_config.
struct Configuration {
  std::uint16_t mcc = 0;
  std::uint16_t mnc = 0;
  std::array<char, 2> language{};  // as it stands: two letters, or three packed
  std::array<char, 2> country{};
  std::uint8_t orientation = 0;
  std::uint8_t touchscreen = 0;
  std::uint16_t density = 0;  // dots per inch
  std::uint8_t keyboard = 0;
  std::uint8_t navigation = 0;
  std::uint8_t keys_hidden = 0;
  std::uint8_t navigation_hidden = 0;
  std::uint16_t width_pixels = 0;
  std::uint16_t height_pixels = 0;
  std::uint16_t sdk = 0;
  std::uint8_t screen_size = 0;
  std::uint8_t screen_long = 0;
  std::uint8_t layout_direction = 0;
  std::uint8_t mode_type = 0;
  std::uint8_t mode_night = 0;
  std::uint16_t smallest_width = 0;  // dp
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint8_t round = 0;
  std::uint8_t wide_gamut = 0;
  std::uint8_t hdr = 0;

  bool operator==(const Configuration&) const = default;
  // Whether a device takes values that are for this configuration.
  bool suits(const Configuration& device) const;
  // Whether a device that both suit takes this one rather than `other`.
  bool better_than(const Configuration& other, const Configuration& device) const;
};

// A ResTable_config of any version; what it is too short for is zero.
Configuration read_configuration(ByteView bytes);

// What the installer asks with when it reads a manifest: nothing is known but the newest version.
inline constexpr std::uint16_t kNewestSdk = 0x7fff;
inline constexpr Configuration kInstaller{.sdk = kNewestSdk};
// A phone of today, in American English.
inline constexpr Configuration kPhone{.language = {'e', 'n'},
                                      .country = {'U', 'S'},
                                      .orientation = 1,
                                      .touchscreen = 3,
                                      .density = 420,
                                      .keyboard = 1,
                                      .navigation = 1,
                                      .keys_hidden = 3,
                                      .navigation_hidden = 2,
                                      .width_pixels = 1080,
                                      .height_pixels = 2400,
                                      .sdk = kNewestSdk,
                                      .screen_size = 2,
                                      .screen_long = 2,
                                      .layout_direction = 1,
                                      .mode_type = 1,
                                      .mode_night = 1,
                                      .smallest_width = 411,
                                      .width = 411,
                                      .height = 891,
                                      .round = 1,
                                      .wide_gamut = 1,
                                      .hdr = 1};

}  // namespace touchmark::package::android
