#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "package/testing/ios_builder.h"

namespace touchmark::package::testing {
namespace {

std::string take(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

std::string der_of(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  i2d_X509_bio(bio, certificate);
  return take(bio);
}

void add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* make_certificate(EVP_PKEY* key, const char* name, const std::string& unit, X509* issuer,
                       EVP_PKEY* issuer_key, const char* usage) {
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, const std::string& text) {
    X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  };
  add("CN", name);
  if (!unit.empty()) add("OU", unit);
  X509* by = issuer == nullptr ? certificate : issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(by));
  X509_set_pubkey(certificate, key);
  add_extension(certificate, by, NID_basic_constraints,
                issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(certificate, by, NID_key_usage,
                issuer == nullptr ? "critical,keyCertSign" : "critical,digitalSignature");
  if (usage != nullptr) add_extension(certificate, by, NID_ext_key_usage, usage);
  X509_sign(certificate, issuer_key, EVP_sha256());
  return certificate;
}

}  // namespace

struct IosPki::Keys {
  EVP_PKEY* root_key = EVP_EC_gen("P-256");
  EVP_PKEY* leaf_key = EVP_EC_gen("P-256");
  X509* root = nullptr;
  X509* leaf = nullptr;
};

IosPki::IosPki(const std::string& team, bool for_code) : keys_(std::make_unique<Keys>()) {
  keys_->root =
      make_certificate(keys_->root_key, "Test Root CA", "", nullptr, keys_->root_key, nullptr);
  keys_->leaf = make_certificate(keys_->leaf_key, "iPhone Distribution: Test", team, keys_->root,
                                 keys_->root_key, for_code ? "codeSigning" : "serverAuth");
}

IosPki::~IosPki() {
  X509_free(keys_->leaf);
  X509_free(keys_->root);
  EVP_PKEY_free(keys_->leaf_key);
  EVP_PKEY_free(keys_->root_key);
}

std::string IosPki::root_der() const { return der_of(keys_->root); }
std::string IosPki::leaf_der() const { return der_of(keys_->leaf); }

namespace {

std::string sign(X509* leaf, EVP_PKEY* key, X509* root, std::string_view content, bool detached) {
  BIO* data = BIO_new_mem_buf(content.data(), static_cast<int>(content.size()));
  STACK_OF(X509)* others = sk_X509_new_null();
  sk_X509_push(others, root);
  const unsigned flags = CMS_BINARY | (detached ? CMS_DETACHED : 0u);
  CMS_ContentInfo* cms = CMS_sign(leaf, key, others, data, flags);
  BIO* out = BIO_new(BIO_s_mem());
  i2d_CMS_bio(out, cms);
  CMS_ContentInfo_free(cms);
  sk_X509_free(others);
  BIO_free(data);
  return take(out);
}

}  // namespace

std::string IosPki::sign_detached(std::string_view content) const {
  return sign(keys_->leaf, keys_->leaf_key, keys_->root, content, true);
}
std::string IosPki::wrap(std::string_view content) const {
  return sign(keys_->leaf, keys_->leaf_key, keys_->root, content, false);
}

}  // namespace touchmark::package::testing
