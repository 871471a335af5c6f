// The signatures of certificates, against Wycheproof.
#include "pki/public_key.h"

#include <gtest/gtest.h>

#include "formats/der.h"
#include "formats/testing/der_writer.h"
#include "tests/support/vectors.h"

namespace touchmark::pki {
namespace {

using testing::from_hex;
using testing::read_json_vector;

Bytes hex_member(const Json& test, const char* name) {
  return from_hex(test.at(name).get<std::string>());
}

void check_file(const std::string& name, SignatureAlgorithm algorithm) {
  Json file = read_json_vector(name);
  int checked = 0;
  for (const Json& group : file.at("testGroups")) {
    auto key = PublicKey::from_spki(hex_member(group, "publicKeyDer"));
    ASSERT_TRUE(key) << key.error().text();
    for (const Json& test : group.at("tests")) {
      auto verified = key->verify(algorithm, hex_member(test, "msg"), hex_member(test, "sig"));
      EXPECT_EQ(verified.has_value(), test.at("result") == "valid") << test.dump();
      ++checked;
    }
  }
  EXPECT_EQ(checked, file.at("numberOfTests"));
}

TEST(Wycheproof, EcdsaP256InDer) {
  check_file("wycheproof/ecdsa_secp256r1_sha256_test.json", kEcdsaSha256);
}
TEST(Wycheproof, EcdsaP384InDer) {
  check_file("wycheproof/ecdsa_secp384r1_sha384_test.json", kEcdsaSha384);
}

Bytes algorithm(std::string_view oid_content, const Bytes& parameters = {}) {
  using namespace touchmark::testing;
  return sequence({element(der::kOid, from_hex(oid_content)), parameters});
}

TEST(SignatureAlgorithmParser, TakesAbsentAndNullParameters) {
  using testing::null;
  constexpr const char* kOid = "2a8648ce3d040302";
  EXPECT_EQ(parse_signature_algorithm(algorithm(kOid)).value(), kEcdsaSha256);
  EXPECT_EQ(parse_signature_algorithm(algorithm(kOid, null())).value(), kEcdsaSha256);
  auto with = [](const Bytes& parameters) {
    return parse_signature_algorithm(algorithm(kOid, parameters)).error().id();
  };
  EXPECT_EQ(with(testing::number(1)), "signature.malformed-algorithm");
  EXPECT_EQ(with(from_hex("050100")), "signature.malformed-algorithm");
  // ecdsa-with-SHA1
  EXPECT_EQ(parse_signature_algorithm(algorithm("2a8648ce3d0401")).error().id(),
            "signature.unsupported-algorithm");
}

TEST(PublicKeys, KeepTheirAlgorithm) {
  Bytes point = from_hex(
      "042927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838c7787964eaac00e5921fb1498"
      "a60f4606766b3d9685001558d1a974e7341513e");
  auto key = PublicKey::from_p256_point(point);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kind(), "EC P-256");
  EXPECT_EQ(key->verify(kRsaSha256, {}, {}).error().id(), "signature.wrong-key-type");
  EXPECT_EQ(key->verify(kEcdsaSha256, {}, {}).error().id(), "signature.bad-signature");
  point.back() ^= std::byte{1};
  EXPECT_EQ(PublicKey::from_p256_point(point).error().id(), "signature.malformed-key");
  point.pop_back();
  EXPECT_EQ(PublicKey::from_p256_point(point).error().id(), "signature.malformed-key");
  EXPECT_EQ(PublicKey::from_spki({}).error().id(), "signature.malformed-key");
}

}  // namespace
}  // namespace touchmark::pki
