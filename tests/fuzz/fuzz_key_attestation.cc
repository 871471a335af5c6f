// Certificates in DER one after the other, leaf first, as a chain. Whatever is decoded must be
// printable, and nothing can verify: the trusted root has signed no phone.
#include <cstdlib>

#include "verifier/evidence/key_attestation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchmark;
  static const verifier::evidence::KeyAttestationVerifier verifier(
      pki::TrustRoots::apple_receipts());
  der::Reader reader(std::as_bytes(std::span(data, size)));
  std::vector<Bytes> chain;
  while (auto element = reader.read()) chain.push_back(to_bytes(element->full));
  verifier::evidence::KeyAttestation result =
      verifier.verify(std::move(chain), {.as_of = from_unix(0)});
  if (result.verified()) std::abort();
  (void)dump_json(to_json(result));
  // The description alone, too, where mutations reach deeper.
  auto description =
      verifier::evidence::parse_key_description(std::as_bytes(std::span(data, size)));
  if (description) (void)dump_json(to_json(*description));
  return 0;
}
