#include "package/android/signature/certificate.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "crypto/openssl.h"
#include "formats/der.h"

namespace touchmark::package::signature {
namespace {

using X509Owned = openssl::Owned<X509, X509_free>;
using NameOwned = openssl::Owned<X509_NAME, X509_NAME_free>;

// Calls one of OpenSSL's i2d functions; empty when it fails.
template <class T>
Bytes encode(int (*i2d)(const T*, unsigned char**), const T* object) {
  unsigned char* encoded = nullptr;
  const int size = i2d(object, &encoded);
  if (size <= 0) return {};
  const openssl::Owned<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> owner(encoded);
  return to_bytes(std::as_bytes(std::span(encoded, static_cast<std::size_t>(size))));
}

// Whether the modulus, the INTEGER that starts an RSAPublicKey, has its sign bit set.
bool has_negative_modulus(const X509_PUBKEY* key) {
  const unsigned char* bits = nullptr;
  int size = 0;
  if (X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, key) != 1) return false;
  const ByteView encoded = std::as_bytes(std::span(bits, static_cast<std::size_t>(size)));
  const auto sequence = der::Reader(encoded, der::kAnyBer).read();
  if (!sequence) return false;
  const auto modulus = der::Reader(sequence->content, der::kAnyBer).read(der::kInteger);
  return modulus && !modulus->content.empty() &&
         (modulus->content.front() & std::byte{0x80}) != std::byte{0};
}

// Critical extensions that a verifier of APKs may meet; any other makes the certificate unusable.
bool is_known_extension(int nid) {
  static constexpr std::array kKnown{NID_subject_key_identifier,
                                     NID_key_usage,
                                     NID_private_key_usage_period,
                                     NID_subject_alt_name,
                                     NID_issuer_alt_name,
                                     NID_basic_constraints,
                                     NID_name_constraints,
                                     NID_certificate_policies,
                                     NID_policy_mappings,
                                     NID_authority_key_identifier,
                                     NID_policy_constraints,
                                     NID_ext_key_usage,
                                     NID_netscape_cert_type,
                                     NID_crl_distribution_points,
                                     NID_inhibit_any_policy,
                                     NID_info_access,
                                     NID_sinfo_access,
                                     NID_freshest_crl};
  return std::find(kKnown.begin(), kKnown.end(), nid) != kKnown.end();
}

bool has_unknown_critical_extension(const X509* certificate) {
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 && !is_known_extension(nid)) return true;
  }
  return false;
}

bool usage_allows_signing(const X509* certificate) {
  int found = 0;
  const openssl::Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage(
      static_cast<ASN1_BIT_STRING*>(X509_get_ext_d2i(certificate, NID_key_usage, &found, nullptr)));
  if (usage == nullptr) return found == -1;  // -1: no such extension; else it cannot be read
  constexpr int kDigitalSignature = 0;
  constexpr int kNonRepudiation = 1;
  return ASN1_BIT_STRING_get_bit(usage.get(), kDigitalSignature) == 1 ||
         ASN1_BIT_STRING_get_bit(usage.get(), kNonRepudiation) == 1;
}

// What AOSP's verifier, which runs on Java, asks of a certificate and OpenSSL does not: a version
// that has what the certificate has, dates that are some, and a signature by the algorithm that the
// signed part names (RFC 5280 sections 4.1.2.1 and 4.1.1.2).
bool is_consistent(const X509* certificate) {
  const X509_ALGOR* outer = nullptr;
  X509_get0_signature(nullptr, &outer, certificate);
  const X509_ALGOR* inner = X509_get0_tbs_sigalg(certificate);
  const long version = X509_get_version(certificate);
  const bool has_extensions = X509_get0_extensions(certificate) != nullptr;
  return version >= X509_VERSION_1 && version <= X509_VERSION_3 &&
         (!has_extensions || version == X509_VERSION_3) &&
         OBJ_cmp(outer->algorithm, inner->algorithm) == 0 &&
         ASN1_TIME_check(X509_get0_notBefore(certificate)) == 1 &&
         ASN1_TIME_check(X509_get0_notAfter(certificate)) == 1;
}

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

NameOwned parse_name(ByteView der) {
  const unsigned char* at = uchars(der);
  return NameOwned(d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())));
}

}  // namespace

std::optional<Certificate> parse_certificate(ByteView der) {
  const unsigned char* at = uchars(der);
  const X509Owned parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (parsed == nullptr || !is_consistent(parsed.get())) {
    ERR_clear_error();
    return std::nullopt;
  }
  Certificate certificate;
  certificate.der = to_bytes(der);
  const X509_PUBKEY* key = X509_get_X509_PUBKEY(parsed.get());
  certificate.public_key_der = encode(i2d_X509_PUBKEY, key);
  certificate.public_key = PublicKey::from_der(certificate.public_key_der);
  if (certificate.public_key && certificate.public_key->type() == KeyType::kRsa &&
      has_negative_modulus(key)) {
    certificate.public_key_der = certificate.public_key->der();
  }
  certificate.issuer = encode<X509_NAME>(i2d_X509_NAME, X509_get_issuer_name(parsed.get()));
  const Bytes serial = encode(i2d_ASN1_INTEGER, X509_get0_serialNumber(parsed.get()));
  if (const auto integer = der::Reader(serial).read()) {
    certificate.serial = to_bytes(integer->content);
  }
  certificate.unknown_critical_extension = has_unknown_critical_extension(parsed.get());
  certificate.usage_allows_signing = usage_allows_signing(parsed.get());
  ERR_clear_error();
  return certificate;
}

bool is_issued_as(const Certificate& certificate, ByteView issuer, ByteView serial) {
  const ByteView mine = shortest_integer(certificate.serial);
  const ByteView theirs = shortest_integer(serial);
  if (!std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end())) return false;
  const NameOwned a = parse_name(certificate.issuer);
  const NameOwned b = parse_name(issuer);
  ERR_clear_error();
  return a != nullptr && b != nullptr && X509_NAME_cmp(a.get(), b.get()) == 0;
}

}  // namespace touchmark::package::signature
