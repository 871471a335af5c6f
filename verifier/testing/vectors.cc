#include "verifier/testing/vectors.h"

#include "base/encoding.h"
#include "crypto/jose.h"
#include "package/ios/image.h"
#include "package/testing/mach_o_builder.h"
#include "protocol/arc.h"
#include "protocol/decoy.h"
#include "protocol/device_id.h"
#include "protocol/hardware_binding.h"
#include "verifier/appraisal/appraise.h"
#include "verifier/appraisal/token.h"
#include "verifier/state/configuration.h"
#include "verifier/testing/fixtures.h"

namespace touchmark::verifier::testing {
namespace {

constexpr UnixTime kNow{Seconds(1'790'000'000)};
constexpr const char* kValue = "user@example.com";

// Test keys: they protect nothing.
constexpr const char* kInstallationKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQcuRigifehGIljnQ
mXAa8yrdkoUP+iz7gKVv9HGISHShRANCAARgc52CvbkBSQ5lv0BE0LWd+bzq4emL
2SwDVSu3T9N8/VXIMfg3d3WdG4CHcmdPbGEYUUQBwC/kX6Z+c6cDxdaX
-----END PRIVATE KEY-----
)";
constexpr const char* kConfigKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeWrw3wx3oichtAhD
vQibobfn63IzIegqeLNMXXA8u6ChRANCAATPCR7FhIQ9BASzeOF2GvD9CERMpf6r
sIP85BK+gNPVN9Nc8ADqZi2lClkPDNHQ9uD9cD/dCyPiWwvjAX94/E5M
-----END PRIVATE KEY-----
)";

Bytes fixed_bytes(const std::string& name, std::size_t count) {
  RepeatableRandom random("vector " + name);
  return random.bytes(count);
}

std::vector<package::Part> sample_code() {
  return {{"classes.dex", package::PartKind::kDex, 300'000, {}},
          {"lib/arm64-v8a/libapp.so", package::PartKind::kNativeLibrary, 1'000, {}}};
}

Json challenge_vectors() {
  const Bytes key = fixed_bytes("challenge key", 32);
  const appraisal::ChallengeMaker maker(key);
  RepeatableRandom random("vector challenge");
  const Bytes nonce = maker.make(kNow + Seconds(120), random);
  Bytes forged = nonce;
  forged.back() ^= std::byte{1};
  Json code = Json::array();
  for (const package::Part& part : sample_code()) code.push_back({part.name, part.size});
  return {{"key", hex_encode(key)},
          {"random", hex_encode(ByteView(nonce).first(16))},
          {"expires", to_unix(kNow + Seconds(120))},
          {"nonce", base64url_encode(nonce)},
          {"forged_nonce", base64url_encode(forged)},
          {"code", code},
          {"ranges", protocol::to_json(maker.ranges(nonce, sample_code()))},
          {"assumed_code", Json::array({Json::array({appraisal::assumed_code()[0].name,
                                                     appraisal::assumed_code()[0].size})})},
          {"assumed_ranges", protocol::to_json(maker.ranges(nonce, appraisal::assumed_code()))}};
}

Json range_proof_vectors() {
  const std::map<std::string, Bytes> contents{{"classes.dex", fixed_bytes("dex", 100)},
                                              {"lib/x86_64/libapp.so", fixed_bytes("so", 40)}};
  const Bytes nonce = fixed_bytes("nonce", appraisal::kNonceBytes);
  package::Measurement measurement;
  Json parts = Json::object();
  std::map<Sha256Digest, const Bytes*> by_digest;
  for (const auto& [name, content] : contents) {
    const Sha256Digest digest = crypto::sha256(content);
    measurement.parts.push_back({name, package::PartKind::kDex, content.size(), digest});
    parts[name] = base64_encode(content);
    by_digest[digest] = &content;
  }
  const appraisal::Reference reference({"", measurement, kNow, {}, ""});
  const appraisal::RangeReader read = [&](const Sha256Digest& part, std::uint64_t offset,
                                          std::uint64_t length,
                                          const appraisal::ByteSink& sink) -> Result<void> {
    const ByteView content(*by_digest.at(part));
    const std::uint64_t from = std::min<std::uint64_t>(offset, content.size());
    sink(content.subspan(from, std::min<std::uint64_t>(length, content.size() - from)));
    return {};
  };
  const std::vector<std::pair<std::string, std::vector<protocol::Range>>> cases{
      {"no range", {}},
      {"one range", {{"classes.dex", 10, 20}}},
      {"two parts, in the order asked for",
       {{"lib/x86_64/libapp.so", 0, 16}, {"classes.dex", 90, 10}}},
      {"over the end of a part: what is there", {{"classes.dex", 90, 4096}}},
      {"beyond the end of a part: nothing", {{"classes.dex", 100, 1}, {"classes.dex", 5000, 4096}}},
      {"an absent part: nothing", {{"classes2.dex", 0, 4096}, {"classes.dex", 0, 4}}},
      {"an offset near the largest integer", {{"classes.dex", UINT64_MAX - 1, 4096}}}};
  Json out_cases = Json::array();
  for (const auto& [name, ranges] : cases) {
    const Sha256Digest proof =
        appraisal::range_proof(nonce, ranges, reference.digests, read).value();
    out_cases.push_back({{"name", name},
                         {"ranges", protocol::to_json(ranges)},
                         {"range_proof", base64url_encode(proof)}});
  }
  return {{"nonce", base64url_encode(nonce)}, {"parts", parts}, {"cases", out_cases}};
}

Json arc_vectors() {
  using enum protocol::FindingId;
  const std::vector<std::vector<protocol::FindingId>> cases{
      {},
      {kAppNotRegistered},
      {kNetworkMitm, kHookTextModified},
      {kHookFramework, kAppRangeProof, kRootSu}};
  Json valid = Json::array();
  for (const auto& numbers : cases) {
    std::vector<protocol::Finding> findings;
    Json ids = Json::array();
    for (const protocol::FindingId number : numbers) {
      findings.push_back({number, ""});
      ids.push_back(protocol::to_string(number));
    }
    valid.push_back({{"findings", ids}, {"arc", protocol::encode_arc(findings)}});
  }
  Json invalid = Json::array();
  for (const char* arc : {"", "AE", "AEA1", "AEAR", "AEBA", "AIBA", "AEBACBA", "AEAQ===="}) {
    invalid.push_back({{"arc", arc}, {"error", protocol::decode_arc(arc).error().id()}});
  }
  return {{"valid", valid}, {"invalid", invalid}};
}

Json finding_vectors() {
  Json out = Json::array();
  for (const protocol::FindingInfo& info : protocol::all_findings()) {
    out.push_back({{"number", static_cast<int>(info.number)},
                   {"id", info.id},
                   {"found_by", protocol::to_string(info.found_by)},
                   {"level", protocol::to_string(info.level)},
                   {"meaning", info.meaning}});
  }
  return {{"findings", out}};
}

Json token_vectors() {
  const Bytes secret = fixed_bytes("token secret", 32);
  const appraisal::TokenKeys keys = appraisal::keys_of_secret(secret);
  const appraisal::TokenMint mint({});
  const crypto::EcKey key = crypto::EcKey::from_private_pem(kInstallationKey).value();
  appraisal::TokenFacts facts{protocol::device_id(key), "192.0.2.1", std::nullopt, "", {}, {}};
  RepeatableRandom random("vector token");
  const auto token = [&](bool valid, UnixTime at) {
    return mint.mint(keys.signing(""), valid, facts, at, random);
  };
  // Long past the time of any test, and long before it.
  const UnixTime future = from_unix(4'102'444'800);
  const UnixTime past = from_unix(946'684'800);
  Json out{{"secret", base64_encode(secret)},
           {"decoy_secret", base64_encode(protocol::derive_decoy_secret(secret))},
           {"valid", token(true, future)},
           {"decoy", token(false, future)},
           {"expired", token(true, past)},
           {"forged", crypto::sign_hs256(
                          {{"did", facts.device_id}, {"exp", to_unix(future)}, {"ip", facts.ip}},
                          fixed_bytes("another secret", 32))},
           {"claims", appraisal::check_token(keys, token(true, future), kNow).claims},
           {"pay", {{"value", kValue}, {"pay", base64_encode(crypto::sha256(as_bytes(kValue)))}}}};
  facts.pay = base64_encode(crypto::sha256(as_bytes(kValue)));
  out["bound"] = token(true, future);
  const std::string payload = base64url_encode(as_bytes(R"({"exp":4102444800})"));
  out["alg_none"] =
      base64url_encode(as_bytes(R"({"alg":"none","typ":"JWT"})")) + "." + payload + ".";
  const std::string hs384 =
      base64url_encode(as_bytes(R"({"alg":"HS384","typ":"JWT"})")) + "." + payload;
  out["other_alg"] = hs384 + "." + base64url_encode(crypto::hmac_sha256(secret, as_bytes(hs384)));
  return out;
}

Json evidence_vectors() {
  SoftAttester attester(MemoryApp::make(), "0123456789abcdef");
  attester.key = crypto::EcKey::from_private_pem(kInstallationKey).value();
  attester.config_version = 1;
  RepeatableRandom random("vector evidence");
  const appraisal::ChallengeMaker maker(fixed_bytes("challenge key", 32));
  const Bytes nonce = maker.make(kNow + Seconds(120), random);
  const appraisal::Reference reference(attester.app.registration(kNow));
  const Json challenge{{"nonce", base64url_encode(nonce)},
                       {"ranges", protocol::to_json(maker.ranges(nonce, reference.code))}};
  Json claims = attester.claims(challenge);
  claims["findings"] = {{{"id", "root.su"}, {"detail", "/system/xbin/su"}}};
  claims["pay"] = base64_encode(crypto::sha256(as_bytes(kValue)));
  const Json request = Json::parse(attester.attest_request(claims));
  return {{"installation_key_pem", kInstallationKey},
          {"installation_key_jwk", crypto::to_jwk(attester.key)},
          {"did", protocol::device_id(attester.key)},
          {"challenge", challenge},
          {"claims", claims},
          {"jws", request["evidence"]}};
}

// Findings in runs of one kind, "id" and how many, in the order in which they were found.
using Runs = std::vector<std::pair<std::string, std::size_t>>;

Json omitted_vectors() {
  SoftAttester attester(MemoryApp::make(), "0123456789abcdef");
  const Json challenge{{"nonce", base64url_encode(fixed_bytes("nonce", appraisal::kNonceBytes))},
                       {"ranges", Json::array()}};
  const JsonDocument document(attester.claims(challenge));
  auto claims = protocol::decode_evidence_claims(document.root()).value();
  Runs kinds;
  for (int i = 0; i < 170; ++i) kinds.emplace_back("kind-" + std::to_string(1000 + i), 1);
  const std::vector<std::pair<std::string, Runs>> cases{
      {"none", {}},
      {"as many as are sent", {{"root.su", 99}, {"hook.preload", 1}}},
      {"one more", {{"root.su", 101}}},
      {"a flood hides no other kind",
       {{"hook.unknown-code", 5000}, {"root.su", 1}, {"debug.attached", 3}}},
      {"floods share the places; one that is left goes by the order of the ids",
       {{"root.su", 4000},
        {"hook.unknown-code", 5000},
        {"debug.attached", 3},
        {"root.su", 1000},
        {"app.unreadable", 200}}},
      {"more kinds than are sent, and than are counted", kinds}};
  Json out = Json::array();
  for (const auto& [name, found] : cases) {
    claims.findings.clear();
    for (const auto& [id, count] : found) {
      claims.findings.insert(claims.findings.end(), count, {id, ""});
    }
    const Json encoded = protocol::encode_evidence(claims);
    Runs sent;
    for (const Json& finding : encoded["findings"]) {
      const auto id = finding["id"].get<std::string>();
      if (sent.empty() || sent.back().first != id) sent.emplace_back(id, 0);
      ++sent.back().second;
    }
    out.push_back({{"name", name},
                   {"found", found},
                   {"findings", sent},
                   {"findings_omitted", encoded.value("findings_omitted", Json())}});
  }
  return {{"cases", out}};
}

Json hardware_binding_vectors() {
  const crypto::EcKey key = crypto::EcKey::from_private_pem(kInstallationKey).value();
  const Bytes nonce = fixed_bytes("nonce", appraisal::kNonceBytes);
  const Sha256Digest client_data = protocol::app_attest_client_data_hash(nonce, key.public_der());
  const Sha256Digest play = protocol::play_integrity_hash(nonce, key.public_der());
  return {{"nonce", base64url_encode(nonce)},
          {"installation_key_jwk", crypto::to_jwk(key)},
          {"installation_key_spki", base64_encode(key.public_der())},
          {"app_attest_client_data_hash", base64_encode(client_data)},
          {"play_integrity_nonce", base64url_encode(play)},
          {"play_integrity_request_hash", base64url_encode(play)}};
}

// An iOS image, and the parts that service and SDK measure of it.
Json image_vectors() {
  using package::ios::Extent;
  const std::string file = package::testing::mach_o_image(
      {.has_signature = false}, 3 * package::testing::kMachOPage - 100, 0);
  const auto image = package::ios::parse_image(as_bytes(file), file.size()).value();
  Json parts = Json::array();
  for (const package::ios::ImagePart& part : image.parts) {
    crypto::Sha256 sha;
    Json extents = Json::array();
    for (const Extent& extent : part.extents) {
      sha.update(as_bytes(file).subspan(extent.offset, extent.size));
      extents.push_back(
          {{"address", extent.address}, {"offset", extent.offset}, {"size", extent.size}});
    }
    parts.push_back(
        {{"name", package::ios::image_part_name("Frameworks/Kit.framework/Kit", image, part.name)},
         {"size", part.size()},
         {"sha256", hex_encode(sha.finish())},
         {"extents", extents}});
  }
  return {{"path", "Frameworks/Kit.framework/Kit"},
          {"image", base64_encode(as_bytes(file))},
          {"architecture", image.architecture()},
          {"uuid", hex_encode(image.uuid.value())},
          {"parts", parts}};
}

Json config_vectors() {
  const crypto::EcKey key = crypto::EcKey::from_private_pem(kConfigKey).value();
  state::ServiceSettings settings;
  settings.public_urls = {"https://verifier.example:8443", "https://failover.example"};
  settings.service_pins = {base64_encode(fixed_bytes("pin", 32)),
                           base64_encode(fixed_bytes("backup pin", 32))};
  const std::vector<model::ApiDomain> apis{
      {"api.example.com", {base64_encode(fixed_bytes("api pin", 32))}}, {"localhost:5001", {}}};
  const state::Configuration configuration =
      state::next_configuration(
          {}, state::configuration_content("0123456789abcdef", settings, apis, key).value(), kNow)
          .value();
  return {{"config_key_pem", kConfigKey},
          {"config_key", crypto::to_jwk(key)},
          {"payload", crypto::parse_jws(configuration.jws)->payload},
          {"jws", configuration.jws}};
}

}  // namespace

std::map<std::string, Json> make_vectors() {
  return {{"arc.json", arc_vectors()},
          {"challenge.json", challenge_vectors()},
          {"config.json", config_vectors()},
          {"evidence.json", evidence_vectors()},
          {"findings.json", finding_vectors()},
          {"findings-omitted.json", omitted_vectors()},
          {"hardware-binding.json", hardware_binding_vectors()},
          {"image.json", image_vectors()},
          {"range-proof.json", range_proof_vectors()},
          {"token.json", token_vectors()}};
}

}  // namespace touchmark::verifier::testing
