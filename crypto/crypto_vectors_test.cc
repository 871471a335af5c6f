// Wycheproof against the primitives of this folder.
#include <gtest/gtest.h>

#include "crypto/crypto.h"
#include "tests/support/vectors.h"

namespace touchmark::crypto {
namespace {

using testing::from_hex;
using testing::read_json_vector;

Bytes hex_member(const Json& test, const char* name) {
  return from_hex(test.at(name).get<std::string>());
}

std::string describe(const Json& test) {
  return "tcId " + test.at("tcId").dump() + " " + test.at("comment").get<std::string>();
}

TEST(Wycheproof, HmacSha256) {
  Json file = read_json_vector("wycheproof/hmac_sha256_test.json");
  int checked = 0;
  for (const Json& group : file.at("testGroups")) {
    // Truncated tags are not used here; the leading bytes of the full one must still be right.
    std::size_t tag_bytes = group.at("tagSize").get<std::size_t>() / 8;
    for (const Json& test : group.at("tests")) {
      Sha256Digest mac = hmac_sha256(hex_member(test, "key"), hex_member(test, "msg"));
      bool equal = constant_time_equal(ByteView(mac).first(tag_bytes), hex_member(test, "tag"));
      EXPECT_EQ(equal, test.at("result") == "valid") << describe(test);
      ++checked;
    }
  }
  EXPECT_EQ(checked, file.at("numberOfTests"));
}

TEST(Wycheproof, EcdsaP256InJoseForm) {
  Json file = read_json_vector("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json");
  int checked = 0;
  for (const Json& group : file.at("testGroups")) {
    auto key = EcKey::from_public_der(hex_member(group, "publicKeyDer"));
    ASSERT_TRUE(key) << key.error().text();
    for (const Json& test : group.at("tests")) {
      bool verified = key->verify(hex_member(test, "msg"), hex_member(test, "sig")).has_value();
      EXPECT_EQ(verified, test.at("result") == "valid") << describe(test);
      ++checked;
    }
  }
  EXPECT_EQ(checked, file.at("numberOfTests"));
}

// The groups of the one shape that open_sealed() reads: 256-bit key, 96-bit nonce, 128-bit tag.
TEST(Wycheproof, Aes256Gcm) {
  Json file = read_json_vector("wycheproof/aes_gcm_test.json");
  int checked = 0;
  for (const Json& group : file.at("testGroups")) {
    if (group.at("keySize") != 256 || group.at("ivSize") != 96 || group.at("tagSize") != 128) {
      continue;
    }
    for (const Json& test : group.at("tests")) {
      Bytes sealed = hex_member(test, "iv");
      append(sealed, hex_member(test, "ct"));
      append(sealed, hex_member(test, "tag"));
      auto opened = open_sealed(hex_member(test, "key"), as_text(hex_member(test, "aad")), sealed);
      EXPECT_EQ(opened.has_value(), test.at("result") == "valid") << describe(test);
      if (opened) {
        EXPECT_EQ(*opened, hex_member(test, "msg")) << describe(test);
      }
      ++checked;
    }
  }
  EXPECT_EQ(checked, 66);
}

}  // namespace
}  // namespace touchmark::crypto
