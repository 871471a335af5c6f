// The packages of the SDK for JavaScript: their names, and those of their files. Pure functions.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace touchmark::verifier::sdk {

// What stands behind the slash of each name.
inline constexpr auto kNpmPackages =
    std::to_array<std::string_view>({"capacitor", "cordova", "react-native"});

// A package of one version.
struct NpmFile {
  std::string_view package;  // of kNpmPackages
  std::string version;

  friend bool operator==(const NpmFile&, const NpmFile&) = default;
};

// "@touchmark/react-native"
std::string npm_name(std::string_view package);
// As `npm pack` calls it: "touchmark-react-native-0.1.0.tgz".
std::string npm_file_name(const NpmFile& file);
// nullopt for whatever is no such name: another package, a version that is none.
std::optional<NpmFile> parse_npm_file_name(std::string_view name);

}  // namespace touchmark::verifier::sdk
