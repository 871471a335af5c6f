#include "crypto/jose.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace touchmark::crypto {
namespace {

template <class T>
std::string id_of(const Result<T>& result) {
  return result ? "no error" : result.error().id();
}
std::string b64(std::string_view text) { return base64url_encode(as_bytes(text)); }

// RFC 7515 appendix A.1 (also the example of RFC 7519 section 3.1).
constexpr std::string_view kRfcHs256 =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr std::string_view kRfcHs256Key =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
// RFC 7515 appendix A.3.
constexpr std::string_view kRfcEs256 =
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

Json rfc_es256_key() {
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
          {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
}

TEST(Jose, Rfc7515Hs256) {
  Bytes key = base64url_decode(kRfcHs256Key).value();
  auto jws = verify_hs256(kRfcHs256, key, "JWT");
  ASSERT_TRUE(jws) << jws.error().text();
  EXPECT_EQ(jws->payload.at("iss"), "joe");
  EXPECT_EQ(jws->payload.at("exp"), 1300819380);
  key[0] ^= std::byte{1};
  EXPECT_EQ(id_of(verify_hs256(kRfcHs256, key)), "jose.bad-signature");
}

TEST(Jose, Rfc7515Es256) {
  auto key = from_jwk(rfc_es256_key());
  ASSERT_TRUE(key) << key.error().text();
  auto jws = verify_es256(kRfcEs256, *key);
  ASSERT_TRUE(jws) << jws.error().text();
  EXPECT_EQ(jws->payload.at("iss"), "joe");
  EXPECT_EQ(id_of(verify_es256(kRfcEs256, EcKey::generate())), "jose.bad-signature");
}

TEST(Jose, SignsWhatItVerifies) {
  Bytes secret = to_bytes("0123456789abcdef0123456789abcdef");
  std::string token = sign_hs256({{"exp", 5}, {"did", "x"}}, secret);
  EXPECT_TRUE(token.starts_with(b64(R"({"alg":"HS256","typ":"JWT"})") + "."));
  EXPECT_EQ(verify_hs256(token, secret, "JWT")->payload, (Json{{"exp", 5}, {"did", "x"}}));

  EcKey key = EcKey::generate();
  token = sign_es256({{"a", 1}}, key, {{"typ", "t"}, {"kid", "k"}});
  auto jws = verify_es256(token, key, "t");
  ASSERT_TRUE(jws) << jws.error().text();
  EXPECT_EQ(jws->header, (Json{{"alg", "ES256"}, {"typ", "t"}, {"kid", "k"}}));
  EXPECT_EQ(id_of(verify_es256(token, key, "u")), "jose.wrong-type");
  EXPECT_EQ(id_of(verify_es256(token, key, "t", 20)), "jose.too-large");
}

TEST(Jose, HeaderNeverChoosesTheAlgorithm) {
  EcKey key = EcKey::generate();
  Bytes spki = key.public_der();
  // The classic confusion: an HMAC under the public key's bytes.
  std::string confused = sign_hs256({{"a", 1}}, spki);
  EXPECT_EQ(id_of(verify_es256(confused, key)), "jose.wrong-alg");
  std::string none = b64(R"({"alg":"none"})") + "." + b64("{}") + ".";
  EXPECT_EQ(id_of(verify_hs256(none, as_bytes("k"))), "jose.wrong-alg");
  EXPECT_EQ(id_of(verify_es256(none, key)), "jose.wrong-alg");
  std::string array = b64(R"({"alg":["HS256"]})") + "." + b64("{}") + ".";
  EXPECT_EQ(id_of(verify_hs256(array, as_bytes("k"))), "jose.wrong-alg");
  // sign_* set alg themselves, whatever the caller's header says.
  EXPECT_EQ(parse_jws(sign_hs256(Json::object(), spki, {{"alg", "none"}}))->header.at("alg"),
            "HS256");
}

TEST(Jose, RefusesCriticalExtensions) {
  Bytes secret = to_bytes("secret");
  std::string token = sign_hs256(Json::object(), secret, {{"crit", {"b64"}}, {"b64", false}});
  EXPECT_EQ(id_of(verify_hs256(token, secret)), "jose.unknown-crit");
}

TEST(Jose, RefusesWhatIsNotThreeParts) {
  std::string header = b64(R"({"alg":"HS256"})");
  std::string body = b64("{}");
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), header, header + "." + body,
        header + "." + body + ".AA.AA", header + "." + body + ".A", "." + body + ".AA",
        header + "=." + body + ".AA", " " + header + "." + body + ".AA",
        header + "." + body + ".AA\n", b64("[]") + "." + body + ".AA",
        b64(R"({"alg":"HS256","alg":"HS256"})") + "." + body + ".AA", header + ".*." + "AA"}) {
    EXPECT_EQ(id_of(parse_jws(text)), "jose.malformed") << text;
  }
  EXPECT_EQ(id_of(parse_jws(header + "." + b64("[1]") + ".AA")), "jose.payload-not-json");
  EXPECT_EQ(id_of(parse_jws(header + "." + body + ".AA")), "no error");
}

TEST(Jose, EveryChangedCharacterIsRefused) {
  EcKey key = EcKey::generate();
  std::string token = sign_es256({{"claim", "value"}}, key, {{"typ", "t"}});
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_es256(changed, key)) << i;
    EXPECT_FALSE(verify_es256(token.substr(0, i), key)) << i;
  }
}

TEST(Jose, SelfSignedProvesPossessionOfTheHeaderKey) {
  EcKey key = EcKey::generate();
  std::string token = sign_es256({{"a", 1}}, key, {{"typ", "t"}, {"jwk", to_jwk(key)}});
  auto result = verify_es256_with_header_key(token, "t");
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->key.public_der(), key.public_der());
  EXPECT_EQ(result->payload.root().to_json(), (Json{{"a", 1}}));

  EXPECT_EQ(id_of(verify_es256_with_header_key(token, "u")), "jose.wrong-type");
  std::string foreign =
      sign_es256({{"a", 1}}, key, {{"typ", "t"}, {"jwk", to_jwk(EcKey::generate())}});
  EXPECT_EQ(id_of(verify_es256_with_header_key(foreign, "t")), "jose.bad-signature");
  std::string without = sign_es256({{"a", 1}}, key, {{"typ", "t"}});
  EXPECT_EQ(id_of(verify_es256_with_header_key(without, "t")), "jose.bad-key");
}

TEST(Jwk, TakesOnlyP256SignatureKeys) {
  Json good = rfc_es256_key();
  EXPECT_TRUE(from_jwk(good));
  EXPECT_EQ(to_jwk(*from_jwk(good)), good);
  auto with = [&good](const char* name, Json value) {
    Json changed = good;
    changed[name] = std::move(value);
    return id_of(from_jwk(changed));
  };
  EXPECT_EQ(with("alg", "ES256"), "no error");
  EXPECT_EQ(with("use", "sig"), "no error");
  EXPECT_EQ(with("key_ops", {"verify"}), "no error");
  EXPECT_EQ(with("alg", "ES384"), "jose.bad-key");
  EXPECT_EQ(with("use", "enc"), "jose.bad-key");
  EXPECT_EQ(with("key_ops", {"encrypt"}), "jose.bad-key");
  EXPECT_EQ(with("key_ops", "verify"), "jose.bad-key");
  EXPECT_EQ(with("kty", "oct"), "jose.bad-key");
  EXPECT_EQ(with("crv", "P-384"), "jose.bad-key");
  EXPECT_EQ(with("x", 5), "jose.bad-key");
  EXPECT_EQ(with("x", good["y"]), "jose.bad-key");  // not on the curve
  EXPECT_EQ(with("y", "AA"), "jose.bad-key");
  EXPECT_EQ(id_of(from_jwk(Json::array())), "jose.bad-key");
}

}  // namespace
}  // namespace touchmark::crypto
