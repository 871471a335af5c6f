// An attestation object or an assertion, and the authenticator data in it. Nothing can verify: the
// trusted root is another one, and the key has signed nothing.
#include <cstdlib>

#include "crypto/crypto.h"
#include "verifier/evidence/app_attest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchmark;
  static const verifier::evidence::AttestationVerifier verifier(pki::TrustRoots::google());
  static const auto key = pki::PublicKey::from_spki(crypto::EcKey::generate().public_der()).value();
  ByteView bytes = std::as_bytes(std::span(data, size));
  auto attestation =
      verifier.verify(to_bytes(bytes), {.as_of = from_unix(0), .client_data_hash = {}});
  if (attestation.verified()) std::abort();
  (void)dump_json(to_json(attestation));
  auto assertion = verifier::evidence::verify_assertion(bytes, key, {.client_data_hash = {}});
  if (assertion.verified()) std::abort();
  (void)dump_json(to_json(assertion));
  for (bool with_credential : {false, true}) {
    auto parsed = verifier::evidence::parse_authenticator_data(bytes, with_credential);
    if (parsed) (void)dump_json(to_json(*parsed));
  }
  return 0;
}
