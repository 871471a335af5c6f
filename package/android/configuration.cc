#include "package/android/configuration.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/endian.h"

namespace touchmark::package::android {
namespace {

constexpr std::uint16_t kMediumDensity = 160;
constexpr std::uint16_t kAnyDensity = 0xfffe;

// Fields that a device must have exactly, in the order in which they decide.
constexpr std::uint16_t Configuration::*kNetwork[] = {&Configuration::mcc, &Configuration::mnc};
constexpr std::uint8_t Configuration::*kExactBeforeDensity[] = {
    &Configuration::round,       &Configuration::wide_gamut, &Configuration::hdr,
    &Configuration::orientation, &Configuration::mode_type,  &Configuration::mode_night};
constexpr std::uint8_t Configuration::*kExactAfterDensity[] = {
    &Configuration::touchscreen, &Configuration::keys_hidden, &Configuration::navigation_hidden,
    &Configuration::keyboard, &Configuration::navigation};
// Fields that say how much a device must have at least; more is nearer to what it has.
constexpr std::uint16_t Configuration::*kAtLeast[] = {
    &Configuration::smallest_width, &Configuration::width,         &Configuration::height,
    &Configuration::width_pixels,   &Configuration::height_pixels, &Configuration::sdk};

bool exact(const auto& wanted, const auto& there) {
  return wanted == std::remove_cvref_t<decltype(wanted)>{} || wanted == there;
}

// Of two values of one field, the one that says something is better, where the device does too.
template <class Field>
std::optional<bool> more_specific(const Field& mine, const Field& other, const Field& device) {
  if (mine == other || device == Field{}) return std::nullopt;
  return mine != Field{};
}

// The density that has to be scaled least, where scaling down costs less than scaling up.
bool better_density(std::uint16_t mine, std::uint16_t other, std::uint16_t device) {
  const auto known = [](std::uint16_t density) -> std::int64_t {
    return density == 0 ? kMediumDensity : density;
  };
  if (mine == kAnyDensity || other == kAnyDensity) return mine == kAnyDensity;
  const std::int64_t wanted = device == kAnyDensity ? kMediumDensity : known(device);
  const std::int64_t high = std::max(known(mine), known(other));
  const std::int64_t low = std::min(known(mine), known(other));
  const bool mine_is_higher = known(mine) > known(other);
  if (wanted >= high) return mine_is_higher;
  if (low >= wanted) return !mine_is_higher;
  return (((2 * low) - wanted) * high > wanted * wanted) != mine_is_higher;
}

}  // namespace

bool Configuration::suits(const Configuration& device) const {
  for (const auto field : kNetwork) {
    if (!exact(this->*field, device.*field)) return false;
  }
  if (!exact(language, device.language) || !exact(country, device.country)) return false;
  if (!exact(layout_direction, device.layout_direction) ||
      !exact(screen_long, device.screen_long) || screen_size > device.screen_size) {
    return false;
  }
  for (const auto field : kExactBeforeDensity) {
    if (!exact(this->*field, device.*field)) return false;
  }
  for (const auto field : kExactAfterDensity) {
    if (!exact(this->*field, device.*field)) return false;
  }
  return std::ranges::none_of(kAtLeast,
                              [&](const auto field) { return this->*field > device.*field; });
}

bool Configuration::better_than(const Configuration& other, const Configuration& device) const {
  for (const auto field : kNetwork) {
    if (const auto better = more_specific(this->*field, other.*field, device.*field))
      return *better;
  }
  if (const auto better = more_specific(language, other.language, device.language)) return *better;
  if (const auto better = more_specific(country, other.country, device.country)) return *better;
  if (const auto better =
          more_specific(layout_direction, other.layout_direction, device.layout_direction)) {
    return *better;
  }
  if (smallest_width != other.smallest_width) return smallest_width > other.smallest_width;
  // Both suit, so neither is larger than the device: the larger sum leaves less of it unused.
  const unsigned mine_dp = unsigned{width} + height;
  const unsigned other_dp = unsigned{other.width} + other.height;
  if (mine_dp != other_dp) return mine_dp > other_dp;
  if (screen_size != other.screen_size && device.screen_size != 0) {
    return screen_size > other.screen_size;
  }
  if (const auto better = more_specific(screen_long, other.screen_long, device.screen_long)) {
    return *better;
  }
  for (const auto field : kExactBeforeDensity) {
    if (const auto better = more_specific(this->*field, other.*field, device.*field))
      return *better;
  }
  if (density != other.density) return better_density(density, other.density, device.density);
  for (const auto field : kExactAfterDensity) {
    if (const auto better = more_specific(this->*field, other.*field, device.*field))
      return *better;
  }
  const unsigned mine_pixels = unsigned{width_pixels} + height_pixels;
  const unsigned other_pixels = unsigned{other.width_pixels} + other.height_pixels;
  if (mine_pixels != other_pixels) return mine_pixels > other_pixels;
  return sdk > other.sdk;
}

Configuration read_configuration(ByteView bytes) {
  const auto number8 = [&](std::size_t at) {
    return at < bytes.size() ? std::to_integer<std::uint8_t>(bytes[at]) : std::uint8_t{0};
  };
  const auto number16 = [&](std::size_t at) {
    return at + 2 <= bytes.size() ? le16(bytes, at) : std::uint16_t{0};
  };
  const auto letters = [&](std::size_t at) {
    return std::array{static_cast<char>(number8(at)), static_cast<char>(number8(at + 1))};
  };
  const auto bits = [](std::uint8_t value, unsigned shift, unsigned mask) {
    return static_cast<std::uint8_t>(value >> shift & mask);
  };
  Configuration out;
  out.mcc = number16(4);
  out.mnc = number16(6);
  out.language = letters(8);
  out.country = letters(10);
  out.orientation = number8(12);
  out.touchscreen = number8(13);
  out.density = number16(14);
  out.keyboard = number8(16);
  out.navigation = number8(17);
  out.keys_hidden = bits(number8(18), 0, 3);
  out.navigation_hidden = bits(number8(18), 2, 3);
  out.width_pixels = number16(20);
  out.height_pixels = number16(22);
  out.sdk = number16(24);
  out.screen_size = bits(number8(28), 0, 0xf);
  out.screen_long = bits(number8(28), 4, 3);
  out.layout_direction = bits(number8(28), 6, 3);
  out.mode_type = bits(number8(29), 0, 0xf);
  out.mode_night = bits(number8(29), 4, 3);
  out.smallest_width = number16(30);
  out.width = number16(32);
  out.height = number16(34);
  out.round = bits(number8(48), 0, 3);
  out.wide_gamut = bits(number8(49), 0, 3);
  out.hdr = bits(number8(49), 2, 3);
  return out;
}

}  // namespace touchmark::package::android
