// An App Attest receipt: CMS in BER. Nothing can verify: the trusted root is another one.
#include <cstdlib>

#include "verifier/evidence/app_attest_receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchmark;
  static const verifier::evidence::ReceiptVerifier verifier(pki::TrustRoots::google());
  auto receipt = verifier.verify(std::as_bytes(std::span(data, size)), {.as_of = from_unix(0)});
  if (receipt.verified()) std::abort();
  (void)dump_json(to_json(receipt));
  return 0;
}
