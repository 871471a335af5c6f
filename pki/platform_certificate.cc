#include "pki/platform_certificate.h"

#include <openssl/x509.h>

#include <algorithm>

#include "crypto/openssl.h"
#include "formats/der_fields.h"

namespace touchmark::pki {
namespace {

using NameOwned = openssl::Owned<X509_NAME, X509_NAME_free>;

constexpr der::Oid kKnownExtensions[] = {
    der::Oid("2.5.29.14"),  // subjectKeyIdentifier
    kKeyUsage,
    der::Oid("2.5.29.16"),              // privateKeyUsagePeriod
    der::Oid("2.5.29.17"),              // subjectAltName
    der::Oid("2.5.29.18"),              // issuerAltName
    der::Oid("2.5.29.19"),              // basicConstraints
    der::Oid("2.5.29.30"),              // nameConstraints
    der::Oid("2.5.29.31"),              // cRLDistributionPoints
    der::Oid("2.5.29.32"),              // certificatePolicies
    der::Oid("2.5.29.33"),              // policyMappings
    der::Oid("2.5.29.35"),              // authorityKeyIdentifier
    der::Oid("2.5.29.36"),              // policyConstraints
    der::Oid("2.5.29.37"),              // extKeyUsage
    der::Oid("2.5.29.46"),              // freshestCRL
    der::Oid("2.5.29.54"),              // inhibitAnyPolicy
    der::Oid("2.16.840.1.113730.1.1"),  // netscape-cert-type
    der::Oid("1.3.6.1.5.5.7.1.1"),      // authorityInfoAccess
    der::Oid("1.3.6.1.5.5.7.1.11"),     // subjectInfoAccess
};

// The shortest two's complement form.
ByteView shortest_integer(ByteView contents) {
  const auto sign = [](std::byte b) { return (b & std::byte{0x80}) != std::byte{0}; };
  while (contents.size() > 1 &&
         (contents[0] == std::byte{0x00} || contents[0] == std::byte{0xff}) &&
         sign(contents[0]) == sign(contents[1])) {
    contents = contents.subspan(1);
  }
  return contents;
}

}  // namespace

// Beyond what OpenSSL asks by itself, what AOSP's verifier, which runs on Java, asks: a version
// that has what the certificate has, dates that are some, and a signature by the algorithm that the
// signed part names (RFC 5280 sections 4.1.2.1 and 4.1.1.2).
bool platform_takes(ByteView encoded) {
  const openssl::X509Owned parsed(openssl::decode<d2i_X509>(encoded));
  ERR_clear_error();
  if (!parsed) return false;
  const X509_ALGOR* outer = nullptr;
  X509_get0_signature(nullptr, &outer, parsed.get());
  const X509_ALGOR* inner = X509_get0_tbs_sigalg(parsed.get());
  const long version = X509_get_version(parsed.get());
  const bool has_extensions = X509_get0_extensions(parsed.get()) != nullptr;
  const bool taken = version >= X509_VERSION_1 && version <= X509_VERSION_3 &&
                     (!has_extensions || version == X509_VERSION_3) &&
                     OBJ_cmp(outer->algorithm, inner->algorithm) == 0 &&
                     ASN1_TIME_check(X509_get0_notBefore(parsed.get())) == 1 &&
                     ASN1_TIME_check(X509_get0_notAfter(parsed.get())) == 1;
  ERR_clear_error();
  return taken;
}

bool has_unknown_critical_extension(const Certificate& certificate) {
  return std::ranges::any_of(certificate.extensions, [](const Extension& extension) {
    return extension.critical && std::ranges::none_of(kKnownExtensions, [&](const der::Oid& oid) {
             return extension.oid == oid;
           });
  });
}

bool usage_allows_signing(const Certificate& certificate) {
  const Extension* usage = certificate.find(kKeyUsage);
  if (usage == nullptr) return true;
  const auto same = [](const Extension& extension) { return extension.oid == kKeyUsage; };
  if (std::ranges::count_if(certificate.extensions, same) != 1) return false;
  const auto bits = der::Reader(usage->value, der::kAnyBer).read(der::kBitString);
  if (!bits || bits->content.size() < 2) return false;
  constexpr std::byte kDigitalSignatureOrNonRepudiation{0xc0};
  const auto unused = std::to_integer<unsigned>(bits->content[0]);
  std::byte first = bits->content[1];
  if (bits->content.size() == 2) first &= std::byte{0xff} << (unused & 7U);
  return (first & kDigitalSignatureOrNonRepudiation) != std::byte{0};
}

bool same_serial(ByteView a, ByteView b) {
  return std::ranges::equal(shortest_integer(a), shortest_integer(b));
}

bool names_match(ByteView a, ByteView b) {
  const NameOwned left(openssl::decode<d2i_X509_NAME>(a));
  const NameOwned right(openssl::decode<d2i_X509_NAME>(b));
  ERR_clear_error();
  return left != nullptr && right != nullptr && X509_NAME_cmp(left.get(), right.get()) == 0;
}

}  // namespace touchmark::pki
