#include "pki/trust_roots.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/openssl.h"
#include "pki/certificate.h"

namespace touchmark::pki {
namespace {

// Public keys of https://android.googleapis.com/attestation/root, base64 of the DER.
constexpr std::string_view kGoogleRsaRoot =
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAr7bHgiuxpwHsK7Qui8xUFmOr75gvMsd/dTEDDJdSSxtf"
    "6An7xyqpRR90PL2abxM1dEqlXnf2tqw1Ne4Xwl5jlRfdnJLmN0pTy/4lj4/7tv0Sk3iiKkypnEUtR6WfMgH0QZfK"
    "HM1+di+y9TFRtv6y//0rb+T+W8a9nsNL/ggjnar86461qO0rOs2cXjp3kOG1FEJ5MVmFmBGtnrKpa73XpXyTqRxB"
    "/M0n1n/W9nGqC4FSYa04T6N5RIZGBN2z2MT5IKGbFlbC8UrW0DxW7AYImQQcHtGl/m00QLVWutHQoVJYnFPlXTcH"
    "YvASLu+RhhsbDmxMgJJ0mcDpvsC4PjvB+TxywElgS70vE0XmLD+OJtvsBslHZvPBKCOdT0MS+tgSOIfga+z1Z1g7"
    "+DVagf7quvmag8jfPioyKvxnK/EgsTUVi2ghzq8wm27ud/mIM7AY2qEORR8Go3TVB4HzWQgpZrt3i5MIlCaY504L"
    "zSRiigHCzAPlHws+W0rB5N+er5/2pJKnfBSDiCiFAVtCLOZ7gLiMm0jhO2B6tUXHI/+MRPjy02i59lINMRRev56G"
    "Ktcd9qO/0kUJWdZTdA2XoS82ixPvZtXQpUpuL12ab+9EaDK8Z4RHJYYfCT3Q5vNAXaiWQ+8PTWm2QgBR/bkwSWc+"
    "NpUFgNPN9PvQi8WEg5UmAGMCAwEAAQ==";
constexpr std::string_view kGoogleEcRoot =
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEI9ojcU7fPlsFCjxy6IRqzgeOoK0b+YsV9FPQywiyw8EQRTkJ9u3qwfnI"
    "4DGoSLlBqClTXJfgfCcZvs60FikNMHnu4fkRzObfgDkU2KNXezT9/RQ+XvNslxPHrHCowhGr";
// Public key of https://www.apple.com/certificateauthority/Apple_App_Attestation_Root_CA.pem.
constexpr std::string_view kAppleAppAttestRoot =
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAERTHhmLW07ATaFQIEVwTtT4dyctdhNbJhFs/Ii2FdCgAHGbpphY3+d8qj"
    "uDngIN3WVhQUBHAoMeQ/cLiP1sOUtgjqK9auYen1mMEvRq9Sk3Jm5X8U62H+xTD3FE9TgS41";
// Public key of https://www.apple.com/certificateauthority/AppleRootCA-G3.cer, whose SHA-256 is
// 63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179.
constexpr std::string_view kAppleRootG3 =
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEmOkvPUBypO2TInKBExzdEJXxxaNOcdwUFtkO5aYFKndke19OONO7HES1"
    "f/UftjJiXcnphFtPME8RWgD9WFgMpfUPLE0HRxN12peXl28xXO0rnXsgO9i5VNlemaQ6UQox";

TrustRoot built_in(std::string_view base64) {
  Bytes spki = base64_decode(base64).value();
  PublicKey key = PublicKey::from_spki(spki).value();
  return {std::move(spki), std::move(key)};
}

Result<std::vector<Bytes>> parse_json_array(std::string_view text) {
  auto json = parse_json(text);
  if (!json) return pass(json);
  if (!json->is_array()) return fail(JsonError::kWrongType, "not an array of PEM certificates");
  std::vector<Bytes> certificates;
  for (const Json& entry : *json) {
    if (!entry.is_string()) return fail(JsonError::kWrongType, "not an array of PEM certificates");
    auto parsed = parse_pem_certificates(entry.get_ref<const std::string&>());
    if (!parsed) return pass(parsed);
    std::ranges::move(*parsed, std::back_inserter(certificates));
  }
  if (certificates.empty()) return fail(PemError::kNoCertificate, "no root certificate");
  return certificates;
}

Result<std::vector<Bytes>> parse_any_form(std::string_view text) {
  if (parse_certificate(as_bytes(text))) return std::vector<Bytes>{to_bytes(as_bytes(text))};
  std::size_t first = text.find_first_not_of(" \t\r\n");
  bool is_json = first != text.npos && text[first] == '[';
  return is_json ? parse_json_array(text) : parse_pem_certificates(text);
}

}  // namespace

TrustRoots TrustRoots::google() {
  return TrustRoots({built_in(kGoogleRsaRoot), built_in(kGoogleEcRoot)});
}

TrustRoots TrustRoots::apple_app_attest() { return TrustRoots({built_in(kAppleAppAttestRoot)}); }

TrustRoots TrustRoots::apple_receipts() { return TrustRoots({built_in(kAppleRootG3)}); }

Result<TrustRoots> TrustRoots::parse(std::string_view text) {
  auto certificates = parse_any_form(text);
  if (!certificates) return pass(certificates);
  std::vector<TrustRoot> roots;
  for (const Bytes& encoded : *certificates) {
    auto certificate = parse_certificate(encoded);
    if (!certificate) return pass(certificate);
    auto key = PublicKey::from_spki(certificate->spki);
    if (!key) return pass(key);
    roots.push_back({to_bytes(certificate->spki), std::move(*key), encoded});
  }
  return TrustRoots(std::move(roots));
}

TrustRoots TrustRoots::with(const TrustRoots& more) const {
  std::vector<TrustRoot> roots = roots_;
  roots.insert(roots.end(), more.roots_.begin(), more.roots_.end());
  return TrustRoots(std::move(roots));
}

const TrustRoot* TrustRoots::find(ByteView spki) const {
  auto at = std::ranges::find_if(
      roots_, [spki](const TrustRoot& root) { return std::ranges::equal(root.spki, spki); });
  return at == roots_.end() ? nullptr : &*at;
}

}  // namespace touchmark::pki
