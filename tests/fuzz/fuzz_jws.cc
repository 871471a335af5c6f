// A compact JWS from outside. What parses must be spelled in the one way its parts encode, and must
// not verify under a key that never signed it.
#include <cstdlib>

#include "base/encoding.h"
#include "crypto/jose.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::string_view_literals;
  std::string_view compact(reinterpret_cast<const char*>(data), size);
  static const touchmark::crypto::EcKey key = touchmark::crypto::EcKey::generate();
  if (touchmark::crypto::verify_es256(compact, key)) std::abort();
  if (touchmark::crypto::verify_hs256(compact, touchmark::as_bytes("never used to sign"sv)))
    std::abort();
  (void)touchmark::crypto::verify_es256_with_header_key(compact, "");
  auto jws = touchmark::crypto::parse_jws(compact);
  if (jws && jws->signing_input + "." + touchmark::base64url_encode(jws->signature) != compact) {
    std::abort();
  }
  return 0;
}
