// The options of `touchmark serve` about hardware evidence.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "verifier/appraisal/device_evidence_settings.h"
#include "verifier/state/revocation_source.h"

namespace touchmark::cli::serve {

// As given.
struct HardwareOptions {
  std::string more_roots{};           // file
  std::string play_integrity_keys{};  // file
  std::vector<std::string> ios_app_ids{};
  std::string revocation = "google";  // file, https URL, "google" or "off"
  std::string revocation_max_age = "24h";
  std::string revocation_ca{};  // file
  bool revocation_required = false;
};

// Apple's team id, ten capital letters and digits, and the id of the bundle.
bool is_app_id(std::string_view text);

// Messages name option and file.
enum class HardwareOptionError {
  kBadRoots,      // not certificates
  kBadPlayKeys,   // not {"<package>":{"decryption_key","verification_key"}}
  kBadAppId,      // not <team id>.<bundle id>
  kBadMaxAge,     // not a duration
  kNoRevocation,  // a list is required and switched off
};
std::string_view error_id(HardwareOptionError error);

// Where the revocation list comes from; nullopt when none is to be used. `cache`: keeps a fetched
// list over a restart.
Result<std::optional<verifier::state::RevocationSettings>> revocation_settings(
    const HardwareOptions& options, const std::filesystem::path& cache);

// Reads the files. Fails with HardwareOptionError, or FileError for a file that cannot be read.
Result<verifier::appraisal::HardwareSettings> read_hardware_settings(
    const HardwareOptions& options);

}  // namespace touchmark::cli::serve
