#include "verifier/appraisal/appraise.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "protocol/check_groups.h"
#include "verifier/appraisal/app_check.h"

namespace touchmark::verifier::appraisal {
namespace {

using protocol::Finding;
using protocol::FindingId;
using Findings = std::vector<Finding>;

constexpr std::size_t kExporterBytes = 32;  // RFC 9266

void check_account(const Evidence& evidence, const std::string& account, Findings& out) {
  if (evidence.account != account) {
    out.push_back({FindingId::kEvidenceWrongAccount, "account " + shown(evidence.account)});
  }
}

void check_groups(const Evidence& evidence, Findings& out) {
  std::string missing;
  for (const std::string_view group : protocol::kCheckGroups) {
    if (std::ranges::find(evidence.checks, group) == evidence.checks.end()) {
      missing.append(" ").append(group);
    }
  }
  if (!missing.empty()) out.push_back({FindingId::kEvidenceChecksMissing, "not run:" + missing});
}

void check_connection(const Evidence& evidence, const ExpectedConnection& expected, Findings& out) {
  if (expected.exporter &&
      (expected.exporter->size() != kExporterBytes ||
       !crypto::constant_time_equal(*expected.exporter, evidence.tls_exporter))) {
    out.push_back({FindingId::kNetworkMitm, "the client's TLS connection is not this one"});
  }
  const auto is_seen = [&](const Sha256Digest& spki) {
    return crypto::constant_time_equal(spki, evidence.tls_spki);
  };
  if (std::ranges::none_of(expected.spki, is_seen)) {
    out.push_back({FindingId::kNetworkMitm,
                   "the client saw service key " + base64_encode(evidence.tls_spki)});
  }
}

void check_device(const Evidence& evidence, Findings& out) {
  if (!protocol::is_mobile_build(evidence.sdk_build)) {
    out.push_back({FindingId::kDeviceHostBuild, "SDK build " + shown(evidence.sdk_build)});
  }
}

void take_reported(const Evidence& evidence, Findings& out) {
  for (const ReportedFinding& reported : evidence.findings) {
    const protocol::FindingInfo* info = protocol::find_finding(reported.id);
    if (info != nullptr) {
      out.push_back({info->number, reported.detail});
    } else {
      out.push_back({FindingId::kEvidenceUnknownFinding, shown(reported.id)});
    }
  }
}

}  // namespace

std::string_view error_id(AppraisalError error) {
  using enum AppraisalError;
  static constexpr auto kIds = error_table<AppraisalError>({
      {kOverloaded, "appraisal.overloaded"},
  });
  return kIds[error];
}

Result<Sha256Digest> range_proof(ByteView nonce, const std::vector<protocol::Range>& ranges,
                                 const std::map<std::string, Sha256Digest>& digests,
                                 const RangeReader& read) {
  crypto::Sha256 hash;
  hash.update(nonce);
  for (const protocol::Range& range : ranges) {
    const auto part = digests.find(range.part);
    if (part == digests.end()) continue;
    auto bytes = read(part->second, range.offset, range.length);
    if (!bytes) return pass(bytes);
    hash.update(*bytes);
  }
  return hash.finish();
}

Result<bool> Appraiser::proof_matches(const Evidence& evidence, const Recognition& app,
                                      const Reference& reference,
                                      UnixTime challenge_expires) const {
  const auto& digests = app.in_part ? evidence.parts : reference.digests;
  const auto& installed = app.in_part ? app.code : reference.code;
  const auto matches = [&](const std::vector<package::Part>& code) -> Result<bool> {
    const auto proof =
        range_proof(evidence.nonce, challenges_.ranges(evidence.nonce, code), digests, read_);
    if (!proof) return pass(proof);
    return crypto::constant_time_equal(*proof, evidence.range_proof);
  };
  auto registered = matches(installed.empty() ? assumed_code() : installed);
  // A challenge that was given out before the package was registered asks for other ranges. They
  // count as long as such challenges live, so that a registration acts at once.
  const UnixTime issued = challenge_expires - settings_.challenge_lifetime;
  if (!registered || *registered || reference.registration.created < issued) return registered;
  return matches(assumed_code());
}

Result<std::vector<Finding>> Appraiser::appraise(const Evidence& evidence,
                                                 const ReferenceValues& references,
                                                 const Recognition& app,
                                                 const ExpectedConnection& connection,
                                                 UnixTime now) const {
  Findings out;
  const CheckedChallenge challenge = challenges_.check(evidence.nonce, now);
  if (challenge.state == ChallengeState::kForged) {
    out.push_back({FindingId::kChallengeInvalid, ""});
  } else if (challenge.state == ChallengeState::kExpired) {
    out.push_back(
        {FindingId::kChallengeExpired, "ended " + format_time(challenge.expires) + " UTC"});
  } else {
    switch (replays_.spend(evidence.nonce, challenge.expires, now)) {
      case Spending::kFirst:
        break;
      case Spending::kAgain:
        out.push_back({FindingId::kChallengeReplayed, ""});
        break;
      case Spending::kFull:
        return fail(AppraisalError::kOverloaded, "too many attestations at once; try again later");
    }
  }

  const Reference* compared = app.reference != nullptr ? app.reference : references.stand_in();
  bool proven = false;
  if (compared != nullptr) {
    auto matches = proof_matches(evidence, app, *compared, challenge.expires);
    if (!matches) return pass(matches);
    proven = *matches;
  }
  check_app(evidence, references, app, proven, now, out);
  check_account(evidence, settings_.account, out);
  check_groups(evidence, out);
  check_connection(evidence, connection, out);
  check_device(evidence, out);
  take_reported(evidence, out);
  std::ranges::stable_sort(out, {}, &Finding::id);
  return out;
}

}  // namespace touchmark::verifier::appraisal
