// What an app lets pass on its connections that the platform makes: traffic without TLS, and
// servers whose certificate chains to one that the phone's user installed.
#pragma once

#include <string>
#include <vector>

namespace touchmark::package {

// To which hosts something is allowed.
struct AllowedHosts {
  bool everywhere = false;  // also where it is not to some domains
  // Only to these, in lower case; empty where everywhere. Those of a phone's own (localhost) are
  // left out, and so are all after kMaxDomains.
  std::vector<std::string> domains{};

  bool any() const { return everywhere || !domains.empty(); }
  bool operator==(const AllowedHosts&) const = default;

  static constexpr std::size_t kMaxDomains = 32;
  static constexpr std::size_t kMaxDomainBytes = 253;  // of one; a longer one is cut
};

// "yes", "no", or "for a.example, b.example".
std::string to_string(const AllowedHosts& hosts);

struct NetworkSecurity {
  AllowedHosts cleartext{};
  AllowedHosts user_certificates{};
  // A network security configuration says so, and not only manifest and target.
  bool configured = false;
  // Why the configuration that the manifest names could not be read, in one line; then the rest
  // says nothing.
  std::string unreadable{};

  bool operator==(const NetworkSecurity&) const = default;
};

}  // namespace touchmark::package
