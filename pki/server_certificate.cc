#include "pki/server_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "crypto/openssl.h"
#include "crypto/openssl_time.h"

namespace touchmark::pki {
namespace {

using openssl::require;
using ExtensionOwned = openssl::Owned<X509_EXTENSION, X509_EXTENSION_free>;

using AddressOwned = openssl::Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

bool is_address(const std::string& host) {
  const AddressOwned address(a2i_IPADDRESS(host.c_str()));
  ERR_clear_error();
  return address != nullptr;
}

// A name is given to OpenSSL in a text form where these mean something.
bool is_plain_name(const std::string& host) {
  return !host.empty() && host.size() <= 253 &&
         host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*") ==
             std::string::npos;
}

openssl::X509Owned parse_pem(std::string_view pem) {
  openssl::X509Owned certificate(PEM_read_bio_X509(openssl::memory_bio(as_bytes(pem)).get(),
                                                   nullptr, openssl::no_passphrase, nullptr));
  ERR_clear_error();
  return certificate;
}

openssl::Pkey parse_key(std::string_view pem) {
  openssl::Pkey key(PEM_read_bio_PrivateKey(openssl::memory_bio(as_bytes(pem)).get(), nullptr,
                                            openssl::no_passphrase, nullptr));
  ERR_clear_error();
  return key;
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionOwned extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension != nullptr, "certificate extension");
  require(X509_add_ext(certificate, extension.get(), -1) == 1, "X509_add_ext");
}

void set_serial(X509* certificate, Random& random) {
  Bytes serial = random.bytes(16);
  serial[0] &= std::byte{0x7F};  // positive
  const openssl::BigNumber number(BN_bin2bn(uchars(ByteView(serial)), 16, nullptr));
  require(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
          "certificate serial");
}

std::string to_pem(X509* certificate) {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate) == 1, "certificate to PEM");
  return std::string(as_text(openssl::bytes_of(bio)));
}

openssl::Pkey to_pkey(const crypto::EcKey& key) {
  openssl::Pkey out = parse_key(key.private_pem());
  require(out != nullptr, "own private key");
  return out;
}

}  // namespace

std::string_view error_id(ServerCertificateError error) {
  using enum ServerCertificateError;
  static constexpr auto kIds = error_table<ServerCertificateError>({
      {kMalformed, "tls-certificate.malformed"},
      {kBadKey, "tls-certificate.bad-key"},
      {kKeyMismatch, "tls-certificate.key-mismatch"},
      {kBadHost, "tls-certificate.bad-host"},
  });
  return kIds[error];
}

Result<std::string> make_self_signed(const crypto::EcKey& key,
                                     const std::vector<std::string>& hosts, UnixTime not_before,
                                     UnixTime not_after, Random& random) {
  std::string names;
  for (const std::string& host : hosts) {
    const bool address = is_address(host);
    if (!address && !is_plain_name(host)) {
      return fail(ServerCertificateError::kBadHost, "\"" + host + "\" is no host name or address");
    }
    names += (names.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + host;
  }
  const openssl::X509Owned certificate(X509_new());
  require(certificate != nullptr, "X509_new");
  X509* x509 = certificate.get();
  const openssl::Pkey pkey = to_pkey(key);
  require(X509_set_version(x509, X509_VERSION_3) == 1, "certificate version");
  set_serial(x509, random);
  openssl::set_time(X509_getm_notBefore(x509), not_before);
  openssl::set_time(X509_getm_notAfter(x509), not_after);
  X509_NAME* name = X509_get_subject_name(x509);
  static constexpr unsigned char kCommonName[] = "Touchmark development";
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, kCommonName, -1, -1, 0) == 1 &&
              X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, pkey.get()) == 1,
          "certificate names");
  add_extension(x509, NID_subject_alt_name, names);
  add_extension(x509, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(x509, NID_key_usage, "critical,digitalSignature");
  add_extension(x509, NID_ext_key_usage, "serverAuth");
  add_extension(x509, NID_subject_key_identifier, "hash");
  require(X509_sign(x509, pkey.get(), EVP_sha256()) > 0, "X509_sign");
  return to_pem(x509);
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  const openssl::X509Owned certificate = parse_pem(pem);
  if (!certificate) return fail(ServerCertificateError::kMalformed, "not a PEM certificate");
  const Bytes spki = openssl::encode<i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(certificate.get()));
  const auto end = openssl::time_of(X509_get0_notAfter(certificate.get()));
  if (!end) {
    return fail(ServerCertificateError::kMalformed,
                "the certificate's end of validity is not a time");
  }
  return CertificateFacts{crypto::sha256(spki), *end};
}

bool names_host(std::string_view pem, const std::string& host) {
  const openssl::X509Owned certificate = parse_pem(pem);
  if (!certificate) return false;
  if (is_address(host)) return X509_check_ip_asc(certificate.get(), host.c_str(), 0) == 1;
  return X509_check_host(certificate.get(), host.data(), host.size(), 0, nullptr) == 1;
}

Result<void> check_key_pair(std::string_view certificate_pem, std::string_view key_pem) {
  const openssl::X509Owned certificate = parse_pem(certificate_pem);
  if (!certificate) return fail(ServerCertificateError::kMalformed, "not a PEM certificate");
  const openssl::Pkey key = parse_key(key_pem);
  if (!key) {
    return fail(ServerCertificateError::kBadKey, "not a PEM private key without a password");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail(ServerCertificateError::kKeyMismatch, "the private key is not the certificate's");
  }
  return {};
}

}  // namespace touchmark::pki
