#include "verifier/state/settings.h"

#include <algorithm>

#include "base/encoding.h"
#include "protocol/idn/local_host.h"
#include "protocol/limits.h"
#include "verifier/appraisal/token.h"

namespace touchmark::verifier::state {

std::string_view error_id(SettingsError error) {
  using enum SettingsError;
  static constexpr auto kIds = error_table<SettingsError>({
      {kBadSettings, "service.bad-settings"},
  });
  return kIds[error];
}

Result<void> check_settings(const ServiceSettings& settings) {
  const auto bad = [](const std::string& message) {
    return fail(SettingsError::kBadSettings, message);
  };
  if (settings.public_urls.empty()) return bad("no public URL");
  // The bounds of what an app takes, which it is told by the signed configuration.
  const auto too_many = [&](const std::string& option, std::size_t count, std::size_t most) {
    return bad(option + ": " + std::to_string(count) + " are too many: an app takes at most " +
               std::to_string(most));
  };
  if (settings.public_urls.size() > protocol::kMaxUrls) {
    return too_many("--public-url", settings.public_urls.size(), protocol::kMaxUrls);
  }
  if (settings.service_pins.size() > protocol::kMaxPins) {
    return too_many("--service-pin (with the service's own key and its backup)",
                    settings.service_pins.size(), protocol::kMaxPins);
  }
  for (const std::string& pin : settings.service_pins) {
    if (!base64_digest(pin)) {
      return bad("--service-pin: \"" + pin + "\" is not the padded base64 of a SHA-256");
    }
  }
  if (settings.token_header.size() > protocol::kMaxHeaderText ||
      settings.token_prefix.size() > protocol::kMaxHeaderText) {
    return bad("--token-header and --token-prefix have at most " +
               std::to_string(protocol::kMaxHeaderText) + " bytes");
  }
  if (settings.token_lifetime < Seconds(2) || settings.token_lifetime > Seconds(86400)) {
    return bad("the token lifetime is not between 2 seconds and a day");
  }
  if (settings.challenge_lifetime < Seconds(5) || settings.challenge_lifetime > Seconds(3600)) {
    return bad("the challenge lifetime is not between 5 seconds and an hour");
  }
  for (const std::string& claim : settings.extra_claims) {
    if (!appraisal::is_extra_claim(claim))
      return bad("\"" + claim + "\" is not a claim that can be added");
    const bool tells_verdict = claim == "arc" || claim == "anno" || claim == "ear";
    if (tells_verdict && !settings.reveal_reasons) {
      return bad("claim \"" + claim + "\" tells the app its verdict; it needs reveal_reasons");
    }
    if (claim == "iss" && settings.issuer.empty()) return bad("claim \"iss\" needs an issuer");
    if (claim == "aud" && settings.audience.empty()) return bad("claim \"aud\" needs an audience");
  }
  return {};
}

std::vector<std::string> public_url_problems(const ServiceSettings& settings) {
  std::vector<std::string> out;
  for (const std::string& url : settings.public_urls) {
    const auto host = protocol::parse_service_url(url);
    const auto why = host ? protocol::why_local(*host) : std::nullopt;
    if (why) {
      out.push_back("apps are told " + url + ", which phones do not reach: it " +
                    std::string(*why) +
                    (settings.public_url_was_said ? "" : ", and no --public-url was given"));
    } else if (!settings.public_url_was_said) {
      out.push_back("apps are told " + url + ", which is a guess: no --public-url was given");
    }
  }
  return out;
}

}  // namespace touchmark::verifier::state
