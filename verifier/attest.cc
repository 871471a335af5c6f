#include "verifier/attest.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "protocol/arc.h"
#include "protocol/messages/answer.h"
#include "verifier/policy/ear.h"

namespace touchmark::verifier {
namespace {

tl::unexpected<Error> malformed(const Error& error) {
  return fail(AttestationError::kMalformedRequest, error.text());
}

// What a client says of the code that it has, and no more: were anything registered looked up for a
// challenge, its ranges would tell.
struct ClaimedCode {
  appraisal::Layout layout = appraisal::Layout::kUnknown;
  std::vector<package::Part> parts;
};

ClaimedCode claimed_code(const std::vector<protocol::CodePart>& code,
                         const std::map<std::string, Sha256Digest>& named = {}) {
  if (code.empty() && named.empty()) {
    return {appraisal::Layout::kUnknown, appraisal::assumed_code()};
  }
  if (code.empty()) return {appraisal::Layout::kNamed, appraisal::assumed_code(named)};
  ClaimedCode out{appraisal::Layout::kClaimed, {}};
  for (const protocol::CodePart& part : code) {
    out.parts.push_back({part.name, package::PartKind::kOther, part.size, {}});
  }
  std::ranges::sort(out.parts, {}, &package::Part::name);
  return out;
}

Result<appraisal::Evidence> parse_attest_request(std::string_view body) {
  const auto compact = protocol::decode_attest_request(body);
  if (!compact) return malformed(compact.error());
  auto evidence = protocol::decode_evidence(*compact);
  if (!evidence) return malformed(evidence.error());
  return evidence;
}

policy::EarContext ear_context(const appraisal::Evidence& evidence, UnixTime now) {
  policy::EarContext context{.issued_at = now, .build = "touchmark " TOUCHMARK_VERSION};
  // A forged challenge may have a length that EAT has no place for.
  if (evidence.nonce.size() == appraisal::kNonceBytes)
    context.nonce = base64url_encode(evidence.nonce);
  return context;
}

// The claim `lvl`. Where the policy lets refused hardware evidence pass, a valid token states what
// was verified, and so does a decoy. Where it does not, evidence that was refused never gets a
// valid token, and the decoy states what the evidence claims, as if it had been accepted. Evidence
// that was not refused claims what is verified. So the level never depends on the verdict.
policy::Assurance level_for_token(const appraisal::Appraisal& appraisal,
                                  const policy::Verdict& verdict) {
  using enum protocol::FindingId;
  constexpr std::array kRefusals{kHardwareRefused,  kHardwareRevoked,  kHardwareOtherApp,
                                 kHardwareOtherKey, kHardwareReplayed, kHardwareRevocationUnknown};
  const bool refused = std::ranges::any_of(verdict.findings, [&](const policy::Decided& one) {
    return one.action == policy::Action::kReject &&
           std::ranges::find(kRefusals, one.finding.id) != kRefusals.end();
  });
  return refused ? appraisal.claimed_assurance : appraisal.facts.assurance;
}

}  // namespace

std::string_view error_id(AttestationError error) {
  using enum AttestationError;
  static constexpr auto kIds = error_table<AttestationError>({
      {kMalformedRequest, "service.malformed-request"},
  });
  return kIds[error];
}

// --- Challenge -----------------------------------------------------------------------------------

Result<std::string> Attestation::challenge(std::string_view body) {
  const auto request = protocol::decode_challenge_request(body);
  if (!request) return malformed(request.error());
  return protocol::encode_challenge(new_challenge(request->code, {}, parts_.clock.now()));
}

protocol::Challenge Attestation::new_challenge(const std::vector<protocol::CodePart>& code,
                                               const std::map<std::string, Sha256Digest>& named,
                                               UnixTime now) {
  const Seconds lifetime = parts_.settings.challenge_lifetime;
  const ClaimedCode claimed = claimed_code(code, named);
  Bytes nonce = parts_.challenges.make(now + lifetime, parts_.random, claimed.layout);
  auto ranges = parts_.challenges.ranges(nonce, claimed.parts);
  return {std::move(nonce), lifetime, std::move(ranges), now};
}

// --- Attestation ---------------------------------------------------------------------------------

Result<appraisal::Evidence> Attestation::read(std::string_view body) const {
  return parse_attest_request(body);
}

Result<AttestationAnswer> Attestation::attest(std::string_view body,
                                              const model::Connection& connection) {
  const auto evidence = read(body);
  if (!evidence) return pass(evidence);
  return attest(*evidence, connection);
}

Result<AttestationAnswer> Attestation::attest(const appraisal::Evidence& evidence,
                                              const model::Connection& connection) {
  const UnixTime now = parts_.clock.now();
  const auto references = parts_.registry.references();  // the appraisal points into them
  const auto appraisal = parts_.appraiser.appraise(evidence, connection, *references, now);
  if (!appraisal) return pass(appraisal);
  const policy::Verdict verdict = judge(*appraisal, now);
  return answer(evidence, *appraisal, verdict, now);
}

policy::Verdict Attestation::judge(const appraisal::Appraisal& appraisal, UnixTime now) {
  const policy::Facts& facts = appraisal.facts;
  const policy::Force force = parts_.devices.forced(facts.device_id);
  policy::Verdict verdict = parts_.policy.judge(facts, appraisal.findings, force, now);
  if (parts_.journal.has_room(appraisal.findings)) {
    parts_.journal.add({now, facts, appraisal.findings, force, verdict.passed,
                        verdict.ids_with(policy::Action::kReject)});
  }
  return verdict;
}

AttestationAnswer Attestation::answer(const appraisal::Evidence& evidence,
                                      const appraisal::Appraisal& appraisal,
                                      const policy::Verdict& verdict, UnixTime now) {
  AttestationRecord record{
      verdict.passed,        evidence.did,
      evidence.package_name, std::string(policy::to_string(appraisal.facts.assurance)),
      verdict.notable(),     {}};
  record.arc = protocol::encode_arc(record.findings);
  parts_.devices.saw({record.device_id, now, record.passed, record.arc, record.package_name,
                      appraisal.facts.ip, evidence.config_version});
  return {answer_body(evidence, appraisal, verdict, record.arc, now), std::move(record)};
}

std::string Attestation::token(const appraisal::Evidence& evidence,
                               const appraisal::Appraisal& appraisal,
                               const policy::Verdict& verdict, const std::string& arc,
                               UnixTime now) {
  appraisal::TokenFacts facts{evidence.did, appraisal.facts.ip,       evidence.pay, arc,
                              {},           evidence.key.public_der()};
  facts.level = policy::to_string(level_for_token(appraisal, verdict));
  const auto& extra_claims = parts_.settings.extra_claims;
  if (std::ranges::find(extra_claims, "ear") != extra_claims.end()) {
    facts.ear = policy::ear_claims(appraisal.facts, verdict, ear_context(evidence, now));
  }
  for (const protocol::FindingId id : verdict.ids_with(policy::Action::kAnnotate)) {
    facts.annotations.emplace_back(protocol::to_string(id));
  }
  const auto keys = parts_.key_sets.keys();
  return parts_.mint.mint(keys->signing(evidence.key_set), verdict.passed, facts, now,
                          parts_.random);
}

std::string Attestation::answer_body(const appraisal::Evidence& evidence,
                                     const appraisal::Appraisal& appraisal,
                                     const policy::Verdict& verdict, const std::string& arc,
                                     UnixTime now) {
  protocol::AttestAnswer answer{.token = token(evidence, appraisal, verdict, arc, now),
                                .expires_in = parts_.settings.token_lifetime,
                                .challenge = new_challenge(evidence.code, evidence.parts, now)};
  const auto configuration = parts_.api_domains.configuration();
  if (evidence.config_version < configuration->version && !configuration->jws.empty()) {
    answer.config = configuration->jws;
  }
  if (parts_.settings.reveal_reasons) {
    answer.arc = arc;
    answer.reasons.emplace();
    for (const protocol::FindingId id : verdict.ids_with(policy::Action::kReject)) {
      answer.reasons->emplace_back(protocol::to_string(id));
    }
  }
  return protocol::encode_attest_answer(answer);
}

}  // namespace touchmark::verifier
