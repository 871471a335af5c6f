// Verdicts in the standards' form, for relying parties that know others' verifiers as well: an EAT
// Attestation Result (draft-ietf-rats-ear) with the trustworthiness vector of AR4SI
// (draft-ietf-rats-ar4si, section 2.3), as the claims of an EAT (RFC 9711) in JSON.
// docs/evidence.md has the table by which facts and findings become numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "verifier/policy/policy.h"

namespace touchmark::verifier::policy {

inline constexpr std::string_view kEarProfile = "tag:github.com,2023:veraison/ear";

// 0: nothing is claimed; 2 to 31 affirming, 32 to 95 a warning, 96 to 127 contraindicated.
struct TrustVector {
  std::uint8_t instance_identity = 0;  // who vouches for the installation key
  std::uint8_t configuration = 0;      // lock state, boot state, development settings
  std::uint8_t executables = 0;        // what was booted, and what the app runs
  std::uint8_t hardware = 0;
  std::uint8_t runtime_opaque = 0;  // whether others can look into the app's memory
  std::uint8_t storage_opaque = 0;  // whether the key can leave the device
  bool operator==(const TrustVector&) const = default;
};
// What the facts claim, made worse by every finding that the policy did not ignore.
TrustVector trust_vector(const Facts& facts, const Verdict& verdict);

// "affirming", "warning", "contraindicated", or "none" where nothing is claimed. A verdict that did
// not pass is contraindicated whatever the vector says.
std::string_view ear_status(const TrustVector& vector, const Verdict& verdict);

struct EarContext {
  UnixTime issued_at{};
  std::string build;                   // "touchmark 0.1.0"
  std::string policy_id{};             // a URI; empty for none
  std::optional<std::string> nonce{};  // eat_nonce; 8 to 88 characters (RFC 9711 section 4.1)
};
// The claims, unsigned; the app is submodule "app".
Json ear_claims(const Facts& facts, const Verdict& verdict, const EarContext& context);

}  // namespace touchmark::verifier::policy
