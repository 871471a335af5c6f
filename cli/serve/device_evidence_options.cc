#include "cli/serve/device_evidence_options.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"

namespace touchmark::cli::serve {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::string_view kRevocationOff = "off";
constexpr std::size_t kTeamIdSize = 10;
// A list is asked for this often at most, and a file is read; oftener where it may not become old,
// so that a failure or two do not make it so.
constexpr Seconds kServerRefresh{3600};
constexpr Seconds kFileRefresh{300};

Result<pki::TrustRoots> read_roots(const std::string& path) {
  const auto bytes = read_file(path, kMaxFile);
  if (!bytes) return pass(bytes);
  auto roots = pki::TrustRoots::parse(as_text(*bytes));
  if (!roots) {
    return fail(HardwareOptionError::kBadRoots,
                "--hardware-roots: " + path + ": " + roots.error().message());
  }
  return roots;
}

Result<std::map<std::string, verifier::evidence::PlayIntegrityKeys>> read_play_keys(
    const std::string& path) {
  const auto bad = [&path](const std::string& what) {
    return fail(HardwareOptionError::kBadPlayKeys, "--play-integrity-keys: " + path + ": " + what);
  };
  const auto bytes = read_file(path, kMaxFile);
  if (!bytes) return pass(bytes);
  const auto json = parse_json(as_text(*bytes), {.max_bytes = kMaxFile, .max_depth = 4});
  if (!json) return bad(json.error().message());
  if (!json->is_object()) return bad("not an object of package names");
  std::map<std::string, verifier::evidence::PlayIntegrityKeys> out;
  for (const auto& [package, member] : json->items()) {
    const auto decryption = get_string(member, "decryption_key");
    if (!decryption) return bad(package + ": " + decryption.error().message());
    const auto verification = get_string(member, "verification_key");
    if (!verification) return bad(package + ": " + verification.error().message());
    auto keys = verifier::evidence::PlayIntegrityKeys::parse(*decryption, *verification);
    if (!keys) return bad(package + ": " + keys.error().message());
    out.emplace(package, std::move(*keys));
  }
  return out;
}

}  // namespace

std::string_view error_id(HardwareOptionError error) {
  using enum HardwareOptionError;
  static constexpr auto kIds = error_table<HardwareOptionError>({
      {kBadRoots, "hardware-option.bad-roots"},
      {kBadPlayKeys, "hardware-option.bad-play-keys"},
      {kBadAppId, "hardware-option.bad-app-id"},
      {kBadMaxAge, "hardware-option.bad-max-age"},
      {kNoRevocation, "hardware-option.no-revocation"},
  });
  return kIds[error];
}

bool is_app_id(std::string_view text) {
  constexpr std::string_view kTeamCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return text.size() > kTeamIdSize + 1 && text[kTeamIdSize] == '.' &&
         text.substr(0, kTeamIdSize).find_first_not_of(kTeamCharacters) == text.npos;
}

Result<std::optional<verifier::state::RevocationSettings>> revocation_settings(
    const HardwareOptions& options, const std::filesystem::path& cache) {
  if (options.revocation == kRevocationOff) {
    if (options.revocation_required) {
      return fail(HardwareOptionError::kNoRevocation,
                  "--revocation-required needs a list, and --revocation is off");
    }
    return std::nullopt;
  }
  const auto max_age = parse_duration(options.revocation_max_age);
  if (!max_age) {
    return fail(HardwareOptionError::kBadMaxAge,
                "--revocation-max-age: " + max_age.error().message());
  }
  verifier::state::RevocationSettings out;
  out.location = options.revocation == "google" ? std::string(verifier::state::kGoogleRevocationUrl)
                                                : options.revocation;
  out.max_age = *max_age;
  out.retries.attempts = 1;  // the next refresh is soon
  out.fail_closed = options.revocation_required;
  const bool is_url = out.location.starts_with("https://");
  if (is_url) out.cache = cache;
  out.refresh_interval =
      std::clamp(*max_age / 4, Seconds(1), is_url ? kServerRefresh : kFileRefresh);
  return out;
}

Result<verifier::appraisal::HardwareSettings> read_hardware_settings(
    const HardwareOptions& options) {
  verifier::appraisal::HardwareSettings out;
  if (!options.more_roots.empty()) {
    auto roots = read_roots(options.more_roots);
    if (!roots) return pass(roots);
    out.more_roots = std::move(*roots);
  }
  if (!options.play_integrity_keys.empty()) {
    auto keys = read_play_keys(options.play_integrity_keys);
    if (!keys) return pass(keys);
    out.play_integrity = std::move(*keys);
  }
  for (const std::string& id : options.ios_app_ids) {
    if (!is_app_id(id)) {
      return fail(
          HardwareOptionError::kBadAppId,
          "--ios-app-id: \"" + id + "\" is not TEAMID.BUNDLEID, as in ABCDE12345.com.example");
    }
  }
  out.ios_app_ids = options.ios_app_ids;
  return out;
}

}  // namespace touchmark::cli::serve
