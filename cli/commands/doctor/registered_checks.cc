// What operators registered: APIs, apps, certificates, and the operators themselves.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/doctor/certificate_end.h"
#include "cli/commands/doctor/check.h"
#include "cli/commands/doctor/time.h"
#include "cli/io/text.h"
#include "protocol/sdk_version.h"

namespace touchmark::cli::commands::doctor {
namespace {

constexpr Seconds kNoticeTime{14 * 86400};

bool has(const std::vector<std::string>& pins, const std::string& pin) {
  return std::ranges::find(pins, pin) != pins.end();
}

UnixTime service_time(const Facts& facts) { return facts.now + Seconds(facts.clock_ahead); }

bool is_over(const LastingFacts& one, UnixTime now) { return one.expires && *one.expires <= now; }

struct Advice {
  std::string ended;
  std::string ends;
};

Findings judge_lasting(const std::vector<LastingFacts>& all, UnixTime now, const Advice& advice,
                       const std::string& well) {
  Findings out;
  for (const LastingFacts& one : all) {
    if (!one.expires) continue;
    const std::string at = io::local_time(*one.expires);
    if (is_over(one, now)) {
      out.push_back(warn(one.name, "ended " + at, advice.ended));
    } else if (ends_soon(one.created, *one.expires, now, kNoticeTime)) {
      out.push_back(warn(one.name, fmt::format("ends in {}, {}", rough(*one.expires - now), at),
                         advice.ends));
    }
  }
  return or_ok(std::move(out), well);
}

void judge_pins_of(const ApiFacts& api, Findings& out) {
  if (!api.server.certificate) return;  // api.answer says so
  const service::ServedCertificate& shown = *api.server.certificate;
  const std::string renew =
      "`touchmark api add " + api.domain + "` reads the key that is shown now";
  if (api.pins.empty()) {
    if (shown.trust_problem.empty()) return;
    out.push_back(broken(
        api.domain, "no pin is set, and its certificate is not trusted: " + shown.trust_problem,
        "get a certificate from a public authority, or pin the key: " + renew));
    return;
  }
  const auto retiring = std::ranges::find(api.retiring, shown.pin, &ApiFacts::Retiring::pin);
  if (has(api.pins, shown.pin)) {
    if (api.pins.size() > 1) return;
    out.push_back(warn(
        api.domain, "apps pin one key alone: when it is lost, they are locked out",
        "add the pin of a spare key: `touchmark api add " + api.domain + " --backup-pin PIN`"));
  } else if (retiring != api.retiring.end()) {
    out.push_back(
        warn(api.domain,
             "shows a key that apps accept until " + io::local_time(retiring->until) + " only",
             "serve with the new key until then, or: " + renew));
  } else {
    out.push_back(broken(api.domain,
                         "shows the key " + shown.pin + ", which apps do not pin: they refuse it",
                         "serve with a pinned key; where the change was meant, " + renew));
  }
}

}  // namespace

Findings judge_api_answers(const Facts& facts) {
  if (!facts.apis) return {untold(facts, facts.apis.error())};
  if (facts.apis->empty()) {
    return {warn("", "no API is protected", "name one: `touchmark api add api.example.com`")};
  }
  Findings out;
  for (const ApiFacts& api : *facts.apis) {
    if (api.server.certificate) continue;
    out.push_back(broken(api.domain, "does not answer from here: " + api.server.problem,
                         "start it, or `touchmark api remove " + api.domain +
                             "`; give --resolve "
                             "HOST=ADDRESS where it answers elsewhere alone"));
  }
  return or_ok(std::move(out), facts.apis->size() == 1
                                   ? "it answers"
                                   : fmt::format("all {} answer", facts.apis->size()));
}

Findings judge_api_pins(const Facts& facts) {
  if (!facts.apis) return {untold(facts, facts.apis.error())};
  Findings out;
  bool none = true;
  for (const ApiFacts& api : *facts.apis) {
    none = none && !api.server.certificate;
    judge_pins_of(api, out);
  }
  if (none) return {skip("no API could be asked for its key")};
  return or_ok(std::move(out), "each shows a key that apps take, and has a spare one");
}

Findings judge_api_certificates(const Facts& facts) {
  if (!facts.apis) return {untold(facts, facts.apis.error())};
  std::vector<const Server*> servers;
  for (const ApiFacts& api : *facts.apis) servers.push_back(&api.server);
  return judge_ends(servers, facts.now, "renew it there, for the same key");
}

Findings judge_apps(const Facts& facts) {
  if (!facts.apps) return {untold(facts, facts.apps.error())};
  const UnixTime now = service_time(facts);
  const auto in_force = std::ranges::count_if(
      *facts.apps, [now](const AppFacts& app) { return !is_over(app.lasting, now); });
  if (in_force > 0) return {ok(fmt::format("{} in force", in_force))};
  if (facts.signers && !facts.signers->empty()) return {ok("by their signing certificates")};
  return {warn("", "no app is registered: nothing gets a valid token",
               "`touchmark registration add app-release.apk` registers one")};
}

Findings judge_sdk(const Facts& facts) {
  if (!facts.apps) return {untold(facts, facts.apps.error())};
  if (!facts.status) return {untold(facts, facts.status.error())};
  const auto own = protocol::parse_sdk_version(facts.status->version);
  const UnixTime now = service_time(facts);
  Findings out;
  bool tells = facts.apps->empty();
  for (const AppFacts& app : *facts.apps) {
    if (is_over(app.lasting, now)) continue;
    if (!app.sdk) continue;
    tells = true;
    const std::string build =
        "build the app with what `touchmark sdk library` gives, and register "
        "the new release";
    if (app.sdk->empty()) {
      out.push_back(
          warn(app.lasting.name, "has no Touchmark SDK, and never asks for a token", build));
      continue;
    }
    const auto sdk = protocol::parse_sdk_version(*app.sdk);
    if (!sdk || (own && *sdk < *own)) {
      out.push_back(warn(app.lasting.name,
                         fmt::format("has the SDK {}, older than the service ({})", *app.sdk,
                                     facts.status->version),
                         build + "; remove releases that nobody has any longer"));
    } else if (own && *own < *sdk) {
      out.push_back(warn(app.lasting.name,
                         fmt::format("has the SDK {}, newer than the service ({}), which refuses "
                                     "findings that it does not know",
                                     *app.sdk, facts.status->version),
                         "upgrade the service before the apps"));
    }
  }
  if (!tells) return {skip("the service does not tell: it is older, or no release is in force")};
  return or_ok(std::move(out), "none is older than the service");
}

Findings judge_app_ends(const Facts& facts) {
  if (!facts.apps) return {untold(facts, facts.apps.error())};
  std::vector<LastingFacts> all;
  for (const AppFacts& app : *facts.apps) all.push_back(app.lasting);
  return judge_lasting(all, service_time(facts),
                       {"its app gets no valid token any longer; `touchmark registration remove` "
                        "takes it off the list, `registration expire --never` brings it back",
                        "`touchmark registration expire --after DURATION` gives it longer"},
                       "none");
}

Findings judge_signer_ends(const Facts& facts) {
  if (!facts.signers) return {untold(facts, facts.signers.error())};
  return judge_lasting(
      *facts.signers, service_time(facts),
      {"what it signed counts as unknown; `touchmark registration remove` takes it "
       "off the list",
       "`touchmark registration expire --after DURATION` gives it longer"},
      "none");
}

Findings judge_operator_ends(const Facts& facts) {
  if (!facts.operators) return {untold(facts, facts.operators.error())};
  return judge_lasting(*facts.operators, service_time(facts),
                       {"`touchmark operator revoke` takes it off the list",
                        "`touchmark operator revoke` and `operator add` give a new token"},
                       "none");
}

}  // namespace touchmark::cli::commands::doctor
