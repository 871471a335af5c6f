// One attestation after the other with the service: challenge, evidence, token; with failover and
// retries.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "attester/client/evidence.h"
#include "attester/client/token_cache.h"
#include "attester/core/cancel.h"
#include "attester/core/integrity.h"
#include "attester/keys/key_provider.h"
#include "attester/net/transport.h"
#include "base/random.h"

namespace touchmark::attester::client {

// What the session stands on. Everything outlives it.
struct SessionParts {
  net::Transport& transport;
  const Integrity& integrity;
  keys::KeyRing& keys;
  const Clock& clock;
  const BootClock& boot_clock;
  Random& random;
  Cancel& cancel;
};

// What a client keeps of a protocol::AttestAnswer.
struct Attested {
  CachedToken token;
  std::string config;  // a newer configuration, still to be verified; empty: none
};

// Not thread-safe: attestations follow each other, since each answer holds the next challenge.
class Session {
 public:
  Session(SessionParts parts, SdkFacts sdk) : parts_(parts), sdk_(std::move(sdk)) {}

  Result<Attested> attest(const Config& config, const TokenRequest& request);

 private:
  struct HeldChallenge {
    protocol::Challenge challenge;
    BootTime usable_until{};
  };

  Result<Attested> attempt(const std::string& url, const Config& config,
                           const TokenRequest& request, const Inspection& inspection);
  Result<Attested> submit(const std::string& url, const EvidenceInputs& inputs,
                          const keys::InstallationKey& key);
  Result<protocol::Challenge> take_challenge(const std::string& url, const Config& config,
                                             const Inspection& inspection);
  Result<Attested> read_answer(const std::string& body, BootTime asked);
  Result<std::string> exchange(const std::string& url, const Config& config,
                               const net::BodyMaker& body);
  bool wait_before_round(int round, const RetryRules& rules);

  SessionParts parts_;
  SdkFacts sdk_;
  std::optional<HeldChallenge> next_;
};

}  // namespace touchmark::attester::client
