// What an operator sets when the service starts.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "verifier/appraisal/device_evidence_settings.h"
#include "verifier/state/revocation_source.h"
#include "verifier/state/surroundings.h"
#include "verifier/store/backup_file.h"

namespace touchmark::verifier::state {

enum class SettingsError {
  kBadSettings,  // settings that cannot work; the message names the setting
};
std::string_view error_id(SettingsError error);

// What a backup is made with.
struct BackupSettings {
  std::filesystem::path folder;  // for what is being made; empty: backups are not offered
  // The keys beside the database, as they are in use now. Thread-safe.
  std::function<Result<std::vector<store::BackupPart>>()> keys;
};

// What the process does with its own TLS keys. Thread-safe; empty: it cannot.
struct KeySettings {
  // Makes the next key in the data folder, or finds it there: its pin. Empty where the service
  // serves with a key that it was given.
  std::function<Result<std::string>()> make_next;
  // Serves with the key of this pin from now on, new connections first: the one that make_next()
  // made, or the one that is where it is given its key.
  std::function<Result<void>(const std::string& pin)> promote;
};

struct ServiceSettings {
  std::vector<std::string> public_urls;  // as the SDK reaches the service, primary first
  bool public_url_was_said = true;       // false: nobody did, and it was put together
  // Base64 SHA-256 of the SPKI that clients may see: the service's own (or its proxy's) and
  // backups.
  std::vector<std::string> service_pins;
  Sha256Digest tls_spki_sha256{};        // of the certificate this process serves
  bool tls_terminated_by_proxy = false;  // explicit; turns the exporter comparison off
  Seconds token_lifetime{300};
  Seconds challenge_lifetime{120};
  std::string token_header = "Touchmark-Token";
  std::string token_prefix;
  bool allow_host_builds = false;            // accept the lab's Linux build of the SDK
  bool reveal_reasons = false;               // put ARC and reasons into attest responses
  std::size_t code_cache_bytes = 256 << 20;  // of registered code in memory, at most
  appraisal::HardwareSettings hardware;
  // How the revocation list is, for people; empty when it is switched off. Thread-safe.
  std::function<RevocationSource::Status()> revocation_status{};
  // Whether what the service keeps is still where it was opened; empty: not looked at. Thread-safe.
  std::function<Result<void>()> storage_check{};
  // Facts about the process and its machine, as they are at each call; empty: none are known.
  // Thread-safe.
  std::function<Surroundings()> surroundings{};
  // Of iss, aud, sub, iat, jti, arc, anno, ipk, lvl, ear; arc, anno and ear tell the app its
  // verdict, so they need reveal_reasons.
  std::vector<std::string> extra_claims;
  std::string issuer;
  std::string audience;
  BackupSettings backup{};
  KeySettings keys{};
};

// kBadSettings when they cannot work together.
Result<void> check_settings(const ServiceSettings& settings);

// What keeps apps in the field from this service: for each public URL that a phone does not reach,
// and where nobody said one, a sentence. None when all is well.
std::vector<std::string> public_url_problems(const ServiceSettings& settings);

}  // namespace touchmark::verifier::state
