#include "cli/service/pin.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "cli/io/error.h"
#include "cli/testing/test_world.h"
#include "crypto/crypto.h"

namespace touchmark::cli::service {
namespace {

// Made for this test; its pin by `openssl x509 -pubkey | openssl pkey -pubin -outform der |
// openssl dgst -sha256 -binary | base64`.
constexpr const char* kCertificatePem = R"(-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIUAjHS5kdzJqAkZrdvdNo+a6VYXDYwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPYXBpLmV4YW1wbGUuY29tMCAXDTI2MTEyNDIwNDUxNVoYDzIx
MjYxMDMxMjA0NTE1WjAaMRgwFgYDVQQDDA9hcGkuZXhhbXBsZS5jb20wWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAStGNuqlm2xOTiDtLfWzTI6jzUD3ByZWdYTPp4A
JBgrE7HhSNQERis2QwvjqOx6N1cMrVwfv1AY2WF3vw03oiaWo1MwUTAdBgNVHQ4E
FgQU9N0cV5HEHEWL6TX0tRTrsxMWTF4wHwYDVR0jBBgwFoAU9N0cV5HEHEWL6TX0
tRTrsxMWTF4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEArrs7
E//Z9M7RrThSHU+7v1uhJbBanOg6enfDT43t5JICIQD2RVmLbkv79RysRX+kDUo+
I4KWW0FvkCj72vfo2T70ww==
-----END CERTIFICATE-----
)";
constexpr const char* kCertificatePin = "hv9AeCCVxHAX47UDnuSr2rOXEysgoweRHB7DWgGU7VA=";

TEST(ParsePin, TakesTheUsualSpellings) {
  for (const char* prefix : {"", "sha256/", "sha256//", " "}) {
    EXPECT_EQ(parse_pin(prefix + std::string(TestWorld::kPin)).value(), TestWorld::kPin);
  }
}

TEST(ParsePin, RefusesEverythingElse) {
  for (const char* text :
       {"", "x", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "AAAA",
        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NM="}) {
    EXPECT_TRUE(parse_pin(text).error().is(io::CliError::kBadPin)) << text;
  }
}

TEST(CertificateFromPem, GivesPinAndSubject) {
  const auto certificate = certificate_from_pem(kCertificatePem, "x.pem");
  ASSERT_TRUE(certificate) << certificate.error().text();
  EXPECT_EQ(certificate->pin, kCertificatePin);
  EXPECT_EQ(certificate->subject, "CN=api.example.com");
}

TEST(CertificateFromPem, TakesTheFirstOfAChainAndAKeyInFront) {
  const auto chain = certificate_from_pem(
      crypto::EcKey::generate().private_pem() + kCertificatePem + "rest of the file", "x.pem");
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->pin, kCertificatePin);
}

TEST(CertificateFromPem, TakesABareKey) {
  const crypto::EcKey key = crypto::EcKey::generate();
  const auto certificate = certificate_from_pem(key.private_pem(), "x.key");
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->pin, base64_encode(crypto::sha256(key.public_der())));
  EXPECT_EQ(certificate->subject, "");
}

TEST(CertificateFromPem, RefusesAFileWithoutEither) {
  const std::string pem = kCertificatePem;
  for (const std::string& text : {std::string(), std::string("hello"), pem.substr(0, 200),
                                  std::string("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                              "-----END CERTIFICATE-----\n")}) {
    EXPECT_TRUE(certificate_from_pem(text, "x").error().is(io::CliError::kBadCertificate));
  }
}

}  // namespace
}  // namespace touchmark::cli::service
