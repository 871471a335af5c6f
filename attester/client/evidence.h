// Puts together what the attester claims, in the shape of protocol/messages/.
#pragma once

#include <string>

#include "attester/client/token_cache.h"
#include "attester/core/config.h"
#include "attester/core/integrity.h"
#include "attester/net/transport.h"
#include "base/clock.h"
#include "base/json.h"
#include "protocol/messages/challenge.h"
#include "protocol/messages/evidence.h"

namespace touchmark::attester::client {

#ifdef __ANDROID__
inline constexpr std::string_view kOwnBuild = protocol::kAndroidBuild;
#elif defined(__APPLE__)
inline constexpr std::string_view kOwnBuild = protocol::kIosBuild;
#else
inline constexpr std::string_view kOwnBuild = protocol::kHostBuild;
#endif

// What stays the same for the life of a client.
struct SdkFacts {
  std::string sdk_platform = "Linux";  // "Android", "iOS", "Linux"
  std::string package_name;            // as the platform names it; the measurement's counts
  Json platform = Json::object();      // the claim `platform`
  std::string build{kOwnBuild};        // another one where a phone is played
};

// Names the code that is installed: ranges are asked for over it, whatever the service knows.
protocol::ChallengeRequest make_challenge_request(const Config& config,
                                                  const Inspection& inspection);

struct EvidenceInputs {
  const SdkFacts& sdk;
  const Config& config;
  const Inspection& inspection;
  const protocol::Challenge& challenge;
  const Sha256Digest& range_proof;
  const TokenRequest& request;
  UnixTime now;
  std::string_view key_protection;
  const Json& submods;  // hardware evidence; empty: none
};
// `tls`: the connection that will carry the evidence.
protocol::EvidenceClaims make_evidence(const EvidenceInputs& inputs, const net::TlsFacts& tls);

}  // namespace touchmark::attester::client
