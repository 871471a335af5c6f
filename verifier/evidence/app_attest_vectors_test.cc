// App Attest against objects of real iPhones and of Apple's documentation.
#include <gtest/gtest.h>

#include <map>

#include "crypto/crypto.h"
#include "tests/support/vectors.h"
#include "verifier/evidence/app_attest.h"

namespace touchmark::verifier::evidence {
namespace {

using touchmark::testing::read_json_vector;
using touchmark::testing::read_vector;

const std::string kFolder = "app-attest/";

Bytes from_base64(std::string_view text) {
  auto bytes = base64_decode(text);
  if (!bytes) {
    ADD_FAILURE() << bytes.error().text();
    return {};
  }
  return std::move(*bytes);
}

// The documents of one of veehaitch's files: flat "key: value" lines, "properties" one level below.
using Document = std::map<std::string, std::string>;

std::vector<Document> read_documents(const std::string& name) {
  Bytes file = read_vector(kFolder + "veehaitch/" + name);
  std::string_view text = as_text(file);
  std::vector<Document> documents;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line == "---") {
      documents.emplace_back();
      continue;
    }
    std::size_t colon = line.find(':');
    if (colon == line.npos || documents.empty()) continue;
    std::string_view key = line.substr(0, colon);
    std::string_view value = line.substr(std::min(colon + 2, line.size()));
    if (value.starts_with('\'')) value = value.substr(1, value.size() - 2);
    documents.back().emplace(key, value);
  }
  return documents;
}

std::vector<Document> all_documents(std::string_view type) {
  std::vector<Document> found;
  for (const char* name :
       {"ios-14.2.yaml", "ios-14.3-beta-2.yaml", "ios-14.3-beta-3.yaml", "ios-14.3.yaml"}) {
    for (Document& document : read_documents(name)) {
      if (document["type"] == type) found.push_back(std::move(document));
    }
  }
  return found;
}

// "2020-12-19T12:11:02.163Z"
UnixTime time_of(const std::string& text) { return parse_time(text.substr(0, 19) + "Z").value(); }
std::string app_id_of(Document& document) {
  return document["teamIdentifier"] + "." + document["bundleIdentifier"];
}

AttestationRequest request_of(Document& document) {
  AttestationRequest request{
      .as_of = time_of(document["timestamp"]),
      .client_data_hash = from_base64(document["clientDataHashSha256Base64"])};
  request.app_id = app_id_of(document);
  request.key_id = from_base64(document["keyIdBase64"]);
  request.environment = AppAttestEnvironment::kDevelopment;
  return request;
}

AttestationRequest apple_request() {
  AttestationRequest request{.as_of = parse_time("2024-04-18T18:00:00Z").value(),
                             .client_data_hash = to_bytes("test_server_challenge")};
  request.app_id = "0352187391.com.apple.example_app_attest";
  request.environment = AppAttestEnvironment::kProduction;
  return request;
}

Bytes apple_object() {
  Bytes file = read_vector(kFolder + "apple-2024/test_attestation_object.b64");
  std::string_view text = as_text(file);
  while (text.ends_with('\n')) text.remove_suffix(1);
  return from_base64(text);
}

std::string outcome(const AppAttestAttestation& result) {
  if (result.refusal) return result.refusal->text();
  return result.warnings.empty() ? "verified" : result.warnings.front();
}

TEST(AppAttestVectors, ApplesSampleVerifies) {
  AttestationVerifier verifier;
  AppAttestAttestation result = verifier.verify(apple_object(), apple_request());
  EXPECT_EQ(outcome(result), "verified");
  EXPECT_EQ(result.environment, AppAttestEnvironment::kProduction);
  EXPECT_EQ(result.receipt->environment, "production");
  auto published = pki::TrustRoots::parse(
      as_text(read_vector(kFolder + "apple-2024/Apple_App_Attestation_Root_CA.pem")));
  ASSERT_TRUE(published);
  EXPECT_NE(pki::TrustRoots::apple_app_attest().find(published->all().front().spki), nullptr);
}

TEST(AppAttestVectors, ADevelopmentBuildVerifies) {
  Json file = read_json_vector(kFolder + "node-app-attest/attestation-development.json");
  AttestationRequest request{.as_of = parse_time("2024-02-05").value(), .client_data_hash = {}};
  // Its app hashed the challenge's text, which was sent in base64.
  Bytes challenge = from_base64(file.at("challenge").get<std::string>());
  Sha256Digest hash = crypto::sha256(challenge);
  request.client_data_hash.assign(hash.begin(), hash.end());
  request.app_id = "V8H6LQ9448.io.uebelacker.AppAttestExample";
  request.key_id = from_base64(file.at("keyId").get<std::string>());
  AttestationVerifier verifier;
  AppAttestAttestation result =
      verifier.verify(from_base64(file.at("attestation").get<std::string>()), request);
  EXPECT_EQ(outcome(result), "verified");
  EXPECT_EQ(result.environment, AppAttestEnvironment::kDevelopment);
  Json json = to_json(result);
  EXPECT_EQ(json.at("osFacts").at("1400"), "17.2.1");
  EXPECT_EQ(json.at("appFacts").at("1204"), *request.app_id);
}

TEST(AppAttestVectors, RealAttestationsVerify) {
  AttestationVerifier verifier;
  std::vector<Document> documents = all_documents("attestation");
  ASSERT_EQ(documents.size(), 4U);
  for (Document& document : documents) {
    AppAttestAttestation result =
        verifier.verify(from_base64(document["attestationBase64"]), request_of(document));
    EXPECT_EQ(outcome(result), "verified") << document["id"];
    EXPECT_EQ(to_bytes(result.key_id()), from_base64(document["keyIdBase64"]));
  }
}

TEST(AppAttestVectors, RealAssertionsVerify) {
  AttestationVerifier verifier;
  std::map<std::string, Bytes> keys;
  for (Document& document : all_documents("attestation")) {
    auto result = verifier.verify(from_base64(document["attestationBase64"]), request_of(document));
    keys[document["keyIdBase64"]] = to_bytes(result.public_key());
  }
  std::vector<Document> documents = all_documents("assertion");
  ASSERT_EQ(documents.size(), 4U);
  for (Document& document : documents) {
    auto key = pki::PublicKey::from_spki(keys.at(document["keyIdBase64"]));
    ASSERT_TRUE(key) << key.error().text();
    Bytes object = from_base64(document["assertionBase64"]);
    Bytes hash = from_base64(document["clientDataHashSha256Base64"]);
    std::string app_id = app_id_of(document);
    AssertionRequest request{.client_data_hash = hash};
    request.app_id = app_id;
    request.previous_counter = 0;
    AppAttestAssertion result = verify_assertion(object, *key, request);
    ASSERT_TRUE(result.verified()) << result.refusal->text();
    EXPECT_EQ(std::to_string(result.authenticator_data->sign_count), document["counter"]);
    request.previous_counter = result.authenticator_data->sign_count;
    EXPECT_EQ(verify_assertion(object, *key, request).refusal->id(), "app-attest.counter-replayed");
    for (std::size_t i = 0; i < object.size(); ++i) {
      Bytes changed = object;
      changed[i] ^= std::byte{1};
      EXPECT_FALSE(verify_assertion(changed, *key, {.client_data_hash = hash}).verified()) << i;
    }
  }
}

TEST(AppAttestVectors, RealReceiptsVerify) {
  ReceiptVerifier verifier;
  std::vector<Document> documents = all_documents("receipt");
  ASSERT_EQ(documents.size(), 12U);
  for (Document& document : documents) {
    SCOPED_TRACE(document["id"]);
    ReceiptRequest request{.as_of = time_of(document["timestamp"])};
    request.app_id = app_id_of(document);
    request.max_age = Seconds(300);
    Bytes encoded = from_base64(document["receiptBase64"]);
    AppAttestReceipt receipt = verifier.verify(encoded, request);
    ASSERT_TRUE(receipt.verified()) << receipt.refusal->text();
    EXPECT_EQ(receipt.type, document["  type"]);
    EXPECT_EQ(receipt.token, document["  token"]);
    EXPECT_EQ(receipt.environment, document["  environment"]);
    EXPECT_EQ(base64_encode(receipt.client_hash), document["  clientHashBase64"]);
    EXPECT_EQ(receipt.risk_metric ? std::to_string(*receipt.risk_metric) : "",
              document["  riskMetric"]);
    EXPECT_EQ(*receipt.creation_time, time_of(document["  creationTime"]));
    EXPECT_EQ(*receipt.expiration_time, time_of(document["  expirationTime"]));
    EXPECT_EQ(receipt.not_before.has_value(), !document["  notBefore"].empty());

    request.as_of += Seconds(1000);
    EXPECT_EQ(verifier.verify(encoded, request).refusal->id(), "receipt.too-old");
    request.max_age.reset();
    EXPECT_TRUE(verifier.verify(encoded, request).verified());
    request.as_of += std::chrono::days(100);
    EXPECT_EQ(verifier.verify(encoded, request).refusal->id(), "receipt.expired");
    request.as_of -= std::chrono::days(200);
    EXPECT_EQ(verifier.verify(encoded, request).refusal->id(), "receipt.not-yet-valid");
    request.app_id = "6MURL8TA57.another.app";
    EXPECT_EQ(verifier.verify(encoded, request).refusal->id(), "receipt.wrong-app-id");
  }
}

TEST(AppAttestVectors, NoByteOfAnAttestationCanBeChanged) {
  AttestationVerifier verifier;
  for (bool apples : {true, false}) {
    Document document = all_documents("attestation").front();
    Bytes object = apples ? apple_object() : from_base64(document["attestationBase64"]);
    AttestationRequest request = apples ? apple_request() : request_of(document);
    ASSERT_TRUE(verifier.verify(object, request).verified());
    // Each byte of one object, a bit that moves; of the other every fifth, for time's sake.
    for (std::size_t i = 0; i < object.size(); i += apples ? 1 : 5) {
      Bytes changed = object;
      changed[i] ^= static_cast<std::byte>(1U << i % 8);
      ASSERT_FALSE(verifier.verify(changed, request).verified()) << i;
    }
  }
}

TEST(AppAttestVectors, NoByteOfAReceiptCanBeChanged) {
  ReceiptVerifier verifier;
  std::vector<Document> documents = all_documents("receipt");
  for (Document document : {documents[0], documents[1]}) {  // one in BER, one in DER
    Bytes encoded = from_base64(document["receiptBase64"]);
    ReceiptRequest request{.as_of = time_of(document["timestamp"])};
    for (std::size_t i = 0; i < encoded.size(); i += 2) {
      Bytes changed = encoded;
      changed[i] ^= std::byte{0x01};
      ASSERT_FALSE(verifier.verify(changed, request).verified()) << i;
    }
  }
}

TEST(AppAttestVectors, EachExpectationIsChecked) {
  AttestationVerifier verifier;
  auto outcome_of = [&verifier](const AttestationRequest& request) {
    AppAttestAttestation result = verifier.verify(apple_object(), request);
    return result.refusal ? result.refusal->id() : "verified";
  };
  AttestationRequest request = apple_request();
  request.client_data_hash = to_bytes("another challenge");
  EXPECT_EQ(outcome_of(request), "app-attest.nonce-mismatch");
  request = apple_request();
  request.app_id = "0352187391.com.apple.another";
  EXPECT_EQ(outcome_of(request), "app-attest.wrong-app-id");
  request = apple_request();
  request.environment = AppAttestEnvironment::kDevelopment;
  EXPECT_EQ(outcome_of(request), "app-attest.wrong-environment");
  request = apple_request();
  request.key_id = Bytes(32);
  EXPECT_EQ(outcome_of(request), "app-attest.key-id-mismatch");
  request = apple_request();
  request.as_of = parse_time("2024-05-01").value();
  EXPECT_EQ(outcome_of(request), "chain.expired");
  request.as_of = parse_time("2024-04-01").value();
  EXPECT_EQ(outcome_of(request), "chain.not-yet-valid");
}

}  // namespace
}  // namespace touchmark::verifier::evidence
