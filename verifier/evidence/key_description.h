// The KeyDescription of Android Key Attestation, versions 1 (Android 7) to 500 (Android 17): what a
// phone's hardware says of a key, of itself and of the app that asked.
// Schema: https://source.android.com/docs/security/features/keystore/attestation and the comments
// of hardware/interfaces/security/keymint/aidl/.../KeyCreationResult.aidl and Tag.aidl in AOSP.
//
// All views point into the extension's bytes, which must outlive the description.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "formats/der.h"

namespace touchmark::verifier::evidence {

enum class KeyDescriptionError {
  kMalformed,     // not the DER of a KeyDescription
  kMalformedTag,  // an authorization whose value is not of its tag's type
  kDuplicateTag,  // one tag twice in a list
  kUnknownTag,    // a tag that no version up to the newest known one has
  kUnknownValue,  // a security level, origin or boot state that is not defined
};
std::string_view error_id(KeyDescriptionError error);

inline constexpr der::Oid kKeyDescriptionOid("1.3.6.1.4.1.11129.2.1.17");
// The newest version whose tags are all known here. In a description of a newer version an unknown
// tag is a warning; up to this one it is refused.
inline constexpr std::uint64_t kNewestAttestationVersion = 500;

enum class SecurityLevel { kSoftware = 0, kTrustedEnvironment = 1, kStrongBox = 2 };
enum class VerifiedBootState { kVerified = 0, kSelfSigned = 1, kUnverified = 2, kFailed = 3 };
enum class KeyOrigin {
  kGenerated = 0,
  kDerived = 1,
  kImported = 2,
  kReserved = 3,
  kSecurelyImported = 4
};
// As Google's verifier spells them: "TRUSTED_ENVIRONMENT", "SELF_SIGNED", "GENERATED".
std::string_view to_string(SecurityLevel level);
std::string_view to_string(VerifiedBootState state);
std::string_view to_string(KeyOrigin origin);

struct RootOfTrust {
  ByteView verified_boot_key;
  bool device_locked = false;
  VerifiedBootState verified_boot_state = VerifiedBootState::kFailed;
  std::optional<ByteView> verified_boot_hash;  // since version 3
};

struct AttestationPackage {
  ByteView name;  // UTF-8
  std::uint64_t version = 0;
};

struct AttestationApplicationId {
  std::vector<AttestationPackage> packages;  // all that share the app's user id
  std::vector<ByteView> signature_digests;   // SHA-256 of signer certificates
};

// YYYYMM or YYYYMMDD as a decimal number.
struct PatchLevel {
  std::uint32_t value = 0;
  bool operator==(const PatchLevel&) const = default;
};

struct AuthorizationList {
  using Integer = std::optional<std::uint64_t>;
  using IntegerSet = std::optional<std::vector<std::uint64_t>>;
  using Octets = std::optional<ByteView>;

  IntegerSet purpose, block_mode, digest, padding, kdf, mgf_digest, user_secure_id;
  Integer algorithm, key_size, min_mac_length, ec_curve, ml_dsa_variant, rsa_public_exponent;
  Integer hardware_type, active_date_time, origination_expire_date_time, usage_expire_date_time;
  Integer min_seconds_between_ops, max_uses_per_boot, usage_count_limit, user_id, user_auth_type;
  Integer auth_timeout, creation_date_time, os_version;
  bool caller_nonce = false, ecies_single_hash_mode = false, include_unique_id = false;
  bool blob_usage_requirements = false, bootloader_only = false, rollback_resistance = false;
  bool early_boot_only = false, all_users = false, no_auth_required = false;
  bool allow_while_on_body = false, trusted_user_presence_required = false;
  bool trusted_confirmation_required = false, unlocked_device_required = false;
  bool all_applications = false, exportable = false, rollback_resistant = false;
  bool device_unique_attestation = false, identity_credential_key = false, storage_key = false;
  Octets application_id, application_data, unique_id, attestation_challenge;
  Octets attestation_id_brand, attestation_id_device, attestation_id_product;
  Octets attestation_id_serial, attestation_id_imei, attestation_id_meid;
  Octets attestation_id_manufacturer, attestation_id_model, attestation_id_second_imei;
  Octets module_hash;
  std::optional<KeyOrigin> origin;
  std::optional<RootOfTrust> root_of_trust;
  std::optional<PatchLevel> os_patch_level, vendor_patch_level, boot_patch_level;
  std::optional<AttestationApplicationId> attestation_application_id;

  // Tags that are not known, of a version newer than kNewestAttestationVersion.
  std::vector<std::pair<std::uint32_t, ByteView>> unknown;
  bool tags_ordered = true;
};

struct KeyDescription {
  std::uint64_t attestation_version = 0;
  SecurityLevel attestation_security_level = SecurityLevel::kSoftware;
  std::uint64_t key_mint_version = 0;
  SecurityLevel key_mint_security_level = SecurityLevel::kSoftware;
  ByteView attestation_challenge;
  ByteView unique_id;
  AuthorizationList software_enforced;  // said by Android, which the attacker may own
  AuthorizationList hardware_enforced;  // said by the secure environment

  // "id: text": what a strict reader would not have taken.
  std::vector<std::string> warnings;
};

// `extension`: content of the extension's OCTET STRING.
Result<KeyDescription> parse_key_description(ByteView extension);

// By the names of the schema; byte strings as base64, identifiers of the device as text.
Json to_json(const KeyDescription& description);

}  // namespace touchmark::verifier::evidence
