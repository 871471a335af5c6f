#include "verifier/evidence/key_attestation.h"

#include <algorithm>

namespace touchmark::verifier::evidence {
namespace {

constexpr der::Oid kProvisioningInfoOid("1.3.6.1.4.1.11129.2.1.30");

void warn(KeyAttestation& result, std::string_view id, const std::string& text) {
  result.warnings.push_back("key-attestation." + std::string(id) + ": " + text);
}

bool has_key_description(const pki::Certificate& certificate) {
  return certificate.find(kKeyDescriptionOid) != nullptr;
}

// An attested key is an ordinary signing key, so its owner can issue certificates below the genuine
// one. Only the certificate that the secure environment itself made may describe a key: the leaf.
Result<void> check_extension_position(const pki::Certificate& leaf,
                                      std::span<const pki::Certificate> above) {
  bool in_leaf = has_key_description(leaf);
  auto other = std::ranges::find_if(above, has_key_description);
  if (other != above.end()) {
    std::string which = "certificate " + std::to_string(other - above.begin() + 1);
    if (in_leaf) {
      return fail(KeyAttestationError::kExtensionOutsideLeaf,
                  "the leaf and " + which + " both describe a key");
    }
    return fail(KeyAttestationError::kChainExtended, which + " describes a key, the leaf none");
  }
  if (!in_leaf)
    return fail(KeyAttestationError::kMissingExtension, "no certificate describes a key");
  return {};
}

// Some phones leave attributes of their issuer's name out (AUM-L29 and POCOPHONE F1: the title).
bool is_part_of_name(ByteView part, ByteView whole) {
  auto few = pki::parse_name(part);
  auto all = pki::parse_name(whole);
  if (!few || !all || few->empty()) return false;
  return std::ranges::all_of(*few, [&all](const pki::NameAttribute& attribute) {
    return std::ranges::any_of(*all, [&attribute](const pki::NameAttribute& other) {
      return attribute.type == other.type && attribute.value == other.value;
    });
  });
}

Provisioning provisioning_of(const pki::IssuerChain& issuers) {
  const auto* intermediate = issuers.intermediate_subject();
  if (intermediate == nullptr) return Provisioning::kUnknown;
  if (pki::find_attribute(*intermediate, "serialNumber") != nullptr) return Provisioning::kFactory;
  const std::string* organization = pki::find_attribute(*intermediate, "O");
  const std::string* common_name = pki::find_attribute(*intermediate, "CN");
  bool is_google = organization != nullptr && *organization == "Google LLC";
  bool is_droid_ca = common_name != nullptr && common_name->starts_with("Droid CA");
  return is_google && is_droid_ca ? Provisioning::kRemote : Provisioning::kUnknown;
}

// What the certificates between leaf and root say of the key that signed the leaf: factory ones in
// the title, remotely provisioned ones in the organization. One that says TEE outweighs any that
// say StrongBox, because who holds a TEE's key could write the others.
std::optional<SecurityLevel> certified_level_of(const pki::IssuerChain& issuers) {
  std::optional<SecurityLevel> out;
  for (std::size_t i = 0; i < issuers.below_root(); ++i) {
    for (const char* type : {"title", "O"}) {
      const std::string* value = pki::find_attribute(issuers.subjects[i], type);
      if (value == nullptr) continue;
      if (*value == "TEE") return SecurityLevel::kTrustedEnvironment;
      if (*value == "StrongBox") out = SecurityLevel::kStrongBox;
    }
  }
  return out;
}

// Leaf, batch and one intermediate of the factory's; leaf, key and two intermediates of Google's
// service. One certificate more is one that an attested or a leaked key has issued: the owner of
// such a key could otherwise put an intermediate of their own, unknown to every revocation list,
// between it and the leaf.
Result<void> check_length(const pki::IssuerChain& issuers, Provisioning provisioning) {
  constexpr std::size_t kFactory = 2;  // between leaf and root
  constexpr std::size_t kRemote = 3;
  const std::size_t between = issuers.below_root();
  const bool fits = (provisioning != Provisioning::kRemote && between == kFactory) ||
                    (provisioning != Provisioning::kFactory && between == kRemote);
  if (fits) return {};
  return fail(KeyAttestationError::kWrongLength,
              "a chain of " + std::string(to_string(provisioning)) +
                  " provisioning does not have " + std::to_string(between + 2) +
                  " certificates with its root");
}

// The leaf's own times are set by the device and say nothing.
Result<void> check_times(const pki::IssuerChain& issuers, Provisioning provisioning,
                         UnixTime as_of) {
  for (std::size_t i = 0; i < issuers.below_root(); ++i) {
    const pki::Certificate& certificate = issuers.certificates[i];
    auto ok = pki::check_valid_at(certificate, as_of, "certificate " + std::to_string(i + 1));
    if (ok) continue;
    bool ignored =
        provisioning == Provisioning::kFactory && ok.error().is(pki::ChainError::kExpired);
    if (!ignored) return ok;
  }
  return {};
}

Result<void> check_revocation(const KeyAttestation& result, const pki::RevocationList& list) {
  auto leaf = pki::check_not_revoked(list, pki::serial_hex(result.leaf->serial), "the leaf");
  if (!leaf) return leaf;
  for (std::size_t i = 0; i < result.issuers->serials.size(); ++i) {
    auto ok = pki::check_not_revoked(list, result.issuers->serials[i],
                                     "certificate " + std::to_string(i + 1));
    if (!ok) return ok;
  }
  return {};
}

void read_provisioning_info(KeyAttestation& result) {
  const pki::Extension* extension = result.issuers->certificates.front().find(kProvisioningInfoOid);
  if (extension == nullptr) return;
  auto value = cbor::parse(extension->value);
  if (value && value->type == cbor::Type::kMap) {
    result.provisioning_info = std::move(*value);
  } else {
    warn(result, "provisioning-info", "the provisioning extension is not a CBOR map");
  }
}

Result<void> check_app_id(const KeyDescription& description, const std::string& app_id) {
  const auto& application = description.software_enforced.attestation_application_id;
  if (!application) {
    return fail(KeyAttestationError::kWrongAppId, "the attestation names no app");
  }
  bool named = std::ranges::any_of(application->packages, [&](const AttestationPackage& package) {
    return as_text(package.name) == app_id;
  });
  if (named) return {};
  return fail(KeyAttestationError::kWrongAppId,
              "the attestation is not of " + app_id.substr(0, 200));
}

// What makes a description hardware's: only the hardware-enforced list counts, because the other
// one is written by an operating system that the attacker may own.
Result<void> check_description(KeyAttestation& result, const KeyAttestationRequest& request) {
  const KeyDescription& description = *result.description;
  if (request.challenge &&
      as_text(description.attestation_challenge) != as_text(*request.challenge)) {
    return fail(KeyAttestationError::kChallengeMismatch,
                "the attestation is for another challenge");
  }
  if (!request.challenge) warn(result, "challenge-unchecked", "no challenge was given");
  SecurityLevel level = description.attestation_security_level;
  SecurityLevel key_level = description.key_mint_security_level;
  if (level != key_level) {
    return fail(KeyAttestationError::kSecurityLevelMismatch,
                "attestationSecurityLevel is " + std::string(to_string(level)) +
                    ", keyMintSecurityLevel " + std::string(to_string(key_level)));
  }
  if (level == SecurityLevel::kSoftware) {
    return fail(KeyAttestationError::kSoftwareOnly, "the key is held by software");
  }
  // Factories began to write TEE into their certificates with Android 9; nothing was made in
  // StrongBox before, and its certificates have always said so.
  if (result.certified_level != level &&
      (level == SecurityLevel::kStrongBox || result.certified_level.has_value())) {
    return fail(KeyAttestationError::kCertifiedLevelMismatch,
                std::string(to_string(level)) + " is said by a key that is certified as " +
                    (result.certified_level ? std::string(to_string(*result.certified_level))
                                            : "neither a TEE's nor StrongBox's"));
  }
  const AuthorizationList& hardware = description.hardware_enforced;
  if (hardware.origin != KeyOrigin::kGenerated) {
    std::string origin = hardware.origin ? std::string(to_string(*hardware.origin)) : "not said";
    return fail(KeyAttestationError::kOriginNotGenerated,
                "the hardware-enforced origin of the key is " + origin);
  }
  if (!hardware.root_of_trust) {
    return fail(KeyAttestationError::kRootOfTrustMissing,
                "the hardware-enforced list has no rootOfTrust");
  }
  if (request.app_id) return check_app_id(description, *request.app_id);
  return {};
}

}  // namespace

std::string_view error_id(KeyAttestationError error) {
  using enum KeyAttestationError;
  static constexpr auto kIds = error_table<KeyAttestationError>({
      {kMissingExtension, "key-attestation.missing-extension"},
      {kChainExtended, "key-attestation.chain-extended"},
      {kExtensionOutsideLeaf, "key-attestation.extension-outside-leaf"},
      {kChallengeMismatch, "key-attestation.challenge-mismatch"},
      {kSecurityLevelMismatch, "key-attestation.security-level-mismatch"},
      {kSoftwareOnly, "key-attestation.software-only"},
      {kCertifiedLevelMismatch, "key-attestation.certified-level-mismatch"},
      {kRootOfTrustMissing, "key-attestation.root-of-trust-missing"},
      {kWrongAppId, "key-attestation.wrong-app-id"},
      {kOriginNotGenerated, "key-attestation.origin-not-generated"},
      {kWrongLength, "key-attestation.wrong-length"},
  });
  return kIds[error];
}

std::string_view to_string(Provisioning provisioning) {
  switch (provisioning) {
    case Provisioning::kFactory:
      return "factory";
    case Provisioning::kRemote:
      return "remote";
    case Provisioning::kUnknown:
      return "unknown";
  }
  return "unknown";
}

KeyAttestation KeyAttestationVerifier::verify(std::vector<Bytes> chain,
                                              const KeyAttestationRequest& request) const {
  KeyAttestation result;
  result.chain = std::move(chain);
  if (auto ok = check(result, request); !ok) result.refusal = std::move(ok.error());
  return result;
}

Result<void> KeyAttestationVerifier::check(KeyAttestation& result,
                                           const KeyAttestationRequest& request) const {
  if (result.chain.empty()) return fail(pki::ChainError::kTooShort, "the chain is empty");
  auto leaf = pki::parse_certificate(result.chain.front(), "certificate 0");
  if (!leaf) return pass(leaf);
  result.leaf = std::move(*leaf);
  // Decoded first, so that a refused chain can be explained; judged last.
  Result<void> decoded;
  if (const pki::Extension* extension = result.leaf->find(kKeyDescriptionOid)) {
    auto description = parse_key_description(extension->value);
    if (description) {
      std::ranges::move(description->warnings, std::back_inserter(result.warnings));
      result.description = std::move(*description);
    } else {
      decoded = pass(description);
    }
  }
  auto issuers = issuers_.verify(std::span(result.chain).subspan(1));
  if (!issuers) return pass(issuers);
  result.issuers = std::move(*issuers);
  result.provisioning = provisioning_of(*result.issuers);
  result.certified_level = certified_level_of(*result.issuers);
  read_provisioning_info(result);

  if (auto ok = check_leaf_issuer(result); !ok) return ok;
  if (auto ok = check_extension_position(*result.leaf, result.issuers->certificates); !ok)
    return ok;
  if (auto ok = check_length(*result.issuers, result.provisioning); !ok) return ok;
  if (auto ok = result.issuers->check_ca(); !ok) return ok;
  if (auto ok = check_times(*result.issuers, result.provisioning, request.as_of); !ok) return ok;
  if (request.revocation != nullptr) {
    if (auto ok = check_revocation(result, *request.revocation); !ok) return ok;
  }
  if (!decoded) return decoded;
  return check_description(result, request);
}

Result<void> KeyAttestationVerifier::check_leaf_issuer(KeyAttestation& result) const {
  const pki::Certificate& leaf = *result.leaf;
  const pki::Certificate& issuer = result.issuers->certificates.front();
  if (!pki::names_equal(leaf.issuer, issuer.subject)) {
    if (!is_part_of_name(leaf.issuer, issuer.subject)) {
      return fail(pki::ChainError::kIssuerMismatch,
                  "the leaf names another issuer than certificate 1");
    }
    warn(result, "issuer-name", "the leaf names its issuer only in part");
  }
  auto algorithm = pki::parse_signature_algorithm(leaf.signature_algorithm);
  if (!algorithm) {
    return fail(pki::ChainError::kUnsupportedAlgorithm, "the leaf: " + algorithm.error().message());
  }
  auto verified =
      result.issuers->leaf_issuer_key.verify(*algorithm, leaf.signed_bytes, leaf.signature);
  if (!verified) {
    return fail(pki::ChainError::kBadSignature, "the leaf: " + verified.error().message());
  }
  return {};
}

}  // namespace touchmark::verifier::evidence
