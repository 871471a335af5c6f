#include "verifier/sdk/npm.h"

#include "verifier/sdk/maven.h"

namespace touchmark::verifier::sdk {
namespace {

constexpr std::string_view kScope = "touchmark";
constexpr std::string_view kSuffix = ".tgz";

}  // namespace

std::string npm_name(std::string_view package) {
  return "@" + std::string(kScope) + "/" + std::string(package);
}

std::string npm_file_name(const NpmFile& file) {
  return std::string(kScope) + "-" + std::string(file.package) + "-" + file.version +
         std::string(kSuffix);
}

std::optional<NpmFile> parse_npm_file_name(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  for (const std::string_view package : kNpmPackages) {
    const std::string before = std::string(kScope) + "-" + std::string(package) + "-";
    if (!name.starts_with(before)) continue;
    const std::string_view version = name.substr(before.size());
    if (is_library_version(version)) return NpmFile{package, std::string(version)};
  }
  return std::nullopt;
}

}  // namespace touchmark::verifier::sdk
