#include "package/ios/cms.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace touchmark::package::ios {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
void free_certificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }
using Cms = std::unique_ptr<CMS_ContentInfo, Deleter<CMS_ContentInfo_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using Context = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using Certificates = std::unique_ptr<STACK_OF(X509), Deleter<free_certificates>>;

// Reads fail without a trace in OpenSSL's queue of errors, which belongs to the caller's thread.
struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
};

Bio memory_bio(ByteView bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

Certificate certificate_from_der(ByteView der) {
  const unsigned char* at = uchars(der);
  return Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

Bytes to_der(X509* certificate) {
  Bytes der(static_cast<std::size_t>(std::max(i2d_X509(certificate, nullptr), 0)));
  unsigned char* at = uchars(std::span(der));
  i2d_X509(certificate, &at);
  return der;
}

std::string organizational_unit(X509* certificate) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string unit(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return unit;
}

// Links of the chain are checked with OpenSSL's rules, but for two: time, and critical extensions,
// of which Apple has many of its own.
bool is_trusted(X509* signer, STACK_OF(X509) * others, const std::vector<Bytes>& roots) {
  const Store store(X509_STORE_new());
  const Context context(X509_STORE_CTX_new());
  if (!store || !context) return false;
  for (const Bytes& root : roots) {
    const Certificate certificate = certificate_from_der(root);
    if (certificate) X509_STORE_add_cert(store.get(), certificate.get());
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), signer, others) != 1) return false;
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_IGNORE_CRITICAL);
  X509_VERIFY_PARAM_set_auth_level(rules, 1);  // 80 bits: the older of Apple's roots
  return X509_verify_cert(context.get()) == 1;
}

struct Verified {
  Certificate signer;
  Bytes content;
};

Result<Verified> verify(ByteView bytes, const ByteView* detached, const std::vector<Bytes>& roots) {
  const Bio in = memory_bio(bytes);
  const Cms cms(d2i_CMS_bio(in.get(), nullptr));
  if (!cms || OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed) {
    return fail(CmsError::kMalformed, "not CMS SignedData");
  }
  if (sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms.get())) != 1) {
    return fail(CmsError::kSignerCount, "not exactly one signer");
  }
  const Certificates others(CMS_get1_certs(cms.get()));
  if (!others || CMS_set1_signers_certs(cms.get(), others.get(), 0) != 1) {
    return fail(CmsError::kNoCertificate, "the signer's certificate is not there");
  }
  const Bio content = detached ? memory_bio(*detached) : nullptr;
  const Bio out(BIO_new(BIO_s_mem()));
  if (CMS_verify(cms.get(), nullptr, nullptr, content.get(), out.get(),
                 CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) != 1) {
    return fail(CmsError::kBadSignature, "the signature does not verify");
  }
  X509* signer = nullptr;
  CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms.get()), 0), nullptr,
                           &signer, nullptr, nullptr);
  if (signer == nullptr) return fail(CmsError::kNoCertificate, "no signer");
  if (!is_trusted(signer, others.get(), roots)) {
    return fail(CmsError::kUntrusted, "the signer's certificate has no chain to a trusted root");
  }
  X509_up_ref(signer);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  const std::string_view text(data, static_cast<std::size_t>(std::max(size, 0l)));
  return Verified{Certificate(signer), to_bytes(text)};
}

}  // namespace

std::string_view error_id(CmsError error) {
  using enum CmsError;
  static constexpr auto kIds = error_table<CmsError>({
      {kMalformed, "cms.malformed"},
      {kSignerCount, "cms.signer-count"},
      {kNoCertificate, "cms.no-certificate"},
      {kBadSignature, "cms.bad-signature"},
      {kUntrusted, "cms.untrusted"},
      {kNotForCode, "cms.not-for-code"},
  });
  return kIds[error];
}

Result<CmsSigner> verify_code_cms(ByteView cms, ByteView content, const std::vector<Bytes>& roots) {
  const ErrorMark mark;
  const auto verified = verify(cms, &content, roots);
  if (!verified) return pass(verified);
  X509* signer = verified->signer.get();
  if ((X509_get_extension_flags(signer) & EXFLAG_XKUSAGE) == 0 ||
      (X509_get_extended_key_usage(signer) & XKU_CODE_SIGN) == 0) {
    return fail(CmsError::kNotForCode, "the signer's certificate is not for code signing");
  }
  return CmsSigner{to_der(signer), organizational_unit(signer)};
}

Result<Bytes> open_cms(ByteView cms, const std::vector<Bytes>& roots, std::size_t max_bytes) {
  const ErrorMark mark;
  if (cms.size() > max_bytes) return fail(CmsError::kMalformed, "larger than any such file");
  auto verified = verify(cms, nullptr, roots);
  if (!verified) return pass(verified);
  return std::move(verified->content);
}

}  // namespace touchmark::package::ios
