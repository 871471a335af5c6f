#include "protocol/messages/evidence.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "protocol/device_id.h"
#include "protocol/limits.h"
#include "protocol/messages/reader.h"

namespace touchmark::protocol {
namespace {

namespace claim {
constexpr const char* kNonce = "eat_nonce";
constexpr const char* kIssuedAt = "iat";
constexpr const char* kAccount = "account";
constexpr const char* kConfigVersion = "config_version";
constexpr const char* kPlatform = "platform";
constexpr const char* kOs = "os";
constexpr const char* kOsVersion = "os_version";
constexpr const char* kManufacturer = "manufacturer";
constexpr const char* kModel = "model";
constexpr const char* kInstaller = "installer";
constexpr const char* kSdk = "sdk";
constexpr const char* kSdkPlatform = "platform";
constexpr const char* kSdkVersion = "version";
constexpr const char* kSdkBuild = "build";
constexpr const char* kSdkKey = "key";
constexpr const char* kApp = "app";
constexpr const char* kPackage = "package";
constexpr const char* kVersionName = "version_name";
constexpr const char* kVersionCode = "version_code";
constexpr const char* kMeasurement = "measurement";
constexpr const char* kSigners = "signers";
constexpr const char* kTeam = "team";
constexpr const char* kParts = "parts";
constexpr const char* kCode = "code";
constexpr const char* kSplits = "splits";
constexpr const char* kRangeProof = "range_proof";
constexpr const char* kChecks = "checks";
constexpr const char* kFindings = "findings";
constexpr const char* kFindingId = "id";
constexpr const char* kFindingDetail = "detail";
constexpr const char* kFindingsOmitted = "findings_omitted";
constexpr const char* kTls = "tls";
constexpr const char* kExporter = "exporter";
constexpr const char* kSpki = "spki";
constexpr const char* kPay = "pay";
constexpr const char* kKeySet = "keyset";
constexpr const char* kSubmods = "submods";
}  // namespace claim

// --- Encoder -------------------------------------------------------------------------------------

void put_text(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

Json platform_claim(const EvidenceClaims& claims) {
  Json out = claims.platform_rest;
  out[claim::kOs] = claims.os;
  put_text(out, claim::kOsVersion, claims.os_version);
  put_text(out, claim::kManufacturer, claims.manufacturer);
  put_text(out, claim::kModel, claims.model);
  put_text(out, claim::kInstaller, claims.installer);
  return out;
}

Json sdk_claim(const EvidenceClaims& claims) {
  Json out{{claim::kSdkVersion, claims.sdk_version}, {claim::kSdkBuild, claims.sdk_build}};
  put_text(out, claim::kSdkPlatform, claims.sdk_platform);
  put_text(out, claim::kSdkKey, claims.sdk_key);
  return out;
}

Json digests(const std::map<std::string, Sha256Digest>& named) {
  Json out = Json::object();
  for (const auto& [name, sha256] : named) out[name] = base64url_encode(sha256);
  return out;
}

Json app_claim(const EvidenceClaims& claims) {
  Json signers = Json::array();
  for (const Sha256Digest& signer : claims.signers) signers.push_back(base64url_encode(signer));
  Json out{{claim::kPackage, claims.package_name},
           {claim::kVersionName, claims.version_name},
           {claim::kVersionCode, claims.version_code},
           {claim::kMeasurement, base64url_encode(claims.measurement)},
           {claim::kSigners, std::move(signers)},
           {claim::kParts, digests(claims.parts)}};
  put_text(out, claim::kTeam, claims.team);
  if (!claims.code.empty()) out[claim::kCode] = encode_code(claims.code);
  if (!claims.splits.empty()) out[claim::kSplits] = digests(claims.splits);
  return out;
}

// How many of each kind are sent: one of each in turn, until there is no more room.
std::map<std::string_view, std::size_t> places(const std::vector<ReportedFinding>& findings) {
  std::map<std::string_view, std::size_t> there;
  for (const ReportedFinding& finding : findings) ++there[finding.id];
  std::map<std::string_view, std::size_t> out;
  std::size_t left = std::min(findings.size(), kMaxSentFindings);
  while (left > 0) {
    for (const auto& [id, count] : there) {
      if (left == 0 || out[id] == count) continue;
      ++out[id];
      --left;
    }
  }
  return out;
}

// In the order in which they were found.
void put_findings(const std::vector<ReportedFinding>& findings, Json& out) {
  std::map<std::string_view, std::size_t> left = places(findings);
  Json sent = Json::array();
  Json omitted = Json::object();
  for (const ReportedFinding& finding : findings) {
    std::size_t& place = left[finding.id];
    if (place > 0) {
      --place;
      sent.push_back({{claim::kFindingId, finding.id},
                      {claim::kFindingDetail, finding.detail.substr(0, kMaxSentDetail)}});
    } else if (omitted.contains(finding.id)) {
      omitted[finding.id] = omitted[finding.id].get<std::size_t>() + 1;
    } else if (omitted.size() < kMaxOmittedKinds) {
      omitted[finding.id] = 1;
    }
  }
  out[claim::kFindings] = std::move(sent);
  if (!omitted.empty()) out[claim::kFindingsOmitted] = std::move(omitted);
}

// --- Decoder -------------------------------------------------------------------------------------

void read_platform(JsonView json, Fault& fault, EvidenceClaims& out) {
  Reader platform(json, fault);
  out.os = platform.text(claim::kOs, kMaxWord);
  out.os_version = platform.optional_text(claim::kOsVersion, kMaxName);
  out.manufacturer = platform.optional_text(claim::kManufacturer, kMaxName);
  out.model = platform.optional_text(claim::kModel, kMaxName);
  out.installer = platform.optional_text(claim::kInstaller, kMaxName);
  constexpr std::array<std::string_view, 5> kRead{
      claim::kOs, claim::kOsVersion, claim::kManufacturer, claim::kModel, claim::kInstaller};
  for (const JsonView member : json) {
    if (std::ranges::find(kRead, member.name()) != kRead.end()) continue;
    out.platform_rest[std::string(member.name())] = member.to_json();
  }
}

void read_sdk(Reader sdk, EvidenceClaims& out) {
  out.sdk_platform = sdk.lenient_text(claim::kSdkPlatform, kMaxWord);
  out.sdk_version = sdk.text(claim::kSdkVersion, kMaxWord);
  out.sdk_build = sdk.text(claim::kSdkBuild, kMaxWord);
  out.sdk_key = sdk.lenient_text(claim::kSdkKey, kMaxWord);
}

void read_app(Reader app, EvidenceClaims& out) {
  out.package_name = app.text(claim::kPackage, kMaxName);
  out.version_name = app.text(claim::kVersionName, kMaxName);
  out.version_code = static_cast<std::uint64_t>(app.integer(claim::kVersionCode, 0, kMaxInteger));
  out.measurement = app.digest(claim::kMeasurement);
  for (const Sha256Digest& signer : app.digest_list(claim::kSigners, "app.signers", kMaxSigners)) {
    out.signers.insert(signer);
  }
  out.team = app.optional_text(claim::kTeam, kMaxWord);
  out.parts = app.digests(claim::kParts, "app.parts", kMaxParts);
  if (app.has(claim::kCode)) {
    auto code = decode_code(app.array(claim::kCode, kMaxClaimedParts));
    if (!code) app.fault().malformed("app.code is not a list of parts and their sizes");
    out.code = std::move(code).value_or(std::vector<CodePart>());
  }
  if (app.has_object(claim::kSplits)) {
    out.splits = app.digests(claim::kSplits, "app.splits", kMaxParts);
  }
}

void read_checks(Reader& claims, EvidenceClaims& out) {
  for (const JsonView check : claims.array(claim::kChecks, kMaxChecks)) {
    if (check.is_string()) out.checks.emplace_back(check.text());
  }
  for (const JsonView item : claims.array(claim::kFindings, kMaxFindings)) {
    Reader finding(item, claims.fault());
    out.findings.push_back(
        {finding.text(claim::kFindingId, kMaxWord),
         std::string(find_string(item, claim::kFindingDetail).value_or("").substr(0, kMaxDetail))});
  }
}

// What was left out is found all the same: the policy judges its kind, and people see how many.
void read_omitted(Reader& claims, EvidenceClaims& out) {
  if (!claims.has(claim::kFindingsOmitted)) return;
  const JsonView omitted = claims.object_view(claim::kFindingsOmitted);
  if (omitted.size() > kMaxOmittedKinds) claims.fault().malformed("findings_omitted has too many");
  if (claims.fault()) return;
  for (const JsonView member : omitted) {
    const std::string id(member.name());
    const auto count = get_int(omitted, id.c_str(), 1, kMaxInteger);
    if (id.empty() || id.size() > kMaxWord || !count) {
      claims.fault().malformed("findings_omitted is not an object of ids and numbers from 1");
      return;
    }
    auto first = std::ranges::find(out.findings, id, &ReportedFinding::id);
    if (first == out.findings.end()) first = out.findings.insert(first, {id, ""});
    const std::string note = "(and " + std::to_string(*count) + " left out of the evidence) ";
    first->detail = (note + first->detail).substr(0, kMaxDetail);
  }
}

std::optional<std::string> read_pay(Reader& claims) {
  if (!claims.has(claim::kPay)) return std::nullopt;
  std::string text = claims.text(claim::kPay, kMaxWord);
  if (!base64_digest(text)) {
    claims.fault().malformed("pay is not the padded base64 of 32 bytes");
  }
  return text;
}

}  // namespace

std::string_view error_id(EvidenceError error) {
  using enum EvidenceError;
  static constexpr auto kIds = error_table<EvidenceError>({
      {kMalformed, "evidence.malformed"},
  });
  return kIds[error];
}

Evidence::Evidence(crypto::EcKey installation_key)
    : key(std::move(installation_key)), did(device_id(key)) {}

Json encode_evidence(const EvidenceClaims& claims) {
  Json out{{claim::kNonce, base64url_encode(claims.nonce)},
           {claim::kIssuedAt, claims.issued_at},
           {claim::kAccount, claims.account},
           {claim::kConfigVersion, claims.config_version},
           {claim::kPlatform, platform_claim(claims)},
           {claim::kSdk, sdk_claim(claims)},
           {claim::kApp, app_claim(claims)},
           {claim::kRangeProof, base64url_encode(claims.range_proof)},
           {claim::kChecks, claims.checks},
           {claim::kTls,
            {{claim::kExporter, base64url_encode(claims.tls_exporter)},
             {claim::kSpki, base64url_encode(claims.tls_spki)}}}};
  put_findings(claims.findings, out);
  if (!claims.submods.empty()) out[claim::kSubmods] = claims.submods;
  if (claims.pay) out[claim::kPay] = *claims.pay;
  if (!claims.key_set.empty()) out[claim::kKeySet] = claims.key_set;
  return out;
}

std::string sign_evidence(const EvidenceClaims& claims, const crypto::EcKey& key) {
  return crypto::sign_es256(encode_evidence(claims), key,
                            {{"typ", kEvidenceType}, {"jwk", crypto::to_jwk(key)}});
}

Result<EvidenceClaims> decode_evidence_claims(JsonView payload) {
  Fault fault(EvidenceError::kMalformed);
  Reader claims(payload, fault);
  EvidenceClaims out;
  out.nonce = claims.binary(claim::kNonce, kMaxNonce);
  out.issued_at = claims.integer(claim::kIssuedAt, 0, kMaxInteger);
  out.account = claims.text(claim::kAccount, kMaxName);
  out.config_version = claims.integer(claim::kConfigVersion, 0, kMaxInteger);
  out.range_proof = claims.digest(claim::kRangeProof);
  read_platform(claims.object_view(claim::kPlatform), fault, out);
  read_sdk(claims.object(claim::kSdk), out);
  Reader tls = claims.object(claim::kTls);
  out.tls_exporter = tls.binary(claim::kExporter, kMaxTlsBytes);
  out.tls_spki = tls.binary(claim::kSpki, kMaxTlsBytes);
  read_app(claims.object(claim::kApp), out);
  read_checks(claims, out);
  read_omitted(claims, out);
  out.pay = read_pay(claims);
  if (claims.has(claim::kKeySet)) out.key_set = claims.text(claim::kKeySet, kMaxKeySetName);
  if (claims.has(claim::kSubmods)) out.submods = claims.object_view(claim::kSubmods).to_json();
  if (fault) return fault.pass();
  return out;
}

Result<Evidence> decode_evidence(std::string_view compact) {
  auto opened = crypto::verify_es256_with_header_key(compact, kEvidenceType, kMaxAttestBody);
  if (!opened) return pass(opened);
  auto claims = decode_evidence_claims(opened->payload.root());
  if (!claims) return pass(claims);
  Evidence out(std::move(opened->key));
  static_cast<EvidenceClaims&>(out) = std::move(*claims);
  return out;
}

}  // namespace touchmark::protocol
