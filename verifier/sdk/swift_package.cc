#include "verifier/sdk/swift_package.h"

#include "verifier/sdk/maven.h"

namespace touchmark::verifier::sdk {
namespace {

constexpr std::string_view kBefore = "touchmark-swift-";
constexpr std::string_view kBehind = ".zip";

}  // namespace

std::string swift_file_name(std::string_view version) {
  return std::string(kBefore) + std::string(version) + std::string(kBehind);
}

std::optional<std::string> parse_swift_file_name(std::string_view name) {
  if (!name.starts_with(kBefore) || !name.ends_with(kBehind)) return std::nullopt;
  if (name.size() <= kBefore.size() + kBehind.size()) return std::nullopt;
  name.remove_prefix(kBefore.size());
  name.remove_suffix(kBehind.size());
  if (!is_library_version(name)) return std::nullopt;
  return std::string(name);
}

}  // namespace touchmark::verifier::sdk
