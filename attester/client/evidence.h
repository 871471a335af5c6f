// Puts together what the attester claims, in the shape of protocol/README.md.
#pragma once

#include <string>

#include "attester/core/config.h"
#include "attester/core/integrity.h"
#include "attester/net/transport.h"
#include "base/clock.h"
#include "base/json.h"

namespace touchmark::attester::client {

// What stays the same for the life of a client.
struct SdkFacts {
  std::string sdk_platform = "Linux";  // "Android", "iOS", "Linux"
  std::string package_name;            // as the platform names it; the measurement's counts
  Json platform = Json::object();      // the claim `platform`
};

// A challenge as the service gave it.
struct Challenge {
  std::string nonce_text;  // base64url, sent back as received
  Bytes nonce;
  std::vector<protocol::Range> ranges;
  std::chrono::seconds expires_in{};
};
Result<Challenge> parse_challenge(const Json& json);

struct EvidenceInputs {
  const SdkFacts& sdk;
  const Config& config;
  const Inspection& inspection;
  const Challenge& challenge;
  const Sha256Digest& range_proof;
  const std::string& binding;  // empty: none
  UnixTime now;
  std::string_view key_protection;
  const Json& submods;  // hardware evidence; empty: none
};
// `tls`: the connection that will carry the evidence.
Json make_evidence(const EvidenceInputs& inputs, const net::TlsFacts& tls);

}  // namespace touchmark::attester::client
