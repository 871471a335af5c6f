#include "cli/session.h"

#include "cli/profile.h"

namespace touchmark::cli {

std::string Session::profile() const {
  if (!options_.profile.empty()) return options_.profile;
  return environment()("TOUCHMARK_PROFILE").value_or(kDefaultProfile);
}

Result<AdminClient> Session::connect() {
  auto endpoint = resolve_endpoint(environment(), profile());
  if (!endpoint) return pass(endpoint);
  return connect_to(*endpoint);
}

AdminClient Session::connect_to(const Endpoint& endpoint) {
  return AdminClient(world_.transport(endpoint, std::chrono::seconds(options_.timeout_seconds)));
}

Result<Certificate> Session::server_certificate(const std::string& domain) {
  return world_.server_certificate(domain, options_.timeout_seconds);
}

AdminClient::Progress Session::progress(std::string what) {
  return [this, what = std::move(what)](std::uint64_t done, std::uint64_t total) {
    console().progress(what, done, total);
  };
}

}  // namespace touchmark::cli
