#include "base/encoding.h"
#include "base/utf.h"
#include "verifier/evidence/authorization_tags.h"
#include "verifier/evidence/key_description.h"

namespace touchmark::verifier::evidence {
namespace {

using List = AuthorizationList;

Json value_to_json(const List::Integer& value) { return *value; }
Json value_to_json(const List::IntegerSet& value) { return *value; }
Json value_to_json(const List::Octets& value) { return base64_encode(*value); }
Json value_to_json(const std::optional<KeyOrigin>& value) { return to_string(*value); }
Json value_to_json(const std::optional<PatchLevel>& value) { return value->value; }

Json value_to_json(const std::optional<RootOfTrust>& value) {
  Json json = {{"verifiedBootKey", base64_encode(value->verified_boot_key)},
               {"deviceLocked", value->device_locked},
               {"verifiedBootState", to_string(value->verified_boot_state)}};
  if (value->verified_boot_hash)
    json["verifiedBootHash"] = base64_encode(*value->verified_boot_hash);
  return json;
}

Json value_to_json(const std::optional<AttestationApplicationId>& value) {
  Json packages = Json::array();
  for (const AttestationPackage& package : value->packages) {
    packages.push_back({{"packageName", as_text(package.name)}, {"version", package.version}});
  }
  Json digests = Json::array();
  for (ByteView digest : value->signature_digests) digests.push_back(base64_encode(digest));
  return {{"packageInfos", std::move(packages)}, {"signatureDigests", std::move(digests)}};
}

template <class Member>
void add(Json& json, std::string_view name, const List& list, Member List::*field) {
  if (list.*field) json[std::string(name)] = value_to_json(list.*field);
}
void add(Json& json, std::string_view name, const List& list, bool List::*field) {
  if (list.*field) json[std::string(name)] = true;
}
void add(Json& json, std::string_view name, const List& list, TextField field) {
  const List::Octets& value = list.*field.member;
  if (!value) return;
  json[std::string(name)] = is_utf8(as_text(*value)) ? Json(as_text(*value)) : value_to_json(value);
}

Json list_to_json(const List& list) {
  Json json = Json::object();
  for (const AuthorizationTag& tag : authorization_tags()) {
    std::visit([&](auto field) { add(json, tag.name, list, field); }, tag.field);
  }
  for (auto [number, value] : list.unknown) {
    json["unknown"][std::to_string(number)] = base64_encode(value);
  }
  return json;
}

}  // namespace

Json to_json(const KeyDescription& description) {
  return {{"attestationVersion", description.attestation_version},
          {"attestationSecurityLevel", to_string(description.attestation_security_level)},
          {"keyMintVersion", description.key_mint_version},
          {"keyMintSecurityLevel", to_string(description.key_mint_security_level)},
          {"attestationChallenge", base64_encode(description.attestation_challenge)},
          {"uniqueId", base64_encode(description.unique_id)},
          {"softwareEnforced", list_to_json(description.software_enforced)},
          {"hardwareEnforced", list_to_json(description.hardware_enforced)}};
}

}  // namespace touchmark::verifier::evidence
