#include "verifier/appraisal/appraise.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "base/encoding.h"
#include "base/text.h"
#include "protocol/check_groups.h"
#include "verifier/appraisal/facts.h"

namespace touchmark::verifier::appraisal {
namespace {

using protocol::Finding;
using protocol::FindingId;
using Findings = std::vector<Finding>;

constexpr std::size_t kExporterBytes = 32;  // RFC 9266

Findings check_account(const Evidence& evidence, const std::string& account) {
  if (evidence.account == account) return {};
  return {{FindingId::kEvidenceWrongAccount, "account " + shown(evidence.account)}};
}

Findings check_groups(const Evidence& evidence) {
  std::string missing;
  for (const std::string_view group : protocol::kCheckGroups) {
    if (std::ranges::find(evidence.checks, group) == evidence.checks.end()) {
      missing.append(" ").append(group);
    }
  }
  if (missing.empty()) return {};
  return {{FindingId::kEvidenceChecksMissing, "not run:" + missing}};
}

Findings check_device(const Evidence& evidence) {
  if (protocol::is_mobile_build(evidence.sdk_build)) return {};
  return {{FindingId::kDeviceHostBuild, "SDK build " + shown(evidence.sdk_build)}};
}

Findings reported_findings(const Evidence& evidence) {
  Findings out;
  for (const ReportedFinding& reported : evidence.findings) {
    const protocol::FindingInfo* info = protocol::find_finding(reported.id);
    if (info != nullptr) {
      out.push_back({info->number, reported.detail});
    } else {
      out.push_back({FindingId::kEvidenceUnknownFinding, shown(reported.id)});
    }
  }
  return out;
}

// The bytes that one character takes at most in a line of JSON.
std::size_t json_size(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x20 || byte >= 0x7f) return 6;
  return c == '"' || c == '\\' ? 2 : 1;
}

// Cuts `detail` to what is left of `budget`, which it spends.
void cut_detail(std::string& detail, std::size_t& budget) {
  std::size_t length = 0;
  while (length < detail.size() && json_size(detail[length]) <= budget) {
    budget -= json_size(detail[length++]);
  }
  detail.resize(length);
}

// Of an iOS app that no registration knows, the team of its newest release: a bundle id is one
// team's.
std::string registered_team(const ExpectedApp& app, const ReferenceValues& references) {
  if (app.platform != protocol::kIosBuild) return {};
  for (const auto& reference : references.of_package(app.package_name)) {
    const std::string& team = reference->registration.measurement.team;
    if (!team.empty()) return team;
  }
  return {};
}

template <class... More>
Findings joined(Findings first, More... more) {
  (std::ranges::move(more, std::back_inserter(first)), ...);
  return first;
}

}  // namespace

std::vector<protocol::Finding> bounded(std::vector<protocol::Finding> findings) {
  // Anyone can send such evidence as often as they like: what it says is not worth keeping.
  if (protocol::refuse_challenge(findings)) {
    for (Finding& finding : findings) {
      if (!protocol::refuse_challenge({&finding, 1})) finding.detail.clear();
    }
  }
  Findings out;
  std::size_t budget = kMaxDetails;
  std::map<FindingId, std::size_t> left_off;
  for (Finding& finding : findings) {
    const auto same = std::ranges::find(out, finding.id, &Finding::id);
    if (same != out.end() && out.size() >= kMaxRepeatedFindings) {
      ++left_off[finding.id];
      continue;
    }
    cut_detail(finding.detail, budget);
    out.push_back(std::move(finding));
  }
  for (const auto& [id, count] : left_off) {
    const auto first = std::ranges::find(out, id, &Finding::id);
    if (!first->detail.empty()) first->detail += " ";
    first->detail += "(and " + std::to_string(count) + " more)";
  }
  return out;
}

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
  const ByteSink add = [&hash](ByteView bytes) { hash.update(bytes); };
  for (const protocol::Range& range : ranges) {
    const auto part = digests.find(range.part);
    if (part == digests.end()) continue;
    auto ok = read(part->second, range.offset, range.length, add);
    if (!ok) return pass(ok);
  }
  return hash.finish();
}

Result<Findings> Appraiser::check_challenge(const Evidence& evidence,
                                            const CheckedChallenge& challenge, UnixTime now) const {
  switch (challenge.state) {
    case ChallengeState::kForged:
      return Findings{{FindingId::kChallengeInvalid, ""}};
    case ChallengeState::kExpired:
      return Findings{
          {FindingId::kChallengeExpired, "ended " + format_time(challenge.expires) + " UTC"}};
    case ChallengeState::kGood:
      break;
  }
  switch (replays_.spend(evidence.nonce, challenge.expires, now)) {
    case Spending::kAgain:
      return Findings{{FindingId::kChallengeReplayed, ""}};
    case Spending::kFull:
      return fail(AppraisalError::kOverloaded, "too many attestations at once; try again later");
    case Spending::kFirst:
      break;
  }
  return Findings{};
}

// Over what is registered, in the layout that the challenge was drawn in. Whoever claimed other
// code than they have was asked for other ranges than these.
Result<bool> Appraiser::proof_matches(const Evidence& evidence, const Recognition& app,
                                      const ReferenceValues& references, Layout layout) const {
  const Reference* reference = app.reference != nullptr ? app.reference : references.stand_in();
  if (reference == nullptr) return false;
  const auto& digests = app.in_part ? evidence.parts : reference->digests;
  const auto drawn_over = [&](const std::vector<package::Part>& code) {
    return challenges_.ranges(evidence.nonce, code);
  };
  std::vector<protocol::Range> ranges;
  switch (layout) {
    case Layout::kClaimed:
      ranges = drawn_over(app.in_part ? app.code : reference->code);
      break;
    case Layout::kNamed:
      ranges = drawn_over(assumed_code(digests));
      break;
    case Layout::kUnknown:
      ranges = drawn_over(assumed_code());
      break;
  }
  const auto proof = range_proof(evidence.nonce, ranges, digests, read_);
  if (!proof) return pass(proof);
  return crypto::constant_time_equal(*proof, evidence.range_proof);
}

Findings Appraiser::check_connection(const Evidence& evidence,
                                     const model::Connection& connection) const {
  Findings out;
  // Without its exporter value a connection cannot be told from a relayed one.
  const Bytes exporter = connection.exporter.value_or(Bytes{});
  if (!settings_.tls_terminated_by_proxy &&
      (exporter.size() != kExporterBytes ||
       !crypto::constant_time_equal(exporter, evidence.tls_exporter))) {
    out.push_back({FindingId::kNetworkMitm, "the client's TLS connection is not this one"});
  }
  // A certificate that is replaced while the service runs goes on counting for its connections.
  const bool is_ours = connection.served_key && !settings_.tls_terminated_by_proxy
                           ? crypto::constant_time_equal(*connection.served_key, evidence.tls_spki)
                           : settings_.is_service_key(evidence.tls_spki);
  if (!is_ours) {
    out.push_back({FindingId::kNetworkMitm,
                   "the client saw service key " + base64_encode(evidence.tls_spki)});
  }
  return out;
}

Result<Appraisal> Appraiser::appraise(const Evidence& evidence, const model::Connection& connection,
                                      const ReferenceValues& references, UnixTime now) const {
  const CheckedChallenge challenge = challenges_.check(evidence.nonce, now);
  auto of_challenge = check_challenge(evidence, challenge, now);
  if (!of_challenge) return pass(of_challenge);
  Recognition app = recognise(evidence, references);
  auto proof = proof_matches(evidence, app, references, challenge.layout);
  if (!proof) return pass(proof);
  ExpectedApp expected = ExpectedApp::of(evidence, app.reference);
  if (expected.team.empty()) expected.team = registered_team(expected, references);
  if (!expected.first_signer) {
    expected.first_signer =
        registered_first_signer(expected.package_name, expected.signers, references, now);
  }
  auto device = devices_.appraise(evidence, expected, now);
  if (!device) return pass(device);
  const ProvenApp proven{.range_proof = *proof, .signers = device->names_signers()};
  Findings findings =
      joined(std::move(*of_challenge), check_app(evidence, references, app, proven, now),
             check_account(evidence, settings_.account), check_groups(evidence),
             check_connection(evidence, connection), check_device(evidence),
             std::move(device->findings), reported_findings(evidence));
  // What a development key is worth is for the policy, which makes the finding.
  policy::Facts facts =
      facts_of(evidence, expected, *device,
               signed_for_development(evidence, references, app.reference), connection.remote_ip);
  return Appraisal{bounded(std::move(findings)), std::move(facts), device->claimed};
}

}  // namespace touchmark::verifier::appraisal
