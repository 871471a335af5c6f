#include "cli/commands/command_context.h"

#include "cli/commands/commands.h"

#include "cli/service/profile.h"

namespace touchmark::cli::commands {

std::string Session::profile() const {
  if (!options_.profile.empty()) return options_.profile;
  return environment()("TOUCHMARK_PROFILE").value_or(service::kDefaultProfile);
}

Result<service::AdminClient> Session::connect() {
  auto endpoint = service::resolve_endpoint(environment(), profile());
  if (!endpoint) return pass(endpoint);
  return connect_to(*endpoint);
}

Result<service::AdminClient> Session::connect_within(std::chrono::seconds limit) {
  auto endpoint = service::resolve_endpoint(environment(), profile());
  if (!endpoint) return pass(endpoint);
  return service::AdminClient(world_.transport(*endpoint, limit));
}

service::AdminClient Session::connect_to(const service::Endpoint& endpoint) {
  return service::AdminClient(
      world_.transport(endpoint, std::chrono::seconds(options_.timeout_seconds)));
}

Result<service::ServedCertificate> Session::server_certificate(const std::string& domain) {
  return world_.server_certificate(domain, options_.timeout_seconds);
}

service::AdminClient::Progress Session::progress(std::string what) {
  return [this, what = std::move(what)](std::uint64_t done, std::uint64_t total) {
    console().progress(what, done, total);
  };
}

line::Command* add_group(line::Command& app, const char* name, const char* description) {
  line::Command* group = app.add_subcommand(name, description);
  group->require_subcommand();
  return group;
}

}  // namespace touchmark::cli::commands
