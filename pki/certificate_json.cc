#include "base/encoding.h"
#include "pki/certificate.h"
#include "pki/distinguished_name.h"
#include "pki/public_key.h"

namespace touchmark::pki {

Json certificate_to_json(ByteView encoded) {
  auto certificate = parse_certificate(encoded);
  if (!certificate) return {{"error", certificate.error().text()}};
  Json json = {{"serialNumber", serial_hex(certificate->serial)},
               {"notBefore", format_time(certificate->not_before)},
               {"notAfter", format_time(certificate->not_after)}};
  if (auto subject = parse_name(certificate->subject)) json["subject"] = to_string(*subject);
  if (auto issuer = parse_name(certificate->issuer)) json["issuer"] = to_string(*issuer);
  if (auto key = PublicKey::from_spki(certificate->spki)) {
    json["publicKey"] = key->kind();
  } else {
    json["publicKey"] = key.error().message();
  }
  if (auto algorithm = parse_signature_algorithm(certificate->signature_algorithm)) {
    json["signatureAlgorithm"] = to_string(*algorithm);
  }
  return json;
}

}  // namespace touchmark::pki
