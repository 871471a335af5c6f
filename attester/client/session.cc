#include "attester/client/session.h"

#include <algorithm>

#include "protocol/messages/answer.h"

namespace touchmark::attester::client {
namespace {

constexpr std::chrono::seconds kChallengeMargin{10};

tl::unexpected<Error> bad_answer(const Error& reason) {
  return fail(ClientError::kBadAnswer, reason.text());
}

// Whether another URL, or a later round, may do better.
bool worth_retrying(const Error& error) {
  return error.is(TransportError::kUnreachable) || error.is(TransportError::kTimeout) ||
         error.is(TransportError::kUntrusted) || error.is(TransportError::kBroken) ||
         error.is(ClientError::kServiceRefused);
}

// Of the errors of many attempts the one to report: that somebody else answered tells the most,
// that nobody did the least.
int weight(const Error& error) {
  if (error.is(TransportError::kUntrusted)) return 3;
  if (error.is(TransportError::kUnreachable)) return 1;
  return 2;
}

}  // namespace

Result<Attested> Session::attest(const Config& config, const TokenRequest& request) {
  const Inspection inspection = parts_.integrity.inspect();
  std::optional<Error> worst;
  for (int round = 0; round < config.retry.attempts; ++round) {
    if (round > 0 && !wait_before_round(round, config.retry)) break;
    for (const std::string& url : config.urls) {
      Result<Attested> answer = attempt(url, config, request, inspection);
      if (answer) return answer;
      if (!worst || weight(answer.error()) >= weight(*worst)) worst = answer.error();
      if (!worth_retrying(answer.error())) return tl::unexpected<Error>(*worst);
    }
  }
  if (parts_.cancel.flag()) return fail(ClientError::kClosed, "the client is being closed");
  return tl::unexpected<Error>(*worst);
}

// Exponential, and each client somewhere in the upper half of the step, so that clients which
// failed together do not come back together.
bool Session::wait_before_round(int round, const RetryRules& rules) {
  const auto step = std::min(rules.max, rules.initial * (1 << std::min(round - 1, 12)));
  std::array<std::byte, 2> random{};
  parts_.random.fill(random);
  const auto fraction = std::to_integer<int>(random[0]) << 8 | std::to_integer<int>(random[1]);
  return parts_.cancel.sleep(step / 2 + step * fraction / 2 / 65536);
}

Result<Attested> Session::attempt(const std::string& url, const Config& config,
                                  const TokenRequest& request, const Inspection& inspection) {
  const Result<protocol::Challenge> challenge = take_challenge(url, config, inspection);
  if (!challenge) return pass(challenge);
  const Sha256Digest proof = parts_.integrity.range_proof(challenge->nonce, challenge->ranges);
  // The platform's key, another one in its place, the software key.
  constexpr int kMaxKeys = 3;
  for (int keys = 1;; ++keys) {
    const Result<keys::KeyProvider::Key> key = parts_.keys.key_for(challenge->nonce);
    if (!key) return pass(key);
    const Json submods = parts_.keys.evidence(*key, challenge->nonce);
    Result<Attested> answer = submit(url,
                                     {.sdk = sdk_,
                                      .config = config,
                                      .inspection = inspection,
                                      .challenge = *challenge,
                                      .range_proof = proof,
                                      .request = request,
                                      .now = parts_.clock.now(),
                                      .key_protection = (*key)->protection(),
                                      .submods = submods},
                                     **key);
    if (answer) {
      parts_.keys.worked(*key);
      return answer;
    }
    // Nothing was sent without a signature, so another key can answer the same challenge.
    if (answer.error().is(ClientError::kKeyLost)) {
      parts_.keys.drop(*key);
    } else if (answer.error().is(ClientError::kKeyFailed)) {
      parts_.keys.set_aside(*key, answer.error());
    } else {
      return answer;
    }
    if (keys == kMaxKeys) return answer;
  }
}

// Evidence is finished and signed once the connection that carries it is there.
Result<Attested> Session::submit(const std::string& url, const EvidenceInputs& inputs,
                                 const keys::InstallationKey& key) {
  const BootTime asked = parts_.boot_clock.now();
  const Result<std::string> answer = exchange(
      url + std::string(protocol::kAttestPath), inputs.config,
      [&](const net::TlsFacts& tls) -> Result<std::string> {
        const Json claims = protocol::encode_evidence(make_evidence(inputs, tls));
        const Result<std::string> jws = keys::sign_jws(claims, protocol::kEvidenceType, key);
        if (!jws) return pass(jws);
        return protocol::encode_attest_request(*jws);
      });
  if (!answer) return pass(answer);
  return read_answer(*answer, asked);
}

// A challenge is spent by the attempt that takes it, whatever becomes of that attempt.
Result<protocol::Challenge> Session::take_challenge(const std::string& url, const Config& config,
                                                    const Inspection& inspection) {
  if (!next_ || parts_.boot_clock.now() >= next_->usable_until) {
    const std::string body =
        protocol::encode_challenge_request(make_challenge_request(config, inspection));
    const BootTime asked = parts_.boot_clock.now();
    const Result<std::string> answer =
        exchange(url + std::string(protocol::kChallengePath), config,
                 [&body](const net::TlsFacts&) -> Result<std::string> { return body; });
    if (!answer) return pass(answer);
    Result<protocol::Challenge> challenge = protocol::decode_challenge_answer(*answer);
    if (!challenge) return bad_answer(challenge.error());
    next_ = HeldChallenge{std::move(*challenge), asked};
  }
  protocol::Challenge taken = std::move(next_->challenge);
  next_.reset();
  return taken;
}

Result<std::string> Session::exchange(const std::string& url, const Config& config,
                                      const net::BodyMaker& body) {
  Result<net::HttpAnswer> answer =
      parts_.transport.post(url, config.service_pins, config.retry.timeout, body);
  if (!answer) return pass(answer);
  if (answer->status == 200) return std::move(answer->body);
  const std::string message = url + " answered with status " + std::to_string(answer->status);
  const bool passing = answer->status == 429 || answer->status >= 500;
  return fail(passing ? ClientError::kServiceRefused : ClientError::kBadAnswer, message);
}

// Without a challenge for the next attestation, that begins with a question more.
Result<Attested> Session::read_answer(const std::string& body, BootTime asked) {
  Result<protocol::AttestAnswer> answer = protocol::decode_attest_answer(body);
  if (!answer) return bad_answer(answer.error());
  if (answer->challenge) {
    const BootTime until = asked + answer->challenge->expires_in - kChallengeMargin;
    next_ = HeldChallenge{std::move(*answer->challenge), until};
  }
  return Attested{.token = {.token = std::move(answer->token),
                            .arc = answer->arc.value_or(""),
                            .asked = asked,
                            .lifetime = answer->expires_in},
                  .config = std::move(answer->config)};
}

}  // namespace touchmark::attester::client
