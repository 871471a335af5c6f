#include "attester/client/evidence.h"

#include "base/encoding.h"

namespace touchmark::attester::client {
namespace {

// A request is at most 256 KiB; a hostile device must not be able to make an attestation too large
// to send, which would look like a network failure.
constexpr std::size_t kMaxFindings = 100;
constexpr std::size_t kMaxDetail = 300;

#ifdef __ANDROID__
constexpr std::string_view kBuild = "android";
#elif defined(__APPLE__)
constexpr std::string_view kBuild = "ios";
#else
constexpr std::string_view kBuild = "host";
#endif

#if defined(__x86_64__)
constexpr std::string_view kAbi = "x86_64";
#elif defined(__aarch64__)
constexpr std::string_view kAbi = "arm64-v8a";
#endif

Json app_claim(const SdkFacts& sdk, const Inspection& inspection) {
  if (!inspection.measurement) {
    return {{"package", sdk.package_name}, {"version_name", ""},
            {"version_code", 0},           {"measurement", base64url_encode(Sha256Digest{})},
            {"signers", Json::array()},    {"parts", Json::object()}};
  }
  const package::Measurement& app = *inspection.measurement;
  Json signers = Json::array();
  for (const Sha256Digest& signer : app.signers) signers.push_back(base64url_encode(signer));
  Json parts = Json::object();
  for (const package::Part& part : app.parts) {
    if (part.code_bearing()) parts[part.name] = base64url_encode(part.sha256);
  }
  Json splits = Json::object();
  for (const auto& [split, sha256] : package::split_digests(app)) {
    splits[split] = base64url_encode(sha256);
  }
  return {
      {"package", app.package_name},      {"version_name", app.version_name},
      {"version_code", app.version_code}, {"measurement", base64url_encode(package::digest(app))},
      {"signers", std::move(signers)},    {"parts", std::move(parts)},
      {"splits", std::move(splits)}};
}

Json findings_claim(const std::vector<protocol::Finding>& findings) {
  Json out = Json::array();
  for (const protocol::Finding& finding : findings) {
    if (out.size() == kMaxFindings) break;
    out.push_back({{"id", protocol::to_string(finding.id)},
                   {"detail", finding.detail.substr(0, kMaxDetail)}});
  }
  return out;
}

}  // namespace

Result<Challenge> parse_challenge(const Json& json) {
  Challenge out;
  const Result<std::string> text = get_string(json, "nonce", 256);
  if (!text) return pass(text);
  const Result<Bytes> nonce = get_base64url(json, "nonce", 256);
  if (!nonce) return pass(nonce);
  const Result<std::int64_t> expires = get_int(json, "expires_in", 1, 86400);
  if (!expires) return pass(expires);
  const Json* ranges = find_array(json, "ranges");
  if (ranges == nullptr) return fail(ClientError::kBadAnswer, "the challenge has no ranges");
  Result<std::vector<protocol::Range>> parsed = protocol::ranges_from_json(*ranges);
  if (!parsed) return pass(parsed);
  return Challenge{*text, *nonce, std::move(*parsed), std::chrono::seconds(*expires)};
}

Json make_evidence(const EvidenceInputs& in, const net::TlsFacts& tls) {
  Json platform = in.sdk.platform;
  platform["abi"] = kAbi;
  if (!platform.contains("os")) platform["os"] = "linux";
  Json out = {
      {"eat_nonce", in.challenge.nonce_text},
      {"iat", to_unix(in.now)},
      {"account", in.config.account},
      {"config_version", in.config.version},
      {"platform", std::move(platform)},
      {"sdk",
       {{"platform", in.sdk.sdk_platform},
        {"version", TOUCHMARK_VERSION},
        {"build", kBuild},
        {"key", in.key_protection}}},
      {"app", app_claim(in.sdk, in.inspection)},
      {"range_proof", base64url_encode(in.range_proof)},
      {"checks", in.inspection.groups},
      {"findings", findings_claim(in.inspection.findings)},
      {"tls", {{"exporter", base64url_encode(tls.exporter)}, {"spki", base64url_encode(tls.spki)}}},
  };
  if (!in.submods.empty()) out["submods"] = in.submods;
  if (!in.binding.empty()) out["pay"] = base64_encode(crypto::sha256(as_bytes(in.binding)));
  return out;
}

}  // namespace touchmark::attester::client
