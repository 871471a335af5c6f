#include "attester/client/evidence.h"

#include "attester/core/machine.h"
#include "base/encoding.h"

namespace touchmark::attester::client {
namespace {

void put_platform(const Json& facts, protocol::EvidenceClaims& out) {
  out.platform_rest = facts;
  out.platform_rest["abi"] = abi_name(kOwnMachine);
  out.os = find_string(facts, "os").value_or("linux");
}

// At most as many as a service takes.
std::vector<protocol::CodePart> code_of(const package::Measurement& app) {
  std::vector<protocol::CodePart> out;
  for (const package::Part& part : app.parts) {
    if (out.size() == protocol::kMaxClaimedParts) break;
    if (part.code_bearing() && part.size > 0) out.push_back({part.name, part.size});
  }
  return out;
}

void put_app(const SdkFacts& sdk, const Inspection& inspection, protocol::EvidenceClaims& out) {
  if (!inspection.measurement) {
    out.package_name = sdk.package_name;
    return;
  }
  const package::Measurement& app = *inspection.measurement;
  out.package_name = app.package_name;
  out.version_name = app.version_name;
  out.version_code = app.version_code;
  out.measurement = package::digest(app);
  out.signers = {app.signers.begin(), app.signers.end()};
  out.team = app.team;
  for (const package::Part& part : app.parts) {
    if (part.code_bearing()) out.parts[part.name] = part.sha256;
  }
  out.code = code_of(app);
  out.splits = package::split_digests(app);
}

}  // namespace

protocol::ChallengeRequest make_challenge_request(const Config& config,
                                                  const Inspection& inspection) {
  protocol::ChallengeRequest out{.account = config.account, .measurement = {}, .code = {}};
  if (!inspection.measurement) return out;
  out.measurement = package::digest(*inspection.measurement);
  out.code = code_of(*inspection.measurement);
  return out;
}

protocol::EvidenceClaims make_evidence(const EvidenceInputs& in, const net::TlsFacts& tls) {
  protocol::EvidenceClaims out;
  out.nonce = in.challenge.nonce;
  out.issued_at = to_unix(in.now);
  out.account = in.config.account;
  out.config_version = in.config.version;
  put_platform(in.sdk.platform, out);
  out.sdk_platform = in.sdk.sdk_platform;
  out.sdk_version = TOUCHMARK_VERSION;
  out.sdk_build = in.sdk.build;
  out.sdk_key = in.key_protection;
  put_app(in.sdk, in.inspection, out);
  out.range_proof = in.range_proof;
  out.checks = in.inspection.groups;
  for (const protocol::Finding& finding : in.inspection.findings) {
    out.findings.push_back({std::string(protocol::to_string(finding.id)), finding.detail});
  }
  out.tls_exporter = tls.exporter;
  out.tls_spki = to_bytes(tls.spki);
  out.submods = in.submods;
  const std::string& binding = in.request.binding;
  if (!binding.empty()) out.pay = base64_encode(crypto::sha256(as_bytes(binding)));
  out.key_set = in.request.key_set;
  return out;
}

}  // namespace touchmark::attester::client
