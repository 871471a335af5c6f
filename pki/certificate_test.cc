#include "pki/certificate.h"

#include <gtest/gtest.h>

#include "crypto/openssl_time.h"
#include "pki/distinguished_name.h"
#include "pki/testing/certificate_maker.h"
#include "tests/support/vectors.h"

namespace touchmark::pki {
namespace {

using namespace touchmark::testing;

Bytes sample() {
  static const TestKey key;
  return make_certificate({.subject = {{"CN", "S"}, {"O", "Org"}},
                           .issuer = {{"serialNumber", "77"}},
                           .serial = 0x1234,
                           .extensions = {{"1.2.3.4", to_bytes("value")}}},
                          key, key);
}

TEST(Certificate, ReadsItsFields) {
  Bytes encoded = sample();
  auto certificate = parse_certificate(encoded);
  ASSERT_TRUE(certificate) << certificate.error().text();
  EXPECT_EQ(serial_hex(certificate->serial), "1234");
  EXPECT_EQ(to_string(*parse_name(certificate->subject)), "CN=S, O=Org");
  EXPECT_EQ(to_string(*parse_name(certificate->issuer)), "serialNumber=77");
  EXPECT_EQ(to_unix(certificate->not_before), 1577836800);
  EXPECT_EQ(to_unix(certificate->not_after), 1893456000);
  EXPECT_EQ(as_text(certificate->find(der::Oid("1.2.3.4"))->value), "value");
  EXPECT_EQ(certificate->find(der::Oid("1.2.3.5")), nullptr);
  ASSERT_TRUE(read_issuing(*certificate));
  EXPECT_TRUE(read_issuing(*certificate)->is_ca);
}

// OpenSSL reads what this reader reads, and signs what it calls signed.
TEST(Certificate, OpenSslSeesTheSame) {
  for (int i = 0; i < 4; ++i) {
    Bytes encoded = read_vector("key-attestation/real-devices/Nokia_6.1/cert-" + std::to_string(i) +
                                ".der.x509");
    auto certificate = parse_certificate(encoded);
    ASSERT_TRUE(certificate) << certificate.error().text();
    const unsigned char* cursor = uchars(ByteView(encoded));
    openssl::Owned<X509, X509_free> x509(
        d2i_X509(nullptr, &cursor, static_cast<long>(encoded.size())));
    ASSERT_NE(x509, nullptr);
    openssl::BigNumber serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509.get()), nullptr));
    openssl::BigNumber ours(BN_bin2bn(uchars(certificate->serial),
                                      static_cast<int>(certificate->serial.size()), nullptr));
    EXPECT_EQ(BN_cmp(serial.get(), ours.get()), 0);
    EXPECT_EQ(X509_get_ext_count(x509.get()), static_cast<int>(certificate->extensions.size()));
    EXPECT_EQ(openssl::time_of(X509_get0_notBefore(x509.get())), certificate->not_before);
    EXPECT_EQ(openssl::time_of(X509_get0_notAfter(x509.get())), certificate->not_after);
  }
}

TEST(Certificate, RefusesWhatIsNotOne) {
  Bytes encoded = sample();
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    auto certificate = parse_certificate(ByteView(encoded).first(size));
    ASSERT_FALSE(certificate) << size;
    EXPECT_EQ(certificate.error().id(), "certificate.malformed");
  }
  Bytes longer = encoded;
  longer.push_back(std::byte{0});
  EXPECT_EQ(parse_certificate(longer).error().id(), "certificate.malformed");
  EXPECT_EQ(parse_certificate(Bytes(kMaxCertificateBytes + 1)).error().id(),
            "certificate.too-large");
}

TEST(Certificate, BothAlgorithmFieldsMustAgree) {
  // ecdsa-with-SHA256 stands once in the signed part and once after it.
  Bytes encoded = sample();
  const std::string oid = "\x2a\x86\x48\xce\x3d\x04\x03\x02";
  std::size_t outer = as_text(encoded).rfind(oid);
  encoded[outer + oid.size() - 1] = std::byte{3};
  EXPECT_EQ(parse_certificate(encoded, "leaf").error().text(),
            "certificate.algorithm-mismatch: leaf: the signed and the unsigned signature algorithm "
            "differ");
}

TEST(Certificate, AnExtensionStandsOnce) {
  static const TestKey key;
  Bytes twice = make_certificate(
      {.extensions = {{"1.2.3.4", to_bytes("a")}, {"1.2.3.4", to_bytes("b")}}}, key, key);
  EXPECT_EQ(parse_certificate(twice).error().id(), "certificate.duplicate-extension");
}

TEST(SerialHex, IsTheFormOfRevocationLists) {
  EXPECT_EQ(serial_hex(from_hex("00")), "0");
  EXPECT_EQ(serial_hex(from_hex("01")), "1");
  EXPECT_EQ(serial_hex(from_hex("00c35747a084470c3135aeefe2b8d40cd6")),
            "c35747a084470c3135aeefe2b8d40cd6");
  EXPECT_EQ(serial_hex(from_hex("110bb9ed6b3fcd4c")), "110bb9ed6b3fcd4c");
  EXPECT_EQ(serial_hex(from_hex("0b")), "b");
  EXPECT_EQ(serial_hex(from_hex("ff")), "-1");
  EXPECT_EQ(serial_hex(from_hex("ff00")), "-100");
  EXPECT_EQ(serial_hex(from_hex("80")), "-80");
}

TEST(Pem, ReadsEveryCertificateInOrder) {
  Bytes first = sample();
  Bytes second = to_bytes("not checked here");
  auto chain = parse_pem_certificates("subject=x\n" + to_pem(first) + "text\r\n" + to_pem(second));
  ASSERT_TRUE(chain) << chain.error().text();
  EXPECT_EQ(*chain, (std::vector<Bytes>{first, second}));
  EXPECT_EQ(parse_pem_certificates("").error().id(), "pem.no-certificate");
  EXPECT_EQ(parse_pem_certificates("-----BEGIN CERTIFICATE-----\nAA==").error().id(),
            "pem.malformed");
  EXPECT_EQ(parse_pem_certificates("-----BEGIN CERTIFICATE-----\nA*==\n-----END CERTIFICATE-----")
                .error()
                .id(),
            "pem.malformed");
  EXPECT_EQ(parse_pem_certificates(to_pem(first) + to_pem(first), 1).error().id(), "pem.too-many");
}

}  // namespace
}  // namespace touchmark::pki
