// The bodies and claims of the protocol. What one of them is read as must be written and read again
// as the same; only an evidence's findings are cut on the way out.
#include <cstdlib>

#include "crypto/jose.h"
#include "protocol/messages/answer.h"
#include "protocol/messages/configuration.h"
#include "protocol/messages/evidence.h"

namespace {

namespace protocol = touchmark::protocol;

void check(bool holds) {
  if (!holds) std::abort();
}

void read_host(std::string_view text) {
  const auto host = protocol::parse_host_port(text);
  if (host) check(protocol::parse_host_port(to_string(*host)) == *host);
  if (const auto url = protocol::parse_service_url(text)) check(url->port.has_value());
}

void read_bodies(std::string_view text) {
  if (const auto request = protocol::decode_challenge_request(text)) {
    check(protocol::decode_challenge_request(protocol::encode_challenge_request(*request)) ==
          *request);
  }
  if (const auto answer = protocol::decode_attest_answer(text)) {
    check(protocol::decode_attest_answer(protocol::encode_attest_answer(*answer)) == *answer);
  }
  if (const auto evidence = protocol::decode_attest_request(text)) {
    check(!protocol::decode_evidence(*evidence) || !evidence->empty());
  }
}

auto decode_claims(const touchmark::Json& json) {
  return protocol::decode_evidence_claims(touchmark::JsonDocument(json).root());
}

void read_objects(touchmark::Json json) {
  if (const auto challenge = protocol::decode_challenge(touchmark::JsonDocument(json).root())) {
    check(protocol::decode_challenge_answer(protocol::encode_challenge(*challenge)) == *challenge);
  }
  if (auto claims = decode_claims(json)) {
    claims->findings.clear();
    check(decode_claims(protocol::encode_evidence(*claims)) == *claims);
  }
  static const touchmark::crypto::EcKey key = touchmark::crypto::EcKey::generate();
  if (!json.is_object()) return;
  json["config_key"] = touchmark::crypto::to_jwk(key);
  const std::string compact =
      touchmark::crypto::sign_es256(json, key, {{"typ", protocol::kConfigType}});
  auto configuration = protocol::decode_configuration(compact);
  if (!configuration) return;
  configuration->key = key;
  const auto again = protocol::sign_configuration(*configuration);
  check(again && protocol::encode_configuration(protocol::decode_configuration(*again).value()) ==
                     protocol::encode_configuration(*configuration));
}

// The two ways to the claims of evidence give one result.
void read_claims(std::string_view text, const touchmark::Json& tree) {
  const auto document = touchmark::parse_json_document(std::string(text));
  check(document.has_value());
  const auto one = protocol::decode_evidence_claims(document->root());
  const auto other = decode_claims(tree);
  check(one.has_value() == other.has_value());
  check(one ? *one == *other : one.error().text() == other.error().text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_host(text);
  read_bodies(text);
  if (auto json = touchmark::parse_json(text)) {
    read_claims(text, *json);
    read_objects(std::move(*json));
  }
  return 0;
}
