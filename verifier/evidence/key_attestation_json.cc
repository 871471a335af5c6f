#include "base/encoding.h"
#include "verifier/evidence/key_attestation.h"

namespace touchmark::verifier::evidence {

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
    json["certificates"].push_back(pki::certificate_to_json(encoded));
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

}  // namespace touchmark::verifier::evidence
