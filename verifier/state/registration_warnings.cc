#include "verifier/state/registration_warnings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace touchmark::verifier::state {
namespace {

// Major, minor and patch, and whether it is a release: "1.2.3" is later than "1.2.3-rc.1"
// (https://semver.org, as far as versions of Touchmark need it).
using Version = std::array<unsigned, 4>;

std::optional<Version> parse_version(std::string_view text) {
  Version out{};
  const std::size_t end = std::min(text.find_first_of("-+"), text.size());
  out[3] = end == text.size() || text[end] == '+' ? 1 : 0;
  text = text.substr(0, end);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out[i]);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (i == 2) break;
    if (!text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  return text.empty() ? std::optional(out) : std::nullopt;
}

}  // namespace

std::vector<RegistrationWarning> registration_warnings(const package::Measurement& measurement,
                                                       std::string_view version) {
  std::vector<RegistrationWarning> out;
  const auto own = parse_version(version);
  const auto sdk = parse_version(measurement.sdk_version);
  if (measurement.sdk_version.empty()) {
    out.push_back({"no-sdk",
                   "the package does not contain the Touchmark SDK, so the app cannot attest and "
                   "gets no token"});
  } else if (!sdk || (own && *sdk < *own)) {
    out.push_back({"older-sdk", "the package contains the Touchmark SDK " +
                                    shortened(measurement.sdk_version) +
                                    ", which is older than this service (" + std::string(version) +
                                    "): build it with the SDK that "
                                    "`touchmark sdk library` gives"});
  }
  if (measurement.debuggable) {
    out.push_back({"debuggable",
                   measurement.platform == "iOS"
                       ? "the package lets debuggers in (get-task-allow): it is a development "
                         "build, not a release"
                       : "the package is debuggable: anybody with the phone can attach a debugger "
                         "and change what the app does"});
  }
  return out;
}

}  // namespace touchmark::verifier::state
