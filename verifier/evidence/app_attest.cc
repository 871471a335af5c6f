#include "verifier/evidence/app_attest.h"

#include "crypto/digest.h"
#include "formats/cbor.h"
#include "formats/der_fields.h"

namespace touchmark::verifier::evidence {
namespace {

constexpr der::Oid kNonceOid("1.2.840.113635.100.8.2");
// Signed data with a certificate is far larger; what is shorter holds a place, and no attestation
// needs a receipt to be genuine.
constexpr std::size_t kMinReceiptBytes = 64;
constexpr std::string_view kDevelopmentAaguid = "appattestdevelop";
constexpr std::string_view kProductionAaguid("appattest\0\0\0\0\0\0\0", 16);

tl::unexpected<Error> malformed(const Error& cause) {
  return fail(AppAttestError::kMalformed, cause.text());
}

Sha256Digest nonce_of(ByteView authenticator_data, ByteView client_data_hash) {
  crypto::Sha256 hash;
  hash.update(authenticator_data);
  hash.update(client_data_hash);
  return hash.finish();
}

// {"fmt", "attStmt": {"x5c": [leaf, issuer...], "receipt"}, "authData"}
struct ObjectParts {
  ByteView format;
  std::vector<ByteView> x5c;
  ByteView receipt;
  ByteView authenticator_data;
};

Result<ObjectParts> split_object(ByteView object) {
  auto map = cbor::parse(object);
  if (!map) return malformed(map.error());
  auto format = cbor::member(*map, "fmt", cbor::Type::kText);
  if (!format) return malformed(format.error());
  auto statement = cbor::member(*map, "attStmt", cbor::Type::kMap);
  if (!statement) return malformed(statement.error());
  auto data = cbor::member(*map, "authData", cbor::Type::kBytes);
  if (!data) return malformed(data.error());
  auto x5c = cbor::member(**statement, "x5c", cbor::Type::kArray);
  if (!x5c) return malformed(x5c.error());
  auto receipt = cbor::member(**statement, "receipt", cbor::Type::kBytes);
  if (!receipt) return malformed(receipt.error());
  ObjectParts parts{(*format)->bytes, {}, (*receipt)->bytes, (*data)->bytes};
  for (const cbor::Value& certificate : (*x5c)->items) {
    if (certificate.type != cbor::Type::kBytes) {
      return fail(AppAttestError::kMalformed, "x5c holds something else than byte strings");
    }
    parts.x5c.push_back(certificate.bytes);
  }
  return parts;
}

// SEQUENCE { [1] EXPLICIT OCTET STRING }
Result<ByteView> read_nonce(const pki::Certificate& leaf) {
  const pki::Extension* extension = leaf.find(kNonceOid);
  if (extension == nullptr) {
    return fail(AppAttestError::kNonceMissing, "the certificate has no nonce extension");
  }
  der::Failure failure;
  auto outer = der::Fields::of(extension->value, der::kSequence, failure);
  auto wrapper = outer.enter(der::context(1));
  outer.finish();
  const ByteView nonce = wrapper.octets();
  wrapper.finish();
  if (failure) return malformed(failure.error());
  return nonce;
}

Result<AppAttestEnvironment> environment_of(ByteView aaguid) {
  if (as_text(aaguid) == kDevelopmentAaguid) return AppAttestEnvironment::kDevelopment;
  if (as_text(aaguid) == kProductionAaguid) return AppAttestEnvironment::kProduction;
  return fail(AppAttestError::kUnknownEnvironment, "the aaguid is of no App Attest environment");
}

Result<void> check_app_id(const AuthenticatorData& data, std::string_view app_id) {
  if (crypto::constant_time_equal(data.rp_id_hash, crypto::sha256(as_bytes(app_id)))) return {};
  return fail(AppAttestError::kWrongAppId,
              "the RP ID is not that of " + std::string(app_id.substr(0, 200)));
}

// The key that the certificate holds, the credential's and the key id must be one.
Result<void> check_key(const AppAttestAttestation& result, const AttestationRequest& request) {
  const AuthenticatorData::Credential& credential = *result.authenticator_data->credential;
  auto point = pki::spki_key_bits(result.leaf->spki);
  if (!point) return pass(point);
  if (!crypto::constant_time_equal(credential.id, crypto::sha256(*point))) {
    return fail(AppAttestError::kKeyIdMismatch,
                "the credential id is not the hash of the certified key");
  }
  if (as_text(credential.public_key) != as_text(*point)) {
    return fail(AppAttestError::kKeyMismatch, "the credential's key is not the certified one");
  }
  if (request.key_id && as_text(credential.id) != as_text(*request.key_id)) {
    return fail(AppAttestError::kKeyIdMismatch, "the attestation is of another key");
  }
  return {};
}

Result<void> check_environment(AppAttestAttestation& result, const AttestationRequest& request) {
  auto environment = environment_of(result.authenticator_data->credential->aaguid);
  if (!environment) return pass(environment);
  result.environment = *environment;
  if (request.environment && *request.environment != *environment) {
    return fail(AppAttestError::kWrongEnvironment,
                "made in the " + std::string(to_string(*environment)) + " environment");
  }
  return {};
}

}  // namespace

std::string_view error_id(AppAttestError error) {
  using enum AppAttestError;
  static constexpr auto kIds = error_table<AppAttestError>({
      {kTooLarge, "app-attest.too-large"},
      {kMalformed, "app-attest.malformed"},
      {kWrongFormat, "app-attest.wrong-format"},
      {kNonceMissing, "app-attest.nonce-missing"},
      {kNonceMismatch, "app-attest.nonce-mismatch"},
      {kKeyIdMismatch, "app-attest.key-id-mismatch"},
      {kKeyMismatch, "app-attest.key-mismatch"},
      {kWrongAppId, "app-attest.wrong-app-id"},
      {kWrongEnvironment, "app-attest.wrong-environment"},
      {kUnknownEnvironment, "app-attest.unknown-environment"},
      {kCounterNotZero, "app-attest.counter-not-zero"},
      {kCounterReplayed, "app-attest.counter-replayed"},
      {kBadSignature, "app-attest.bad-signature"},
      {kReceiptMismatch, "app-attest.receipt-mismatch"},
  });
  return kIds[error];
}

std::string_view to_string(AppAttestEnvironment environment) {
  return environment == AppAttestEnvironment::kDevelopment ? "development" : "production";
}

ByteView AppAttestAttestation::key_id() const {
  return authenticator_data && authenticator_data->credential ? authenticator_data->credential->id
                                                              : ByteView();
}

AppAttestAttestation AttestationVerifier::verify(Bytes object,
                                                 const AttestationRequest& request) const {
  AppAttestAttestation result;
  result.object = std::move(object);
  if (auto ok = check(result, request); !ok) result.refusal = std::move(ok.error());
  return result;
}

// The steps of Apple's article, in its order.
Result<void> AttestationVerifier::check(AppAttestAttestation& result,
                                        const AttestationRequest& request) const {
  if (result.object.size() > kMaxAppAttestBytes) {
    return fail(AppAttestError::kTooLarge, std::to_string(result.object.size()) + " bytes");
  }
  auto parts = split_object(result.object);
  if (!parts) return pass(parts);
  result.receipt_bytes = parts->receipt;
  for (ByteView certificate : parts->x5c) result.chain.push_back(to_bytes(certificate));
  if (as_text(parts->format) != "apple-appattest") {
    return fail(AppAttestError::kWrongFormat,
                "fmt is " + std::string(as_text(parts->format).substr(0, 40)));
  }
  auto data = parse_authenticator_data(parts->authenticator_data, /*with_credential=*/true);
  if (!data) return pass(data);
  result.authenticator_data = std::move(*data);

  if (auto ok = check_chain(result, request.as_of); !ok) return ok;
  auto nonce = read_nonce(*result.leaf);
  if (!nonce) return pass(nonce);
  if (!crypto::constant_time_equal(*nonce,
                                   nonce_of(parts->authenticator_data, request.client_data_hash))) {
    return fail(AppAttestError::kNonceMismatch,
                "the nonce is not of this authenticator data and client data hash");
  }
  if (auto ok = check_key(result, request); !ok) return ok;
  if (request.app_id) {
    if (auto ok = check_app_id(*result.authenticator_data, *request.app_id); !ok) return ok;
  } else {
    result.warnings.push_back("app-attest.app-id-unchecked: no app id was given to compare with");
  }
  if (result.authenticator_data->sign_count != 0) {
    return fail(AppAttestError::kCounterNotZero,
                "the counter is " + std::to_string(result.authenticator_data->sign_count));
  }
  if (auto ok = check_environment(result, request); !ok) return ok;
  return check_receipt(result, request);
}

Result<void> AttestationVerifier::check_chain(AppAttestAttestation& result, UnixTime as_of) const {
  if (result.chain.empty()) return fail(pki::ChainError::kTooShort, "x5c is empty");
  auto leaf = pki::parse_certificate(result.chain.front(), "certificate 0");
  if (!leaf) return pass(leaf);
  result.leaf = std::move(*leaf);
  auto issuers = issuers_.verify(std::span(result.chain).subspan(1));
  if (!issuers) return pass(issuers);
  if (auto ok = (*issuers)->check_ca(); !ok) return ok;
  if (!pki::names_equal(result.leaf->issuer, (*issuers)->certificates.front().subject)) {
    return fail(pki::ChainError::kIssuerMismatch,
                "the leaf names another issuer than certificate 1");
  }
  auto algorithm = pki::parse_signature_algorithm(result.leaf->signature_algorithm);
  if (!algorithm) {
    return fail(pki::ChainError::kUnsupportedAlgorithm, "the leaf: " + algorithm.error().message());
  }
  auto verified = (*issuers)->leaf_issuer_key.verify(*algorithm, result.leaf->signed_bytes,
                                                     result.leaf->signature);
  if (!verified) {
    return fail(pki::ChainError::kBadSignature, "the leaf: " + verified.error().message());
  }
  if (auto ok = pki::check_valid_at(*result.leaf, as_of, "the leaf"); !ok) return ok;
  for (std::size_t i = 0; i < (*issuers)->certificates.size(); ++i) {
    auto ok = pki::check_valid_at((*issuers)->certificates[i], as_of,
                                  "certificate " + std::to_string(i + 1));
    if (!ok) return ok;
  }
  return {};
}

// Apple's steps leave the receipt for later, but it is part of the object: one that is damaged, or
// of another attestation, shows that the object was put together by someone. Only of a root that is
// not known (Apple has several) and of times nothing follows.
Result<void> AttestationVerifier::check_receipt(AppAttestAttestation& result,
                                                const AttestationRequest& request) const {
  if (result.receipt_bytes.size() < kMinReceiptBytes) {
    result.warnings.push_back("app-attest.no-receipt: the object carries no receipt");
    return {};
  }
  ReceiptRequest receipt_request{.as_of = request.as_of};
  receipt_request.public_key_spki = to_bytes(result.leaf->spki);
  result.receipt = receipts_.verify(result.receipt_bytes, receipt_request);
  const AppAttestReceipt& receipt = *result.receipt;
  if (receipt.refusal) {
    const Error& error = *receipt.refusal;
    bool tolerated = error.is(pki::ChainError::kUntrustedRoot) ||
                     error.is(pki::ChainError::kExpired) ||
                     error.is(pki::ChainError::kNotYetValid) || error.is(ReceiptError::kExpired) ||
                     error.is(ReceiptError::kNotYetValid);
    if (!tolerated) return tl::unexpected<Error>(error);
    result.warnings.push_back("app-attest.receipt: " + error.text());
    return {};
  }
  if (as_text(receipt.client_hash) != as_text(request.client_data_hash) ||
      as_text(receipt.certificate) != as_text(result.leaf->encoded) ||
      (request.app_id && receipt.app_id != *request.app_id)) {
    return fail(AppAttestError::kReceiptMismatch, "the receipt is of another attestation");
  }
  return {};
}

namespace {

Result<void> check_assertion(ByteView object, const pki::PublicKey& key,
                             const AssertionRequest& request, AppAttestAssertion& result) {
  if (object.size() > kMaxAppAttestBytes) {
    return fail(AppAttestError::kTooLarge, std::to_string(object.size()) + " bytes");
  }
  auto map = cbor::parse(object);
  if (!map) return malformed(map.error());
  auto signature = cbor::member(*map, "signature", cbor::Type::kBytes);
  if (!signature) return malformed(signature.error());
  auto encoded = cbor::member(*map, "authenticatorData", cbor::Type::kBytes);
  if (!encoded) return malformed(encoded.error());
  result.signature = (*signature)->bytes;
  auto data = parse_authenticator_data((*encoded)->bytes, /*with_credential=*/false);
  if (!data) return pass(data);
  result.authenticator_data = std::move(*data);
  // What is signed is the nonce, itself a hash, and ECDSA hashes it once more.
  Sha256Digest nonce = nonce_of((*encoded)->bytes, request.client_data_hash);
  if (!key.verify(pki::kEcdsaSha256, nonce, result.signature)) {
    return fail(AppAttestError::kBadSignature,
                "the signature is not the key's over this client data hash");
  }
  if (request.app_id) {
    if (auto ok = check_app_id(*result.authenticator_data, *request.app_id); !ok) return ok;
  }
  std::uint32_t counter = result.authenticator_data->sign_count;
  if (request.previous_counter && counter <= *request.previous_counter) {
    return fail(AppAttestError::kCounterReplayed, "counter " + std::to_string(counter) +
                                                      " is not above " +
                                                      std::to_string(*request.previous_counter));
  }
  return {};
}

}  // namespace

AppAttestAssertion verify_assertion(ByteView object, const pki::PublicKey& key,
                                    const AssertionRequest& request) {
  AppAttestAssertion result;
  if (auto ok = check_assertion(object, key, request, result); !ok) {
    result.refusal = std::move(ok.error());
  }
  return result;
}

}  // namespace touchmark::verifier::evidence
