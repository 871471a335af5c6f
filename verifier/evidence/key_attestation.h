// Android Key Attestation: verifies the certificate chain that a phone's Keystore makes for a key,
// and decodes what it says. Verification says that the chain is genuine hardware evidence, and of
// which key; whether such a phone is wanted (locked, verified boot, patch level) is for the policy.
//
// Google's rules: https://developer.android.com/privacy-and-security/security-key-attestation
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "formats/cbor.h"
#include "pki/certificate.h"
#include "pki/issuer_chain.h"
#include "pki/revocation_list.h"
#include "verifier/evidence/key_description.h"

namespace touchmark::verifier::evidence {

// Beside these a refusal can be one of chain.*, certificate.*, key-description.*.
enum class KeyAttestationError {
  kMissingExtension,        // no certificate has the KeyDescription
  kChainExtended,           // the leaf has none, but a certificate above it: an attested key has
                            // issued the leaf
  kExtensionOutsideLeaf,    // the leaf and a certificate above it have one: likewise, with a forged
                            // description
  kChallengeMismatch,       // made for another challenge
  kSecurityLevelMismatch,   // the attestation and the key are not of the same environment
  kSoftwareOnly,            // both are software's
  kCertifiedLevelMismatch,  // StrongBox is said, but the certificates do not say it, or a TEE where
                            // they say StrongBox
  kRootOfTrustMissing,      // the hardware says nothing of the boot state
  kWrongAppId,              // Android says that another app made the key
  kOriginNotGenerated,      // the key was not made in the hardware, or the hardware does not say so
  kWrongLength,             // more or fewer certificates than such a phone's chain has
};
std::string_view error_id(KeyAttestationError error);

enum class Provisioning {
  kFactory,  // batch key of the factory: certificates are never renewed, so their end is ignored
  kRemote,   // short-lived certificates from Google's service: their end counts
  kUnknown,  // likewise
};
std::string_view to_string(Provisioning provisioning);

struct KeyAttestationRequest {
  UnixTime as_of{};                  // the time at which certificates must be valid
  std::optional<Bytes> challenge{};  // must equal attestationChallenge when given
  // A package name that attestationApplicationId must hold when given. Android writes it, not the
  // hardware: it counts no more than the boot state says that Android does.
  std::optional<std::string> app_id{};
  const pki::RevocationList* revocation = nullptr;  // every certificate is looked up when given
};

// The result of one verification. What could be decoded is there even when it is refused.
// Not copyable: its views point into its own chain.
struct KeyAttestation {
  KeyAttestation() = default;
  KeyAttestation(KeyAttestation&&) = default;
  KeyAttestation& operator=(KeyAttestation&&) = default;

  std::optional<Error> refusal;       // nullopt: verified
  std::vector<std::string> warnings;  // "id: text": tolerated, worth knowing

  std::vector<Bytes> chain;  // as given, leaf first; everything below points into it
  std::optional<pki::Certificate> leaf;
  std::optional<KeyDescription> description;
  std::shared_ptr<const pki::IssuerChain>
      issuers;  // set once the signatures above the leaf are good
  Provisioning provisioning = Provisioning::kUnknown;
  // Security level that the certificates above the leaf claim; older TEE certificates claim none.
  std::optional<SecurityLevel> certified_level;
  // CBOR map of the provisioning extension (1.3.6.1.4.1.11129.2.1.30) of remote provisioning.
  std::optional<cbor::Value> provisioning_info;

  bool verified() const { return !refusal.has_value(); }
  // The attested key, DER SubjectPublicKeyInfo of any algorithm; empty when there is no leaf.
  ByteView public_key() const { return leaf ? leaf->spki : ByteView(); }
};

// {"verified","reason","detail","warnings","provisioning","certificates":[...],"keyDescription":{...}}
Json to_json(const KeyAttestation& attestation);

// Thread-safe; keep one for the life of the process, for its cache of issuers.
class KeyAttestationVerifier {
 public:
  explicit KeyAttestationVerifier(pki::TrustRoots roots = pki::TrustRoots::google(),
                                  std::size_t cache_size = 1024)
      : issuers_(std::move(roots), cache_size) {}

  // `chain`: DER certificates, leaf first, with or without the root.
  KeyAttestation verify(std::vector<Bytes> chain, const KeyAttestationRequest& request) const;

 private:
  Result<void> check(KeyAttestation& result, const KeyAttestationRequest& request) const;
  Result<void> check_leaf_issuer(KeyAttestation& result) const;

  pki::IssuerVerifier issuers_;
};

}  // namespace touchmark::verifier::evidence
