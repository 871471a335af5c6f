#include "crypto/crypto.h"

#include <gtest/gtest.h>
#include <openssl/kdf.h>

#include <atomic>
#include <thread>
#include <vector>

#include "crypto/openssl.h"
#include "tests/support/vectors.h"

namespace touchmark::crypto {
namespace {

using testing::from_hex;

TEST(Sha256, Fips180) {
  EXPECT_EQ(hex_encode(sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_encode(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, StreamEqualsOneCall) {
  SystemRandom random;
  Bytes data = random.bytes(1000);
  Sha256 hash;
  for (std::size_t at = 0; at < data.size(); at += 7) {
    hash.update(ByteView(data).subspan(at, std::min<std::size_t>(7, data.size() - at)));
  }
  Sha256 moved = std::move(hash);
  EXPECT_EQ(moved.finish(), sha256(data));
}

TEST(Hmac, OfAKeyThatIsUsedAgainIsTheSame) {
  SystemRandom random;
  for (const std::size_t size : {0U, 1U, 32U, 63U, 64U, 65U, 200U}) {
    const Bytes key = random.bytes(size);
    const HmacSha256Key kept(key);
    for (const std::size_t length : {0U, 1U, 55U, 56U, 64U, 300U}) {
      const Bytes data = random.bytes(length);
      EXPECT_EQ(kept.mac(data), hmac_sha256(key, data)) << size << " " << length;
    }
  }
}

// RFC 4231 test case 2; the empty key is HMAC_SHA256("", "") of the same document's algorithm.
TEST(Hmac, Rfc4231) {
  EXPECT_EQ(hex_encode(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_encode(hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// RFC 5869 A.1 and A.2 have a salt, which this has not; of A.2's lengths (several blocks of output,
// a key over a block of the hash) OpenSSL says what is right.
TEST(Hkdf, IsOpenssls) {
  SystemRandom random;
  for (const std::size_t length : {1U, 32U, 33U, 64U, 82U, 255U * 32U}) {
    for (const std::size_t size : {1U, 32U, 64U, 65U, 200U}) {
      const Bytes key = random.bytes(size);
      Bytes right(length);
      std::size_t written = length;
      const openssl::PkeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
      ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
      ASSERT_EQ(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()), 1);
      ASSERT_EQ(EVP_PKEY_CTX_set1_hkdf_key(context.get(), uchars(key), static_cast<int>(size)), 1);
      ASSERT_EQ(EVP_PKEY_CTX_add1_hkdf_info(context.get(),
                                            reinterpret_cast<const unsigned char*>("purpose"), 7),
                1);
      ASSERT_EQ(EVP_PKEY_derive(context.get(), uchars(std::span(right)), &written), 1);
      EXPECT_EQ(hkdf_sha256(key, "purpose", length), right) << length << " of " << size;
    }
  }
}

// RFC 5869 A.3: empty salt, empty info.
TEST(Hkdf, Rfc5869) {
  EXPECT_EQ(
      hex_encode(hkdf_sha256(from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), "", 42)),
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, InfoSeparatesKeys) {
  EXPECT_NE(hkdf_sha256(as_bytes("root"), "a", 32), hkdf_sha256(as_bytes("root"), "b", 32));
  EXPECT_EQ(hkdf_sha256(as_bytes("root"), "a", 16),
            to_bytes(ByteView(hkdf_sha256(as_bytes("root"), "a", 32)).first(16)));
}

TEST(ConstantTimeEqual, ComparesLengthAndContent) {
  EXPECT_TRUE(constant_time_equal(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(constant_time_equal(as_bytes("abc"), as_bytes("abcd")));
  EXPECT_TRUE(constant_time_equal({}, {}));
}

TEST(Seal, OpensOnlyUnchangedUnderTheSameKeyAndContext) {
  SystemRandom random;
  Bytes key = random.bytes(32);
  for (std::size_t size : {0U, 1U, 100U}) {
    Bytes plain = random.bytes(size);
    Bytes sealed = seal(key, "purpose", plain, random);
    EXPECT_EQ(sealed.size(), size + 28);
    EXPECT_EQ(open_sealed(key, "purpose", sealed), plain);
    EXPECT_EQ(open_sealed(key, "other", sealed).error().id(), "crypto.seal-broken");
    EXPECT_FALSE(open_sealed(random.bytes(32), "purpose", sealed));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      Bytes changed = sealed;
      changed[i] ^= std::byte{1};
      EXPECT_FALSE(open_sealed(key, "purpose", changed)) << i;
      EXPECT_FALSE(open_sealed(key, "purpose", ByteView(sealed).first(i))) << i;
    }
  }
  EXPECT_NE(seal(key, "purpose", {}, random), seal(key, "purpose", {}, random));
}

TEST(EcKey, RoundTripsEveryForm) {
  EcKey key = EcKey::generate();
  auto [x, y] = key.coordinates();
  EXPECT_EQ(EcKey::from_coordinates(x, y)->public_der(), key.public_der());
  EXPECT_EQ(EcKey::from_public_der(key.public_der())->public_der(), key.public_der());
  EXPECT_EQ(EcKey::from_private_der(key.private_der())->public_der(), key.public_der());
  EXPECT_EQ(EcKey::from_private_pem(key.private_pem())->private_der(), key.private_der());
  EXPECT_TRUE(key.has_private());
  EXPECT_FALSE(EcKey::from_public_der(key.public_der())->has_private());
}

// A key that came from elsewhere is the same to OpenSSL, which did not make its DER.
TEST(EcKey, ReadsWhatOpensslWrites) {
  for (int i = 0; i < 20; ++i) {
    const openssl::Pkey made(EVP_EC_gen("prime256v1"));
    const Bytes spki = openssl::encode<i2d_PUBKEY>(made.get());
    const Bytes pkcs8 = openssl::encode<i2d_PrivateKey>(made.get());
    const auto key = EcKey::from_public_der(spki);
    ASSERT_TRUE(key) << key.error().text();
    EXPECT_EQ(key->public_der(), spki);
    const auto own = EcKey::from_private_der(pkcs8);
    ASSERT_TRUE(own) << own.error().text();
    EXPECT_EQ(own->public_der(), spki);
    EXPECT_TRUE(key->verify(as_bytes("data"), own->sign(as_bytes("data"))));
  }
}

// As `openssl ecparam -conv_form compressed` makes them: a key's point has one form here.
TEST(EcKey, ReadsAPrivateKeyWithACompressedPoint) {
  const openssl::Pkey made(EVP_EC_gen("prime256v1"));
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(made.get(), "point-format", "compressed"), 1);
  const auto key = EcKey::from_private_der(openssl::encode<i2d_PrivateKey>(made.get()));
  ASSERT_TRUE(key) << key.error().text();
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(made.get(), "point-format", "uncompressed"), 1);
  EXPECT_EQ(key->public_der(), openssl::encode<i2d_PUBKEY>(made.get()));
  EXPECT_TRUE(key->verify(as_bytes("data"), key->sign(as_bytes("data"))));
}

// Coordinates are numbers below the field's prime: a larger one would be a second spelling.
TEST(EcKey, RefusesCoordinatesBeyondTheField) {
  // The point with x = 5 is on the curve, and so it would be with x = p + 5.
  const Bytes x = from_hex("0000000000000000000000000000000000000000000000000000000000000005");
  const Bytes y = from_hex("459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc");
  const Bytes x_and_p =
      from_hex("ffffffff00000001000000000000000000000001000000000000000000000004");
  ASSERT_TRUE(EcKey::from_coordinates(x, y));
  EXPECT_EQ(EcKey::from_coordinates(x_and_p, y).error().id(), "crypto.bad-key");
}

TEST(EcKey, IsMadeByManyThreadsAtOnce) {
  const EcKey key = EcKey::generate();
  const Bytes signature = key.sign(as_bytes("data"));
  std::atomic<int> good{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        const auto same = EcKey::from_public_der(key.public_der());
        if (same && same->verify(as_bytes("data"), signature)) ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 200);
}

TEST(EcKey, SignsAndVerifies) {
  EcKey key = EcKey::generate();
  EcKey other = EcKey::generate();
  Bytes signature = key.sign(as_bytes("data"));
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_TRUE(EcKey::from_public_der(key.public_der())->verify(as_bytes("data"), signature));
  EXPECT_FALSE(key.verify(as_bytes("Data"), signature));
  EXPECT_EQ(other.verify(as_bytes("data"), signature).error().id(), "crypto.bad-signature");
  for (std::size_t i = 0; i < signature.size(); ++i) {
    Bytes changed = signature;
    changed[i] ^= std::byte{0x40};
    EXPECT_FALSE(key.verify(as_bytes("data"), changed)) << i;
    EXPECT_FALSE(key.verify(as_bytes("data"), ByteView(signature).first(i))) << i;
  }
}

TEST(EcKey, RefusesOtherKeysAndForms) {
  // P-384, made by `openssl ecparam -name secp384r1 -genkey | openssl pkcs8 -topk8 -nocrypt`.
  constexpr const char* kP384 =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBgvlOLt8uFPqADSHQd\n"
      "Dwzulv2cxz7N8jYf2SDJ1glr7Oj73fiLm3gVatUiEeRtIkahZANiAASGsPOvqi0S\n"
      "q1l1tv2xZGtNXJDCgOYkoK3RvNbTiCGvtN0VR5NZsvGAmEN9e+cPU1HjkAYNiYLW\n"
      "3Og/3N+pGwP067WcFk/bV1GMBmZcqE04Q9JozKM+/CX6BSf3wVc3hXw=\n"
      "-----END PRIVATE KEY-----\n";
  auto p384 = EcKey::from_private_pem(kP384);
  ASSERT_FALSE(p384);
  EXPECT_EQ(p384.error().text(), "crypto.bad-key: the private key is not of curve P-256");
  EXPECT_EQ(EcKey::from_private_pem("").error().id(), "crypto.bad-key");
  EXPECT_EQ(EcKey::from_private_der({}).error().id(), "crypto.bad-key");
  Bytes spki = EcKey::generate().public_der();
  for (std::size_t i = 0; i < spki.size(); ++i) {
    EXPECT_FALSE(EcKey::from_public_der(ByteView(spki).first(i))) << i;
  }
  Bytes longer = spki;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(EcKey::from_public_der(longer));
  Bytes off_curve = spki;
  off_curve.back() ^= std::byte{1};
  EXPECT_EQ(EcKey::from_public_der(off_curve).error().id(), "crypto.bad-key");
  Bytes zero(32);
  EXPECT_FALSE(EcKey::from_coordinates(zero, zero));
  EXPECT_FALSE(EcKey::from_coordinates(Bytes(31), Bytes(33)));
}

TEST(Random, Fills) {
  SystemRandom random;
  EXPECT_NE(random.bytes(32), random.bytes(32));
  EXPECT_TRUE(random.bytes(0).empty());
}

}  // namespace
}  // namespace touchmark::crypto
