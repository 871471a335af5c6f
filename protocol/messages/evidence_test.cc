#include "protocol/messages/evidence.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "base/encoding.h"
#include "crypto/jose.h"
#include "protocol/device_id.h"
#include "protocol/limits.h"
#include "protocol/testing/vectors.h"

namespace touchmark::protocol {
namespace {

class EvidenceTest : public ::testing::Test {
 protected:
  // Those of the golden vector, except what it reports and binds.
  Json claims() const {
    Json claims = vector_["claims"];
    claims["findings"] = Json::array();
    claims.erase("pay");
    return claims;
  }
  std::string sign(const Json& claims) const {
    return crypto::sign_es256(claims, key_,
                              {{"typ", "touchmark-evidence+jwt"}, {"jwk", crypto::to_jwk(key_)}});
  }
  // A payload as text, in whatever spelling.
  std::string sign_text(std::string_view payload) const {
    const Json header{
        {"alg", "ES256"}, {"typ", "touchmark-evidence+jwt"}, {"jwk", crypto::to_jwk(key_)}};
    const std::string input =
        base64url_encode(as_bytes(header.dump())) + "." + base64url_encode(as_bytes(payload));
    return input + "." + base64url_encode(key_.sign(as_bytes(input)));
  }
  const Json vector_ = testing::read_vector("evidence.json");
  const crypto::EcKey key_ =
      crypto::EcKey::from_private_pem(vector_["installation_key_pem"].get<std::string>()).value();
};

TEST_F(EvidenceTest, ReadsEveryClaim) {
  Json claims = this->claims();
  claims["findings"] = {{{"id", "root.su"}, {"detail", "/system/xbin/su"}}};
  claims["pay"] = base64_encode(crypto::sha256(as_bytes("user")));
  claims["keyset"] = "partners";
  auto evidence = decode_evidence(sign(claims));
  ASSERT_TRUE(evidence) << evidence.error().text();
  EXPECT_EQ(evidence->account, "0123456789abcdef");
  EXPECT_EQ(evidence->nonce.size(), 40U);
  EXPECT_EQ(evidence->os, "android");
  EXPECT_EQ(evidence->sdk_build, "android");
  EXPECT_EQ(evidence->package_name, "com.example.app");
  EXPECT_EQ(evidence->version_code, 7U);
  EXPECT_EQ(base64url_encode(evidence->measurement), claims["app"]["measurement"]);
  EXPECT_EQ(evidence->signers.size(), 1U);
  EXPECT_EQ(evidence->parts.size(), 2U);
  EXPECT_EQ(evidence->checks.size(), 5U);
  ASSERT_EQ(evidence->findings.size(), 1U);
  EXPECT_EQ(evidence->findings[0].id, "root.su");
  EXPECT_EQ(evidence->findings[0].detail, "/system/xbin/su");
  EXPECT_EQ(base64url_encode(evidence->tls_exporter), claims["tls"]["exporter"]);
  EXPECT_EQ(base64url_encode(evidence->tls_spki), claims["tls"]["spki"]);
  EXPECT_EQ(evidence->pay, claims["pay"].get<std::string>());
  EXPECT_EQ(evidence->key_set, "partners");
  EXPECT_EQ(evidence->did, device_id(key_));
  EXPECT_EQ(base64_decode(evidence->did)->size(), 16U);
}

TEST_F(EvidenceTest, RefusesEveryMissingOrMistypedClaim) {
  const std::vector<std::string> required{"/eat_nonce",
                                          "/iat",
                                          "/account",
                                          "/config_version",
                                          "/range_proof",
                                          "/platform",
                                          "/platform/os",
                                          "/sdk",
                                          "/sdk/version",
                                          "/sdk/build",
                                          "/app",
                                          "/app/package",
                                          "/app/version_name",
                                          "/app/version_code",
                                          "/app/measurement",
                                          "/app/signers",
                                          "/app/parts",
                                          "/checks",
                                          "/findings",
                                          "/tls",
                                          "/tls/exporter",
                                          "/tls/spki"};
  for (const std::string& name : required) {
    const Json::json_pointer pointer(name);
    Json missing = claims();
    missing.at(pointer.parent_pointer()).erase(pointer.back());
    auto evidence = decode_evidence(sign(missing));
    ASSERT_FALSE(evidence) << name << " missing";
    EXPECT_TRUE(evidence.error().is(EvidenceError::kMalformed)) << evidence.error().text();
    Json mistyped = claims();
    mistyped.at(pointer) = true;
    EXPECT_FALSE(decode_evidence(sign(mistyped))) << name << " of another type";
  }
}

TEST_F(EvidenceTest, RefusesOutOfBounds) {
  const auto refused = [&](const std::string& pointer, const Json& value) {
    Json changed = claims();
    changed[Json::json_pointer(pointer)] = value;
    return !decode_evidence(sign(changed));
  };
  EXPECT_TRUE(refused("/range_proof", base64url_encode(Bytes(31))));
  EXPECT_TRUE(refused("/range_proof", base64url_encode(Bytes(32)) + "="));
  EXPECT_TRUE(refused("/app/measurement", base64url_encode(Bytes(33))));
  EXPECT_TRUE(refused("/app/version_code", -1));
  EXPECT_TRUE(refused("/eat_nonce", base64url_encode(Bytes(65))));
  EXPECT_TRUE(refused("/account", std::string(257, 'a')));
  EXPECT_TRUE(refused("/pay", "AAAA"));
  EXPECT_TRUE(refused("/pay", 1));
  EXPECT_TRUE(refused("/app/signers", Json::array({1})));
  EXPECT_TRUE(
      refused("/app/signers", Json(std::vector<std::string>(33, base64url_encode(Bytes(32))))));
  EXPECT_TRUE(refused("/app/parts", {{"classes.dex", "short"}}));
  EXPECT_TRUE(refused("/findings", {{{"detail", "no id"}}}));
  EXPECT_TRUE(refused("/findings", Json(std::vector<Json>(257, {{"id", "root.su"}}))));
  EXPECT_FALSE(refused("/eat_nonce", base64url_encode(Bytes(3)))) << "forged, but well formed";
}

TEST_F(EvidenceTest, RefusesWhatTheInstallationKeyDidNotSign) {
  std::string evidence = sign(claims());
  const crypto::EcKey other = crypto::EcKey::generate();
  const std::string wrong_key = crypto::sign_es256(
      claims(), other, {{"typ", "touchmark-evidence+jwt"}, {"jwk", crypto::to_jwk(key_)}});
  EXPECT_TRUE(decode_evidence(wrong_key).error().is(crypto::JoseError::kBadSignature));
  const std::string wrong_type =
      crypto::sign_es256(claims(), key_, {{"typ", "JWT"}, {"jwk", crypto::to_jwk(key_)}});
  EXPECT_TRUE(decode_evidence(wrong_type).error().is(crypto::JoseError::kWrongType));
  EXPECT_FALSE(decode_evidence(""));
  EXPECT_FALSE(decode_evidence("a.b.c"));
  EXPECT_FALSE(decode_evidence(std::string(kMaxAttestBody + 1, 'a')));
  evidence.back() = evidence.back() == 'A' ? 'B' : 'A';
  EXPECT_FALSE(decode_evidence(evidence));
}

TEST_F(EvidenceTest, CutsLongDetails) {
  Json claims = this->claims();
  claims["findings"] = {{{"id", "root.su"}, {"detail", std::string(5000, 'x')}}};
  EXPECT_EQ(decode_evidence(sign(claims))->findings[0].detail.size(), 512U);
}

TEST_F(EvidenceTest, TheGoldenVectorIsReadAndMadeAgain) {
  auto evidence = decode_evidence(vector_["jws"].get<std::string>());
  ASSERT_TRUE(evidence) << evidence.error().text();
  EXPECT_EQ(evidence->did, vector_["did"].get<std::string>());
  EXPECT_EQ(encode_evidence(*evidence), vector_["claims"]);
  const std::string jws = vector_["jws"];
  const std::string again = sign_evidence(*evidence, key_);
  EXPECT_EQ(again.substr(0, again.rfind('.')), jws.substr(0, jws.rfind('.')));
}

EvidenceClaims full_claims() {
  EvidenceClaims claims;
  claims.nonce = Bytes(kNonceBytes, std::byte{1});
  claims.issued_at = 1'790'000'000;
  claims.account = "account";
  claims.config_version = 3;
  claims.os = "android";
  claims.os_version = "14";
  claims.manufacturer = "Example";
  claims.model = "Phone \xc3\xa4";
  claims.installer = "com.android.vending";
  claims.platform_rest = {{"api_level", 34}, {"abi", "arm64-v8a"}};
  claims.sdk_platform = "Android";
  claims.sdk_version = "0.1.0";
  claims.sdk_build = kAndroidBuild;
  claims.sdk_key = "android-keystore";
  claims.package_name = "com.example.app";
  claims.version_name = "1.0";
  claims.version_code = 7;
  claims.measurement.fill(std::byte{2});
  claims.signers = {Sha256Digest{}, claims.measurement};
  claims.parts = {{"classes.dex", claims.measurement}, {"lib/x86_64/a.so", {}}};
  claims.splits = {{"", claims.measurement}, {"config.de", {}}};
  claims.range_proof.fill(std::byte{3});
  claims.checks = {"app", "hook"};
  claims.findings = {{"root.su", "/system/xbin/su"}, {"hook.framework", ""}};
  claims.tls_exporter = Bytes(32, std::byte{4});
  claims.tls_spki = Bytes(32, std::byte{5});
  claims.pay = base64_encode(crypto::sha256(as_bytes("user")));
  claims.submods = {{std::string(kPlayIntegritySubmod), {{"token", "x"}}}};
  return claims;
}

TEST_F(EvidenceTest, IsReadBackAsItWasMade) {
  for (const EvidenceClaims& claims : {full_claims(), [] {
                                         EvidenceClaims least;
                                         least.os = "linux";
                                         return least;
                                       }()}) {
    auto read = decode_evidence(sign_evidence(claims, key_));
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(static_cast<const EvidenceClaims&>(*read), claims);
    EXPECT_EQ(read->key.public_der(), key_.public_der());
  }
}

TEST_F(EvidenceTest, SendsNoMoreThanFitsIntoARequest) {
  EvidenceClaims claims = full_claims();
  claims.findings.assign(1000, {"root.su", std::string(10'000, 'x')});
  const Json findings = encode_evidence(claims)["findings"];
  EXPECT_EQ(findings.size(), kMaxSentFindings);
  EXPECT_EQ(findings[0]["detail"].get<std::string>().size(), kMaxSentDetail);
  EXPECT_TRUE(decode_evidence(sign_evidence(claims, key_)));
}

// In the evidence: id -> how many are in it, and how many it says were left out.
using Counts = std::map<std::string, std::pair<std::size_t, std::size_t>>;
Counts counts_of(const EvidenceClaims& claims) {
  const Json json = encode_evidence(claims);
  Counts out;
  for (const Json& finding : json["findings"]) ++out[finding["id"].get<std::string>()].first;
  const Json omitted = json.value("findings_omitted", Json::object());
  for (const auto& [id, count] : omitted.items()) out[id].second = count.get<std::size_t>();
  return out;
}

TEST_F(EvidenceTest, AFloodOfOneKindHidesNoOther) {
  EvidenceClaims claims = full_claims();
  claims.findings.assign(5000, {"hook.unknown-code", "a mapping"});
  claims.findings.push_back({"root.su", "/system/xbin/su"});
  claims.findings.insert(claims.findings.end(), 3, {"debug.attached", "a tracer"});
  EXPECT_EQ(
      counts_of(claims),
      (Counts{{"hook.unknown-code", {96, 4904}}, {"root.su", {1, 0}}, {"debug.attached", {3, 0}}}));
  auto read = decode_evidence(sign_evidence(claims, key_));
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->findings.size(), kMaxSentFindings);
  EXPECT_EQ(read->findings[0], (ReportedFinding{"hook.unknown-code",
                                                "(and 4904 left out of the evidence) a mapping"}));
  EXPECT_EQ(read->findings[96], (ReportedFinding{"root.su", "/system/xbin/su"}));
  claims.findings.insert(claims.findings.end(), 5000, {"root.su", ""});
  claims.findings.insert(claims.findings.begin(), 200, {"app.unreadable", ""});
  EXPECT_EQ(counts_of(claims), (Counts{{"hook.unknown-code", {32, 4968}},
                                       {"root.su", {32, 4969}},
                                       {"app.unreadable", {33, 167}},
                                       {"debug.attached", {3, 0}}}));
}

TEST_F(EvidenceTest, WhatFitsIsSentAsItAlwaysWas) {
  EvidenceClaims claims = full_claims();
  claims.findings.assign(kMaxSentFindings, {"root.su", "x"});
  EXPECT_FALSE(encode_evidence(claims).contains("findings_omitted"));
  EXPECT_EQ(decode_evidence(sign_evidence(claims, key_))->findings, claims.findings);
  claims.findings.push_back({"root.su", "y"});
  EXPECT_EQ(encode_evidence(claims)["findings_omitted"], (Json{{"root.su", 1}}));
}

// The golden vectors: what is sent of each kind, and that the service finds every kind that is
// named.
TEST_F(EvidenceTest, LeavesOutWhatTheVectorsSay) {
  const auto findings_of = [](const Json& runs) {
    std::vector<ReportedFinding> out;
    for (const Json& run : runs) {
      out.insert(out.end(), run[1].get<std::size_t>(), {run[0].get<std::string>(), ""});
    }
    return out;
  };
  const Json vectors = testing::read_vector("findings-omitted.json");
  EXPECT_GE(vectors["cases"].size(), 6U);
  for (const Json& item : vectors["cases"]) {
    SCOPED_TRACE(item["name"]);
    EvidenceClaims claims = full_claims();
    claims.findings = findings_of(item["found"]);
    const Json encoded = encode_evidence(claims);
    std::vector<ReportedFinding> sent;
    for (const Json& finding : encoded["findings"]) {
      sent.push_back({finding["id"].get<std::string>(), ""});
    }
    EXPECT_EQ(sent, findings_of(item["findings"]));
    EXPECT_EQ(encoded.value("findings_omitted", Json()), item["findings_omitted"]);

    std::set<std::string> named;
    for (const ReportedFinding& finding : sent) named.insert(finding.id);
    for (const auto& [id, count] : item["findings_omitted"].items()) named.insert(id);
    auto read = decode_evidence(sign_evidence(claims, key_));
    ASSERT_TRUE(read) << read.error().text();
    std::set<std::string> judged;
    for (const ReportedFinding& finding : read->findings) judged.insert(finding.id);
    EXPECT_EQ(judged, named);
  }
}

// Kinds beyond the bound, which no version of the table comes near, lose their place and nothing
// else.
TEST_F(EvidenceTest, ManyKindsAreBoundedToo) {
  EvidenceClaims claims = full_claims();
  for (int i = 0; i < 1000; ++i) claims.findings.push_back({"kind-" + std::to_string(i), ""});
  EXPECT_EQ(encode_evidence(claims)["findings_omitted"].size(), kMaxOmittedKinds);
  EXPECT_TRUE(decode_evidence(sign_evidence(claims, key_)));
}

// Another client may leave out all of a kind; the service judges it no less.
TEST_F(EvidenceTest, AKindThatIsLeftOutAltogetherIsFound) {
  Json claims = this->claims();
  claims["findings"] = Json::array({{{"id", "root.su"}, {"detail", std::string(kMaxDetail, 'x')}}});
  claims["findings_omitted"] = {{"root.su", 2}, {"hook.framework", 7}, {"never.heard-of", 1}};
  auto evidence = decode_evidence(sign(claims));
  ASSERT_TRUE(evidence) << evidence.error().text();
  std::map<std::string, std::string> found;
  for (const ReportedFinding& finding : evidence->findings) found[finding.id] = finding.detail;
  EXPECT_EQ(found.size(), 3U);
  EXPECT_EQ(found["root.su"].size(), kMaxDetail);
  EXPECT_EQ(found["root.su"].substr(0, 36), "(and 2 left out of the evidence) xxx");
  EXPECT_EQ(found["hook.framework"], "(and 7 left out of the evidence) ");
  EXPECT_EQ(found["never.heard-of"], "(and 1 left out of the evidence) ");
}

TEST_F(EvidenceTest, RefusesOmissionsThatAreNone) {
  for (const Json& omitted : {Json(1), Json::array({"root.su"}), Json{{"root.su", 0}},
                              Json{{"root.su", -1}}, Json{{"root.su", "1"}}, Json{{"root.su", 1.5}},
                              Json{{"", 1}}, Json{{std::string(kMaxWord + 1, 'a'), 1}}}) {
    Json claims = this->claims();
    claims["findings_omitted"] = omitted;
    auto read = decode_evidence(sign(claims));
    ASSERT_FALSE(read) << omitted.dump();
    EXPECT_TRUE(read.error().is(EvidenceError::kMalformed)) << read.error().text();
  }
  Json claims = this->claims();
  for (std::size_t i = 0; i <= kMaxOmittedKinds; ++i) {
    claims["findings_omitted"]["kind-" + std::to_string(i)] = 1;
  }
  EXPECT_FALSE(decode_evidence(sign(claims)));
}

TEST_F(EvidenceTest, ReadsOtherMembersOfNoInterest) {
  Json claims = this->claims();
  claims["platform"]["api_level"] = "thirty-four";
  claims["sdk"]["key"] = 5;
  claims["more"] = {1, 2};
  claims["app"]["splits"] = "none";
  auto evidence = decode_evidence(sign(claims));
  ASSERT_TRUE(evidence) << evidence.error().text();
  EXPECT_EQ(evidence->sdk_key, "");
  EXPECT_TRUE(evidence->splits.empty());
}

// A plain payload and the same with an escape in it come in by different parsers.
TEST_F(EvidenceTest, ReadsOneMeaningOutOfAnySpelling) {
  const auto outcome = [&](const std::string& text) -> Result<EvidenceClaims> {
    auto evidence = decode_evidence(sign_text(text));
    if (!evidence) return pass(evidence);
    return static_cast<EvidenceClaims&>(*evidence);
  };
  int taken = 0;
  int refused = 0;
  const auto compare = [&](const Json& claims) {
    const std::string plain = claims.dump();
    std::string escaped = plain;
    const std::size_t at = escaped.find('"') + 1;
    if (at == 0 || escaped[at] == '"') return;
    char code[8];
    std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned char>(escaped[at]));
    escaped.replace(at, 1, code);
    const auto one = outcome(plain);
    const auto other = outcome(escaped);
    ++(one ? taken : refused);
    ASSERT_EQ(one.has_value(), other.has_value()) << plain;
    if (one) {
      EXPECT_EQ(*one, *other) << plain;
    } else {
      EXPECT_EQ(one.error().text(), other.error().text()) << plain;
    }
  };
  Json claims = vector_["claims"];
  claims["submods"] = {{"z", {{"b", {1, -2, nullptr}}, {"a", "x"}}}, {"a", Json::object()}};
  claims["platform"]["more"] = {{"y", true}, {"x", {3, "4"}}};
  claims["findings_omitted"] = {{"root.su", 2}, {"debug.port", 1}};
  compare(claims);
  EXPECT_EQ(taken, 1);
  const std::vector<Json> values{1,
                                 0,
                                 -1,
                                 "x",
                                 "",
                                 Json::array(),
                                 Json::object(),
                                 true,
                                 nullptr,
                                 std::string(43, 'A'),
                                 std::string(5000, 'x'),
                                 Json::array({1, 2}),
                                 {{"k", "v"}},
                                 INT64_MAX};
  const Json flat = claims.flatten();
  for (const auto& [pointer, unused] : flat.items()) {
    for (Json::json_pointer at(pointer); !at.empty(); at.pop_back()) {
      Json missing = claims;
      if (missing.at(at.parent_pointer()).is_object()) {
        missing.at(at.parent_pointer()).erase(at.back());
        compare(missing);
      }
      for (const Json& value : values) {
        Json changed = claims;
        changed[at] = value;
        compare(changed);
      }
    }
  }
  EXPECT_GT(taken, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace touchmark::protocol
