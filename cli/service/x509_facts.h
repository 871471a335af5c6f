// What pin.cc and live_certificate.cc read from OpenSSL's objects. For .cc files only.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>

namespace touchmark::cli::service {

std::string pin_of_key(EVP_PKEY* key);
std::string subject_of(const X509* certificate);

}  // namespace touchmark::cli::service
