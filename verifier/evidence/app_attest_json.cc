#include "base/encoding.h"
#include "base/utf.h"
#include "verifier/evidence/app_attest.h"

namespace touchmark::verifier::evidence {
namespace {

constexpr der::Oid kAppFactsOid("1.2.840.113635.100.8.5");
constexpr der::Oid kOsFactsOid("1.2.840.113635.100.8.7");

Json frame(const std::optional<Error>& refusal) {
  Json json = {{"verified", !refusal.has_value()},
               {"reason", nullptr},
               {"detail", nullptr},
               {"warnings", Json::array()}};
  if (refusal) {
    json["reason"] = refusal->id();
    json["detail"] = refusal->message();
  }
  return json;
}

Json value_to_json(const der::Element& element) {
  if (element.tag == der::kInteger) {
    if (auto number = der::decode_uint64(element.content)) return *number;
  }
  if (element.tag == der::kOctetString && is_utf8(as_text(element.content))) {
    return as_text(element.content);
  }
  return {{"hex", hex_encode(element.full)}};
}

// Apple's extensions 8.5 (of the app) and 8.7 (of the system) are SEQUENCEs of [number] EXPLICIT
// values whose numbers are not documented; shown as they are.
Json facts_to_json(const pki::Certificate& leaf, const der::Oid& oid) {
  Json json = Json::object();
  const pki::Extension* extension = leaf.find(oid);
  if (extension == nullptr) return json;
  auto outer = der::parse(extension->value, der::kSequence);
  if (!outer) return json;
  der::Reader reader(outer->content);
  while (!reader.at_end()) {
    auto wrapper = reader.read();
    if (!wrapper) break;
    auto value = der::Reader(wrapper->content).read();
    if (value) json[std::to_string(wrapper->tag.number)] = value_to_json(*value);
  }
  return json;
}

}  // namespace

Json to_json(const AppAttestAttestation& attestation) {
  Json json = frame(attestation.refusal);
  json["warnings"] = attestation.warnings;
  json["publicKey"] = base64_encode(attestation.public_key());
  json["keyId"] = base64_encode(attestation.key_id());
  if (attestation.environment) json["environment"] = to_string(*attestation.environment);
  if (attestation.authenticator_data) json["authData"] = to_json(*attestation.authenticator_data);
  if (attestation.leaf) {
    json["notBefore"] = format_time(attestation.leaf->not_before);
    json["notAfter"] = format_time(attestation.leaf->not_after);
    json["appFacts"] = facts_to_json(*attestation.leaf, kAppFactsOid);
    json["osFacts"] = facts_to_json(*attestation.leaf, kOsFactsOid);
  }
  json["certificates"] = Json::array();
  for (const Bytes& encoded : attestation.chain) {
    json["certificates"].push_back(pki::certificate_to_json(encoded));
  }
  if (attestation.receipt) json["receipt"] = to_json(*attestation.receipt);
  return json;
}

Json to_json(const AppAttestAssertion& assertion) {
  Json json = frame(assertion.refusal);
  if (assertion.authenticator_data) {
    json["counter"] = assertion.authenticator_data->sign_count;
    json["authenticatorData"] = to_json(*assertion.authenticator_data);
  }
  json["signature"] = base64_encode(assertion.signature);
  return json;
}

}  // namespace touchmark::verifier::evidence
