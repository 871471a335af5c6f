#include "verifier/evidence/play_integrity.h"

#include <gtest/gtest.h>

#include "crypto/jose.h"
#include "crypto/jwe.h"
#include "crypto/testing/jwe_writer.h"
#include "tests/support/vectors.h"

namespace touchmark::verifier::evidence {
namespace {

using touchmark::testing::from_hex;
using touchmark::testing::read_json_vector;
using touchmark::testing::read_vector;

Bytes hex_member(const Json& test, const char* name) {
  return from_hex(test.at(name).get<std::string>());
}

TEST(Wycheproof, AesKeyWrap256) {
  Json file = read_json_vector("wycheproof/aes_wrap_test.json");
  int checked = 0;
  for (const Json& group : file.at("testGroups")) {
    if (group.at("keySize") != 256) continue;
    for (const Json& test : group.at("tests")) {
      auto key = crypto::unwrap_key(hex_member(test, "key"), hex_member(test, "ct"));
      EXPECT_EQ(key.has_value(), test.at("result") == "valid") << test.dump();
      if (key) {
        EXPECT_EQ(*key, hex_member(test, "msg")) << test.dump();
      }
      ++checked;
    }
  }
  EXPECT_EQ(checked, 68);
}

class PlayIntegrityTest : public ::testing::Test {
 protected:
  // A token with any header, around any text.
  std::string encrypt(const Json& header, std::string_view plain, std::size_t key_size = 32) {
    return touchmark::testing::make_jwe(keys_.decryption_key, header, plain, key_size);
  }
  std::string token(const Json& payload) {
    return encrypt(header_, crypto::sign_es256(payload, signing_key_, Json::object()));
  }
  std::string outcome(const std::string& text) {
    PlayIntegrity result = verify_play_integrity(text, keys_, request_);
    if (result.refusal) return result.refusal->id();
    return result.warnings.empty() ? "verified" : result.warnings.front();
  }

  crypto::EcKey signing_key_ = crypto::EcKey::generate();
  PlayIntegrityKeys keys_{SystemRandom().bytes(32),
                          crypto::EcKey::from_public_der(signing_key_.public_der()).value()};
  Json header_ = {{"alg", "A256KW"}, {"enc", "A256GCM"}};
  Json payload_ = read_json_vector("play-integrity/payload.json");
  PlayIntegrityRequest request_ = [] {
    PlayIntegrityRequest request{.as_of = from_unix(1790000010)};
    request.package_name = "com.example.app";
    request.challenge = to_bytes("0123456789abcdef0123456789abcdef");
    request.max_age = Seconds(60);
    return request;
  }();
};

TEST_F(PlayIntegrityTest, TokensOfOtherLibrariesVerify) {
  Json file = read_json_vector("play-integrity/keys.json");
  auto keys = PlayIntegrityKeys::parse(file.at("decryption_key").get<std::string>(),
                                       file.at("verification_key").get<std::string>());
  ASSERT_TRUE(keys) << keys.error().text();
  for (const char* name :
       {"token-jose.txt", "token-joserfc.txt", "token-josekit.txt", "token-go-jose.txt"}) {
    SCOPED_TRACE(name);
    Bytes text = read_vector(std::string("play-integrity/") + name);
    std::string_view token = as_text(text);
    while (token.ends_with('\n')) token.remove_suffix(1);
    PlayIntegrity result = verify_play_integrity(token, *keys, request_);
    ASSERT_TRUE(result.verified()) << result.refusal->text();
    EXPECT_EQ(result.payload, payload_);
    const PlayIntegrityVerdict& verdict = *result.verdict;
    EXPECT_EQ(verdict.app_recognition_verdict, "PLAY_RECOGNIZED");
    EXPECT_EQ(verdict.version_code, 42);
    EXPECT_EQ(verdict.device_recognition_verdict.size(), 3U);
    EXPECT_EQ(verdict.device_sdk_version, 34);
    EXPECT_EQ(verdict.device_activity_level, "LEVEL_1");
    EXPECT_EQ(verdict.device_recall.at("values").at("bitFirst"), true);
    EXPECT_EQ(verdict.app_licensing_verdict, "LICENSED");
    EXPECT_EQ(verdict.apps_detected.size(), 2U);
    EXPECT_EQ(verdict.play_protect_verdict, "NO_ISSUES");
    EXPECT_EQ(verdict.certificate_sha256_digests.size(), 1U);
    // No character of the token can be changed.
    for (std::size_t i = 0; i < token.size(); i += 3) {
      std::string changed(token);
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(verify_play_integrity(changed, *keys, request_).verified()) << i;
      EXPECT_FALSE(verify_play_integrity(token.substr(0, i), *keys, request_).verified()) << i;
    }
  }
}

TEST_F(PlayIntegrityTest, HeadersChooseNothing) {
  EXPECT_EQ(outcome(token(payload_)), "verified");
  auto with = [this](const char* name, const Json& value) {
    Json changed = header_;
    changed[name] = value;
    return outcome(encrypt(changed, crypto::sign_es256(payload_, signing_key_, Json::object())));
  };
  EXPECT_EQ(with("kid", "any"), "verified");
  EXPECT_EQ(with("alg", "dir"), "jwe.wrong-alg");
  EXPECT_EQ(with("alg", "A128KW"), "jwe.wrong-alg");
  EXPECT_EQ(with("enc", "A128GCM"), "jwe.wrong-enc");
  EXPECT_EQ(with("zip", "DEF"), "jwe.unsupported-header");
  EXPECT_EQ(with("crit", {"exp"}), "jwe.unsupported-header");
  // The inner token: unsigned, of another algorithm, of another key.
  EXPECT_EQ(outcome(encrypt(header_, crypto::sign_hs256(payload_, keys_.decryption_key))),
            "jose.wrong-alg");
  std::string unsigned_token = base64url_encode(as_bytes(R"({"alg":"none"})")) + "." +
                               base64url_encode(as_bytes(dump_json(payload_))) + ".";
  EXPECT_EQ(outcome(encrypt(header_, unsigned_token)), "jose.wrong-alg");
  crypto::EcKey other = crypto::EcKey::generate();
  EXPECT_EQ(outcome(encrypt(header_,
                            crypto::sign_es256(payload_, other, {{"jwk", crypto::to_jwk(other)}}))),
            "jose.bad-signature");
  EXPECT_EQ(outcome(encrypt(header_, dump_json(payload_))), "jose.malformed");
}

TEST_F(PlayIntegrityTest, KeysAndPartsAreChecked) {
  EXPECT_EQ(outcome(encrypt(header_, "x", 16)), "jwe.wrong-key-size");
  std::string good = token(payload_);
  keys_.decryption_key[0] ^= std::byte{1};
  EXPECT_EQ(outcome(good), "jwe.unwrap-failed");
  keys_.decryption_key[0] ^= std::byte{1};
  EXPECT_EQ(outcome(""), "jwe.malformed");
  EXPECT_EQ(outcome("a.b.c.d"), "jwe.malformed");
  EXPECT_EQ(outcome(good + "."), "jwe.malformed");
  EXPECT_EQ(outcome(good + " "), "jwe.malformed");
  EXPECT_EQ(outcome(std::string(crypto::kMaxJweBytes + 1, 'A')), "jwe.too-large");
  // Another token's header before these parts: authenticated, so it does not fit.
  std::string reordered = base64url_encode(as_bytes(R"({"enc":"A256GCM","alg":"A256KW"})")) +
                          good.substr(good.find('.'));
  EXPECT_EQ(outcome(reordered), "jwe.decryption-failed");
}

TEST_F(PlayIntegrityTest, TheVerdictMustBeForThisRequest) {
  auto with = [this](const char* object, const char* name, const Json& value) {
    Json changed = payload_;
    changed[object][name] = value;
    return outcome(token(changed));
  };
  EXPECT_EQ(with("requestDetails", "requestPackageName", "com.other"),
            "play-integrity.wrong-package");
  EXPECT_EQ(with("appIntegrity", "packageName", "com.other"), "play-integrity.wrong-package");
  EXPECT_EQ(with("requestDetails", "nonce", "b3RoZXI="), "play-integrity.nonce-mismatch");
  EXPECT_EQ(with("requestDetails", "nonce", ""), "play-integrity.nonce-mismatch");
  EXPECT_EQ(with("requestDetails", "nonce", "*"), "play-integrity.nonce-mismatch");
  // Without padding, it is the same nonce.
  EXPECT_EQ(with("requestDetails", "nonce", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"),
            "verified");
  // Of a standard request, which only Google's servers can open: it is no nonce.
  Json standard = payload_;
  standard["requestDetails"].erase("nonce");
  standard["requestDetails"]["requestHash"] = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(outcome(token(standard)), "play-integrity.nonce-mismatch");
  EXPECT_EQ(with("requestDetails", "timestampMillis", "1789999900000"), "play-integrity.too-old");
  EXPECT_EQ(with("requestDetails", "timestampMillis", "1790001000000"),
            "play-integrity.from-the-future");
  for (const Json& bad : {Json("999999999999999999"), Json(UINT64_MAX), Json(-1), Json(1.5)}) {
    EXPECT_EQ(with("requestDetails", "timestampMillis", bad), "play-integrity.malformed-verdict");
  }
  EXPECT_EQ(with("requestDetails", "timestampMillis", "soon"), "play-integrity.malformed-verdict");
}

// What the verdict says is not judged here.
TEST_F(PlayIntegrityTest, ABadVerdictOfAGoodTokenVerifies) {
  payload_["appIntegrity"] = {{"appRecognitionVerdict", "UNEVALUATED"}};
  payload_["deviceIntegrity"] = Json::object();
  PlayIntegrity result = verify_play_integrity(token(payload_), keys_, request_);
  ASSERT_TRUE(result.verified()) << result.refusal->text();
  EXPECT_TRUE(result.verdict->device_recognition_verdict.empty());
  EXPECT_FALSE(result.verdict->version_code);
  payload_.erase("deviceIntegrity");
  EXPECT_EQ(outcome(token(payload_)), "play-integrity.malformed-verdict");
}

TEST_F(PlayIntegrityTest, TestersAndUncheckedChallengesAreSaid) {
  payload_["testingDetails"] = {{"isTestingResponse", true}};
  EXPECT_TRUE(outcome(token(payload_)).starts_with("play-integrity.test-response"));
  payload_.erase("testingDetails");
  request_.challenge.reset();
  EXPECT_TRUE(outcome(token(payload_)).starts_with("play-integrity.challenge-unchecked"));
}

// A nonce and a challenge are bytes, whatever base64 either is written in.
TEST_F(PlayIntegrityTest, NoncesAreComparedAsBytes) {
  const Bytes bytes = hex_decode("fbffbffb").value();
  for (const char* spelled : {"-_-_-w", "-_-_-w==", "+/+/+w", "+/+/+w=="}) {
    payload_["requestDetails"]["nonce"] = spelled;
    request_.challenge = bytes;
    EXPECT_EQ(outcome(token(payload_)), "verified") << spelled;
    for (const char* given : {"-_-_-w", "-_-_-w==", "+/+/+w", "+/+/+w=="}) {
      request_.challenge = to_bytes(given);
      EXPECT_EQ(outcome(token(payload_)), "verified") << spelled << " " << given;
    }
    request_.challenge = to_bytes("-_-_-g");
    EXPECT_EQ(outcome(token(payload_)), "play-integrity.nonce-mismatch");
  }
}

TEST_F(PlayIntegrityTest, TheVerdictInATokenIsCheckedByItself) {
  EXPECT_TRUE(check_play_integrity_payload(payload_, request_).verified());
  request_.package_name = "com.other";
  PlayIntegrity result = check_play_integrity_payload(payload_, request_);
  EXPECT_EQ(result.refusal->id(), "play-integrity.wrong-package");
  EXPECT_EQ(to_json(result).at("tokenPayload"), payload_);
  EXPECT_EQ(check_play_integrity_payload(Json(), request_).refusal->id(),
            "play-integrity.malformed-verdict");
}

TEST(PlayIntegrityKeysTest, AreTakenAsTheConsoleShowsThem) {
  std::string key = base64_encode(Bytes(32));
  std::string spki = base64_encode(crypto::EcKey::generate().public_der());
  EXPECT_TRUE(PlayIntegrityKeys::parse(key, spki));
  EXPECT_EQ(PlayIntegrityKeys::parse("AAAA", spki).error().id(),
            "play-integrity.bad-decryption-key");
  EXPECT_EQ(PlayIntegrityKeys::parse(key, "AAAA").error().id(),
            "play-integrity.bad-verification-key");
  EXPECT_EQ(PlayIntegrityKeys::parse(key, "*").error().id(), "play-integrity.bad-verification-key");
}

}  // namespace
}  // namespace touchmark::verifier::evidence
