#include "attester/client/session.h"

#include <algorithm>

#include "base/encoding.h"

namespace touchmark::attester::client {
namespace {

constexpr std::string_view kEvidenceType = "touchmark-evidence+jwt";
constexpr std::chrono::seconds kChallengeMargin{10};
constexpr std::size_t kMaxClaimedParts = 512;  // protocol/README.md

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

// Ranges are asked for over the code that is installed when the service knows no package of this
// measurement: then it may still know the release that these are some splits of.
std::string challenge_request(const Config& config, const Inspection& inspection) {
  Sha256Digest measurement{};
  Json code = Json::array();
  if (inspection.measurement) {
    measurement = package::digest(*inspection.measurement);
    for (const package::Part& part : inspection.measurement->parts) {
      if (part.code_bearing() && part.size > 0 && code.size() < kMaxClaimedParts) {
        code.push_back({part.name, part.size});
      }
    }
  }
  return dump_json({{"account", config.account},
                    {"measurement", base64url_encode(measurement)},
                    {"code", std::move(code)}});
}

}  // namespace

Result<AttestAnswer> Session::attest(const Config& config, const std::string& binding) {
  const Inspection inspection = parts_.integrity.inspect();
  std::optional<Error> worst;
  for (int round = 0; round < config.retry.attempts; ++round) {
    if (round > 0 && !wait_before_round(round, config.retry)) break;
    for (const std::string& url : config.urls) {
      Result<AttestAnswer> answer = attempt(url, config, binding, inspection);
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

Result<AttestAnswer> Session::attempt(const std::string& url, const Config& config,
                                      const std::string& binding, const Inspection& inspection) {
  const Result<Challenge> challenge = take_challenge(url, config, inspection);
  if (!challenge) return pass(challenge);
  const Sha256Digest proof = parts_.integrity.range_proof(challenge->nonce, challenge->ranges);
  for (int keys = 1;; ++keys) {
    const Result<keys::KeyProvider::Key> key = parts_.keys.key_for(challenge->nonce);
    if (!key) return pass(key);
    const Json submods = parts_.keys.evidence(*key, challenge->nonce);
    Result<AttestAnswer> answer = submit(url,
                                         {.sdk = sdk_,
                                          .config = config,
                                          .inspection = inspection,
                                          .challenge = *challenge,
                                          .range_proof = proof,
                                          .binding = binding,
                                          .now = parts_.clock.now(),
                                          .key_protection = (*key)->protection(),
                                          .submods = submods},
                                         **key);
    if (answer || !answer.error().is(ClientError::kKeyLost)) return answer;
    parts_.keys.drop(*key);
    if (keys == 2) return answer;
    // Nothing was sent, so a new key can answer the same challenge.
  }
}

// Evidence is finished and signed once the connection that carries it is there.
Result<AttestAnswer> Session::submit(const std::string& url, const EvidenceInputs& inputs,
                                     const keys::InstallationKey& key) {
  const BootTime asked = parts_.boot_clock.now();
  const Result<std::string> answer = exchange(
      url + "/v1/attest", inputs.config, [&](const net::TlsFacts& tls) -> Result<std::string> {
        const Result<std::string> jws =
            keys::sign_jws(make_evidence(inputs, tls), kEvidenceType, key);
        if (!jws) return pass(jws);
        return dump_json({{"evidence", *jws}});
      });
  if (!answer) return pass(answer);
  return read_answer(*answer, asked);
}

// A challenge is spent by the attempt that takes it, whatever becomes of that attempt.
Result<Challenge> Session::take_challenge(const std::string& url, const Config& config,
                                          const Inspection& inspection) {
  if (!next_ || parts_.boot_clock.now() >= next_->usable_until) {
    const std::string body = challenge_request(config, inspection);
    const BootTime asked = parts_.boot_clock.now();
    const Result<std::string> answer =
        exchange(url + "/v1/challenge", config,
                 [&body](const net::TlsFacts&) -> Result<std::string> { return body; });
    if (!answer) return pass(answer);
    const Result<Json> json = parse_json(*answer, {.max_bytes = net::kMaxAnswerBytes});
    if (!json) return bad_answer(json.error());
    Result<Challenge> challenge = parse_challenge(*json);
    if (!challenge) return bad_answer(challenge.error());
    next_ = HeldChallenge{std::move(*challenge), asked};
  }
  Challenge taken = std::move(next_->challenge);
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

Result<AttestAnswer> Session::read_answer(const std::string& body, BootTime asked) {
  const Result<Json> json = parse_json(body, {.max_bytes = net::kMaxAnswerBytes});
  if (!json) return bad_answer(json.error());
  Result<std::string> token = get_string(*json, "token", 16 * 1024);
  if (!token) return bad_answer(token.error());
  const Result<std::int64_t> expires = get_int(*json, "expires_in", 1, 366LL * 86400);
  if (!expires) return bad_answer(expires.error());
  if (const Json* challenge = find_object(*json, "challenge")) hold(*challenge, asked);
  return AttestAnswer{.token = {.token = std::move(*token),
                                .arc = find_string(*json, "arc").value_or(""),
                                .asked = asked,
                                .lifetime = std::chrono::seconds(*expires)},
                      .config = find_string(*json, "config").value_or("")};
}

// The challenge for the next attestation; without one, the next begins with a question more.
void Session::hold(const Json& json, BootTime asked) {
  Result<Challenge> challenge = parse_challenge(json);
  if (!challenge) return;
  const BootTime until = asked + challenge->expires_in - kChallengeMargin;
  next_ = HeldChallenge{std::move(*challenge), until};
}

}  // namespace touchmark::attester::client
