// Apple App Attest: verifies attestations (once per key) and assertions (once per request).
// https://developer.apple.com/documentation/devicecheck/validating-apps-that-connect-to-your-server
//
// Both take the client data hash, not the challenge: what the app put into its client data, and how
// it hashed it, is between the app and its server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "pki/issuer_chain.h"
#include "verifier/evidence/app_attest_receipt.h"
#include "verifier/evidence/authenticator_data.h"

namespace touchmark::verifier::evidence {

// Beside these a refusal can be one of chain.*, certificate.*, authenticator-data.*, receipt.*,
// cms.*.
enum class AppAttestError {
  kTooLarge,
  kMalformed,           // not the CBOR of an attestation or assertion
  kWrongFormat,         // fmt is not apple-appattest
  kNonceMissing,        // the certificate has no nonce extension
  kNonceMismatch,       // made for other client data, or the authenticator data was changed
  kKeyIdMismatch,       // the key id is not the hash of the certified key, or not the expected one
  kKeyMismatch,         // the credential's key is not the certified one
  kWrongAppId,          // made by another app
  kWrongEnvironment,    // development where production is expected, or the reverse
  kUnknownEnvironment,  // neither
  kCounterNotZero,      // of an attestation
  kCounterReplayed,     // of an assertion: not above the one before
  kBadSignature,        // of an assertion
  kReceiptMismatch,     // the receipt is not of this attestation
};
std::string_view error_id(AppAttestError error);

enum class AppAttestEnvironment { kDevelopment, kProduction };
std::string_view to_string(AppAttestEnvironment environment);

inline constexpr std::size_t kMaxAppAttestBytes = 64 * 1024;

struct AttestationRequest {
  UnixTime as_of{};
  Bytes client_data_hash;               // as the app passed it to attestKey
  std::optional<std::string> app_id{};  // "<team id>.<bundle id>"; unchecked when absent
  std::optional<Bytes> key_id{};        // 32 bytes; unchecked when absent
  std::optional<AppAttestEnvironment> environment{};  // either when absent
};

struct AppAttestAttestation {
  AppAttestAttestation() = default;
  AppAttestAttestation(AppAttestAttestation&&) = default;
  AppAttestAttestation& operator=(AppAttestAttestation&&) = default;

  std::optional<Error> refusal;       // nullopt: verified
  std::vector<std::string> warnings;  // "id: text"
  bool verified() const { return !refusal.has_value(); }

  Bytes object;              // as given; what follows points into it
  std::vector<Bytes> chain;  // leaf first
  std::optional<pki::Certificate> leaf;
  std::optional<AuthenticatorData> authenticator_data;
  std::optional<AppAttestEnvironment> environment;
  ByteView receipt_bytes;  // to be kept: it is sent to Apple for a risk metric; may be empty
  std::optional<AppAttestReceipt> receipt;

  // DER SubjectPublicKeyInfo of the attested key: what assertions are verified with.
  ByteView public_key() const { return leaf ? leaf->spki : ByteView(); }
  // SHA-256 of the key's point.
  ByteView key_id() const;
};
Json to_json(const AppAttestAttestation& attestation);

// Thread-safe; keep one, for its cache of issuers.
class AttestationVerifier {
 public:
  explicit AttestationVerifier(pki::TrustRoots roots = pki::TrustRoots::apple_app_attest(),
                               pki::TrustRoots receipt_roots = pki::TrustRoots::apple_receipts())
      : issuers_(std::move(roots), 16), receipts_(std::move(receipt_roots)) {}

  AppAttestAttestation verify(Bytes object, const AttestationRequest& request) const;

 private:
  Result<void> check(AppAttestAttestation& result, const AttestationRequest& request) const;
  Result<void> check_chain(AppAttestAttestation& result, UnixTime as_of) const;
  Result<void> check_receipt(AppAttestAttestation& result, const AttestationRequest& request) const;

  pki::IssuerVerifier issuers_;
  ReceiptVerifier receipts_;
};

struct AssertionRequest {
  ByteView client_data_hash;  // as the app passed it to generateAssertion
  std::optional<std::string_view> app_id{};
  // Counter of the key's last accepted assertion, 0 after the attestation; nullopt: unchecked. The
  // caller stores the new one by compare-and-set, so that two replicas cannot both accept it.
  std::optional<std::uint32_t> previous_counter{};
};

struct AppAttestAssertion {
  AppAttestAssertion() = default;
  AppAttestAssertion(AppAttestAssertion&&) = default;
  AppAttestAssertion& operator=(AppAttestAssertion&&) = default;

  std::optional<Error> refusal;
  bool verified() const { return !refusal.has_value(); }
  std::optional<AuthenticatorData> authenticator_data;  // points into the object
  ByteView signature;
};
Json to_json(const AppAttestAssertion& assertion);

// `key`: of the attestation. `object` must outlive the result.
AppAttestAssertion verify_assertion(ByteView object, const pki::PublicKey& key,
                                    const AssertionRequest& request);

}  // namespace touchmark::verifier::evidence
