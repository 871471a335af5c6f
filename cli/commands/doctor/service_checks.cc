// The service, and where it is met.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/doctor/certificate_end.h"
#include "cli/commands/doctor/check.h"
#include "cli/commands/doctor/time.h"
#include "cli/io/error.h"
#include "protocol/sdk_version.h"

namespace touchmark::cli::commands::doctor {
namespace {

constexpr std::int64_t kNoticeableSeconds = 5;
constexpr std::int64_t kHarmfulSeconds = 60;

std::string seen_at(const Server& server) {
  return server.certificate && !server.certificate->address.empty()
             ? " from " + server.certificate->address
             : "";
}

// Where apps pin no key, the platform's roots decide.
Findings judge_trust(const std::vector<Server>& servers) {
  Findings out;
  for (const Server& server : servers) {
    if (!server.certificate || server.certificate->trust_problem.empty()) continue;
    out.push_back(broken(
        server.domain,
        "apps pin no key, and its certificate is not trusted: " + server.certificate->trust_problem,
        "get a certificate from a public authority, or pin its key with "
        "--service-pin"));
  }
  return or_ok(std::move(out), "apps pin no key: the platform's roots decide");
}

}  // namespace

Findings judge_reach(const Facts& facts) {
  if (!facts.status && !was_refused(facts.status.error())) {
    const Error& why = facts.status.error();
    return {broken("", why.message(), advice_for(why))};
  }
  return {ok(facts.url + " answered" + seen_at(facts.own))};
}

Findings judge_operator(const Facts& facts) {
  if (!facts.status) {
    const Error& why = facts.status.error();
    if (!was_refused(why)) return {untold(facts, why)};
    return {broken("", why.message(), advice_for(why))};
  }
  const std::string who = fmt::format("{} ({})", facts.status->name, facts.status->role);
  for (const Error* why : {facts.diagnosis ? nullptr : &facts.diagnosis.error(),
                           facts.operators ? nullptr : &facts.operators.error(),
                           facts.apis ? nullptr : &facts.apis.error()}) {
    if (why != nullptr && was_refused(*why)) {
      return {broken("", who + " may not ask all of this: " + why->message(),
                     "use the profile of an admin or an auditor (--profile NAME)")};
    }
  }
  return {ok(who)};
}

Findings judge_clock(const Facts& facts) {
  if (!facts.status) return {untold(facts, facts.status.error())};
  const std::int64_t ahead = facts.clock_ahead;
  const std::int64_t size = ahead < 0 ? -ahead : ahead;
  if (size < kNoticeableSeconds) return {ok("as this machine's")};
  std::string message = fmt::format("the service's clock is {} {} of this machine's",
                                    rough(Seconds(size)), ahead < 0 ? "behind" : "ahead");
  const std::string advice =
      "set both by NTP (timedatectl set-ntp true): tokens, challenges and everything that ends go "
      "by the clock";
  if (size < kHarmfulSeconds) return {warn("", std::move(message), advice)};
  return {broken("", std::move(message), advice)};
}

Findings judge_version(const Facts& facts) {
  if (!facts.status) return {untold(facts, facts.status.error())};
  const std::string& there = facts.status->version;
  if (!facts.diagnosis && facts.diagnosis.error().is(io::CliError::kNotOffered)) {
    return {warn("", fmt::format("the service ({}) is too old to be diagnosed", there),
                 "upgrade it, and restart it where that was done already")};
  }
  if (there == facts.version) return {ok("both " + there)};
  const auto service = protocol::parse_sdk_version(there);
  const auto command = protocol::parse_sdk_version(facts.version);
  const bool service_is_older = service && command && *service < *command;
  return {warn("",
               fmt::format("the service is {}, this command is {}", there.empty() ? "?" : there,
                           facts.version),
               service_is_older ? "upgrade the service, or restart it where that was done already"
                                : "upgrade this command")};
}

Findings judge_certificate(const Facts& facts) {
  std::vector<const Server*> servers{&facts.own};
  for (const Server& server : facts.public_servers) {
    if (server.domain != facts.own.domain) servers.push_back(&server);
  }
  return judge_ends(servers, facts.now,
                    "put a new one in its place for the same key, and run `systemctl reload "
                    "touchmark` (SIGHUP), which renews the service's own by itself");
}

Findings judge_pins(const Facts& facts) {
  if (!facts.pins) return {untold(facts, facts.pins.error())};
  const std::vector<std::string>& pins = *facts.pins;
  if (pins.empty()) return judge_trust(facts.public_servers);
  std::vector<const Server*> servers;
  for (const Server& server : facts.public_servers) {
    if (server.certificate) servers.push_back(&server);
  }
  // Behind a proxy the service has a key that apps never see.
  const bool is_own_key_pinned = facts.policy && !facts.policy->behind_proxy;
  if (servers.empty() && facts.own.certificate && is_own_key_pinned) servers.push_back(&facts.own);
  Findings out;
  for (const Server* server : servers) {
    const std::string& shown = server->certificate->pin;
    if (std::ranges::find(pins, shown) != pins.end()) continue;
    out.push_back(broken(
        server->domain, "shows the key " + shown + ", which apps do not pin: they refuse it",
        "serve with the key of before, or announce this one first (`touchmark service key next`); "
        "where another server has the name, give the name back to the service"));
  }
  if (servers.empty()) out.push_back(skip("no server could be asked for its key"));
  if (pins.size() < 2) {
    out.push_back(
        warn("", "apps pin one key alone: when it is lost, they are locked out",
             "announce a spare one with --service-pin, and keep its key in a safe place"));
  }
  return or_ok(std::move(out),
               fmt::format("apps pin {} keys, and the one in use is among them", pins.size()));
}

Findings judge_public_url(const Facts& facts) {
  if (!facts.status) return {untold(facts, facts.status.error())};
  Findings out;
  if (facts.diagnosis) {
    for (const std::string& problem : facts.diagnosis->public_url_problems) {
      out.push_back(warn("", problem, "start the service with --public-url https://HOST"));
    }
  }
  for (const Server& server : facts.public_servers) {
    if (server.certificate) continue;
    out.push_back(warn(server.domain, "does not answer from here: " + server.problem,
                       "see that the name leads to the service (DNS, firewall, proxy); give "
                       "--resolve HOST=ADDRESS where it does so from elsewhere alone"));
  }
  std::string told;
  for (const std::string& url : facts.status->public_urls) told += (told.empty() ? "" : ", ") + url;
  return or_ok(std::move(out), told);
}

}  // namespace touchmark::cli::commands::doctor
