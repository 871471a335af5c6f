// Certificates for tests.
#pragma once

#include <openssl/x509v3.h>

#include <string>

#include "crypto/openssl.h"

namespace touchmark::attester::testing {

using Certificate = openssl::Owned<X509, X509_free>;

// For an hour, with `host` as common name and DNS name.
inline Certificate self_signed(EVP_PKEY* key, const std::string& host) {
  Certificate out(X509_new());
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), 3600);
  X509_set_pubkey(out.get(), key);
  X509_NAME* name = X509_get_subject_name(out.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(host.c_str()), -1, -1, 0);
  X509_set_issuer_name(out.get(), name);
  X509_EXTENSION* names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + host).c_str());
  X509_add_ext(out.get(), names, -1);
  X509_EXTENSION_free(names);
  openssl::require(X509_sign(out.get(), key, EVP_sha256()) > 0, "signing a certificate");
  return out;
}

template <class T, class Encode>
std::string der(T* object, Encode encode) {
  unsigned char* bytes = nullptr;
  const int length = encode(object, &bytes);
  openssl::require(length > 0, "DER");
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return out;
}
inline std::string der_of(X509* certificate) { return der(certificate, i2d_X509); }
inline std::string spki_of(EVP_PKEY* key) { return der(key, i2d_PUBKEY); }

}  // namespace touchmark::attester::testing
