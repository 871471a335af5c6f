#include "cli/commands/command_context.h"

#include <sys/stat.h>

#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/service/profile.h"

namespace touchmark::cli::commands {
namespace {

constexpr std::int64_t kFollowEvery = 86400;  // seconds

}  // namespace

std::string Session::profile() const {
  if (!options_.profile.empty()) return options_.profile;
  return environment()("TOUCHMARK_PROFILE").value_or(service::kDefaultProfile);
}

Result<service::AdminClient> Session::connect() {
  auto endpoint = service::resolve_endpoint(environment(), profile());
  if (!endpoint) return pass(endpoint);
  used_profile_ = !environment()("TOUCHMARK_URL") && !environment()("TOUCHMARK_TOKEN") &&
                  !environment()("TOUCHMARK_PIN");
  return connect_to(*endpoint);
}

Result<service::AdminClient> Session::connect_within(std::chrono::seconds limit) {
  auto endpoint = service::resolve_endpoint(environment(), profile());
  if (!endpoint) return pass(endpoint);
  return service::AdminClient(world_.transport(*endpoint, limit));
}

service::AdminClient Session::connect_to(const service::Endpoint& endpoint,
                                         int least_timeout_seconds) {
  return service::AdminClient(world_.transport(
      endpoint, std::chrono::seconds(std::max(options_.timeout_seconds, least_timeout_seconds))));
}

std::vector<std::string> announced_pins(const Json& answer, const char* name) {
  constexpr std::size_t kMostPins = 16;
  std::vector<std::string> out;
  const Json* pins = find_array(answer, name);
  if (pins == nullptr || pins->size() > kMostPins) return out;
  for (const Json& pin : *pins) {
    auto parsed = service::parse_pin(pin.is_string() ? pin.get<std::string>() : std::string());
    if (!parsed) return {};
    out.push_back(std::move(*parsed));
  }
  return out;
}

void follow(service::Endpoint& profile, std::vector<std::string> pins) {
  const bool is_same_service = std::any_of(pins.begin(), pins.end(), [&](const std::string& pin) {
    return std::find(profile.pins.begin(), profile.pins.end(), pin) != profile.pins.end();
  });
  if (is_same_service) profile.pins = std::move(pins);
}

void Session::follow_pins() {
  if (!used_profile_) return;
  const auto path = service::profile_path(environment(), profile());
  auto stored = service::load_profile(environment(), profile());
  if (!path || !stored || stored->pins.empty()) return;
  struct stat info {};
  if (::stat(path->c_str(), &info) != 0) return;
  if (to_unix(now()) - info.st_mtime < kFollowEvery) return;
  auto who = connect_to(*stored).get("/admin/v1/whoami");
  if (who) keep_pins(announced_pins(*who));
}

void Session::keep_pins(std::vector<std::string> pins) {
  if (!used_profile_) return;
  auto stored = service::load_profile(environment(), profile());
  if (!stored || stored->pins.empty()) return;
  follow(*stored, std::move(pins));
  // The time of the file is when the service was asked.
  static_cast<void>(service::save_profile(environment(), profile(), *stored));
}

Result<service::ServedCertificate> Session::server_certificate(const std::string& domain) {
  return world_.server_certificate(domain, options_.timeout_seconds, {});
}

Result<service::ServedCertificate> Session::server_certificate_within(std::chrono::seconds limit,
                                                                      const std::string& domain,
                                                                      const std::string& address) {
  const auto seconds = std::min<std::int64_t>(limit.count(), options_.timeout_seconds);
  return world_.server_certificate(domain, static_cast<int>(seconds), address);
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
