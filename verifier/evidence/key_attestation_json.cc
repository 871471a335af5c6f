#include "base/encoding.h"
#include "verifier/evidence/key_attestation.h"

namespace touchmark::evidence {
namespace {

// Parses again, so that a chain that was refused early is shown, too.
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

}  // namespace

Json to_json(const KeyAttestation& attestation) {
  Json json = {{"verified", attestation.verified()},
               {"reason", nullptr},
               {"detail", nullptr},
               {"warnings", attestation.warnings},
               {"provisioning", to_string(attestation.provisioning)},
               {"publicKey", base64_encode(attestation.public_key())},
               {"certificates", Json::array()}};
  if (attestation.refusal) {
    json["reason"] = attestation.refusal->id();
    json["detail"] = attestation.refusal->message();
  }
  for (const Bytes& encoded : attestation.chain) {
    json["certificates"].push_back(certificate_to_json(encoded));
  }
  if (attestation.certified_level) {
    json["certifiedSecurityLevel"] = to_string(*attestation.certified_level);
  }
  if (attestation.provisioning_info) {
    json["provisioningInfo"] = cbor::to_json(*attestation.provisioning_info);
  }
  if (attestation.description) json["keyDescription"] = to_json(*attestation.description);
  return json;
}

}  // namespace touchmark::evidence
