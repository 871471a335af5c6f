#include "verifier/evidence/authorization_tags.h"

#include <algorithm>

namespace touchmark::verifier::evidence {
namespace {

using List = AuthorizationList;

// Tag.aidl of KeyMint and, for what only its predecessors had, keymaster_tags.h. Tags over 724 are
// parameters of operations and never part of a key's description.
constexpr AuthorizationTag kTags[] = {
    {1, "purpose", &List::purpose},
    {2, "algorithm", &List::algorithm},
    {3, "keySize", &List::key_size},
    {4, "blockMode", &List::block_mode},
    {5, "digest", &List::digest},
    {6, "padding", &List::padding},
    {7, "callerNonce", &List::caller_nonce},
    {8, "minMacLength", &List::min_mac_length},
    {9, "kdf", &List::kdf},
    {10, "ecCurve", &List::ec_curve},
    {11, "mlDsaVariant", &List::ml_dsa_variant},
    {200, "rsaPublicExponent", &List::rsa_public_exponent},
    {201, "eciesSingleHashMode", &List::ecies_single_hash_mode},
    {202, "includeUniqueId", &List::include_unique_id},
    {203, "mgfDigest", &List::mgf_digest},
    {301, "blobUsageRequirements", &List::blob_usage_requirements},
    {302, "bootloaderOnly", &List::bootloader_only},
    {303, "rollbackResistance", &List::rollback_resistance},
    {304, "hardwareType", &List::hardware_type},
    {305, "earlyBootOnly", &List::early_boot_only},
    {400, "activeDateTime", &List::active_date_time},
    {401, "originationExpireDateTime", &List::origination_expire_date_time},
    {402, "usageExpireDateTime", &List::usage_expire_date_time},
    {403, "minSecondsBetweenOps", &List::min_seconds_between_ops},
    {404, "maxUsesPerBoot", &List::max_uses_per_boot},
    {405, "usageCountLimit", &List::usage_count_limit},
    {500, "allUsers", &List::all_users},
    {501, "userId", &List::user_id},
    {502, "userSecureId", &List::user_secure_id},
    {503, "noAuthRequired", &List::no_auth_required},
    {504, "userAuthType", &List::user_auth_type},
    {505, "authTimeout", &List::auth_timeout},
    {506, "allowWhileOnBody", &List::allow_while_on_body},
    {507, "trustedUserPresenceRequired", &List::trusted_user_presence_required},
    {508, "trustedConfirmationRequired", &List::trusted_confirmation_required},
    {509, "unlockedDeviceRequired", &List::unlocked_device_required},
    {600, "allApplications", &List::all_applications},
    {601, "applicationId", &List::application_id},
    {602, "exportable", &List::exportable},
    {700, "applicationData", &List::application_data},
    {701, "creationDateTime", &List::creation_date_time},
    {702, "origin", &List::origin},
    {703, "rollbackResistant", &List::rollback_resistant},
    {704, "rootOfTrust", &List::root_of_trust},
    {705, "osVersion", &List::os_version},
    {706, "osPatchLevel", &List::os_patch_level},
    {707, "uniqueId", &List::unique_id},
    {708, "attestationChallenge", &List::attestation_challenge},
    {709, "attestationApplicationId", &List::attestation_application_id},
    {710, "attestationIdBrand", TextField{&List::attestation_id_brand}},
    {711, "attestationIdDevice", TextField{&List::attestation_id_device}},
    {712, "attestationIdProduct", TextField{&List::attestation_id_product}},
    {713, "attestationIdSerial", TextField{&List::attestation_id_serial}},
    {714, "attestationIdImei", TextField{&List::attestation_id_imei}},
    {715, "attestationIdMeid", TextField{&List::attestation_id_meid}},
    {716, "attestationIdManufacturer", TextField{&List::attestation_id_manufacturer}},
    {717, "attestationIdModel", TextField{&List::attestation_id_model}},
    {718, "vendorPatchLevel", &List::vendor_patch_level},
    {719, "bootPatchLevel", &List::boot_patch_level},
    {720, "deviceUniqueAttestation", &List::device_unique_attestation},
    {721, "identityCredentialKey", &List::identity_credential_key},
    {722, "storageKey", &List::storage_key},
    {723, "attestationIdSecondImei", TextField{&List::attestation_id_second_imei}},
    {724, "moduleHash", &List::module_hash},
};
static_assert(std::ranges::is_sorted(kTags, {}, &AuthorizationTag::number));

}  // namespace

std::span<const AuthorizationTag> authorization_tags() { return kTags; }

const AuthorizationTag* find_authorization_tag(std::uint32_t number) {
  const auto* at = std::ranges::lower_bound(kTags, number, {}, &AuthorizationTag::number);
  return at != std::end(kTags) && at->number == number ? at : nullptr;
}

}  // namespace touchmark::verifier::evidence
