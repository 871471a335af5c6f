// Versions of Touchmark, to tell which of two is older: https://semver.org, as far as ours need it.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace touchmark::protocol {

// Major, minor and patch, and whether it is a release: "1.2.3" is later than "1.2.3-rc.1". The
// later one is the greater.
using SdkVersion = std::array<unsigned, 4>;
// "0.1.0", "0.2.0-rc.1", "0.1.0+build"; nullopt for anything else.
std::optional<SdkVersion> parse_sdk_version(std::string_view text);

}  // namespace touchmark::protocol
