// Signed code in every form in which Apple's tools, or OpenSSL in their place, may write it.
// Receipts are tested where they are used, in verifier/evidence.
#include "pki/cms.h"

#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "crypto/openssl.h"

namespace touchmark::pki {
namespace {

using openssl::require;
using Cms = openssl::Owned<CMS_ContentInfo, CMS_ContentInfo_free>;

openssl::X509Owned make_certificate(EVP_PKEY* key, const char* name, X509* issuer,
                                    EVP_PKEY* issuer_key) {
  openssl::X509Owned certificate(X509_new());
  X509* x509 = certificate.get();
  X509* by = issuer == nullptr ? x509 : issuer;
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(x509), -2000);
  X509_gmtime_adj(X509_getm_notAfter(x509), -1000);  // apps outlive their certificates
  for (const char* field : {"CN", "OU"}) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  }
  X509_set_issuer_name(x509, X509_get_subject_name(by));
  X509_set_pubkey(x509, key);
  const auto extend = [&](int id, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, by, x509, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_subject_key_identifier, "hash");
  extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (issuer != nullptr) extend(NID_ext_key_usage, "codeSigning");
  require(X509_sign(x509, issuer_key, EVP_sha256()) > 0, "X509_sign");
  return certificate;
}

struct Form {
  const char* digest = "SHA256";
  unsigned flags = 0;
  bool pss = false;
  bool unsigned_attribute = false;
};

class Signer {
 public:
  explicit Signer(openssl::Pkey key) : key_(std::move(key)) {}

  Bytes sign(std::string_view content, Form form = {}) const {
    const openssl::Bio data = openssl::memory_bio(as_bytes(content));
    const unsigned flags = CMS_BINARY | CMS_PARTIAL | form.flags;
    const Cms cms(CMS_sign(nullptr, nullptr, nullptr, data.get(), flags));
    CMS_SignerInfo* signer =
        CMS_add1_signer(cms.get(), leaf_.get(), key_.get(), EVP_get_digestbyname(form.digest),
                        flags | CMS_NOSMIMECAP | (form.pss ? CMS_KEY_PARAM : 0U));
    require(signer != nullptr, "CMS_add1_signer");
    if (form.pss) {
      EVP_PKEY_CTX_set_rsa_padding(CMS_SignerInfo_get0_pkey_ctx(signer), RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(CMS_SignerInfo_get0_pkey_ctx(signer),
                                       RSA_PSS_SALTLEN_DIGEST);
    }
    require(CMS_add1_cert(cms.get(), root_.get()) == 1 &&
                CMS_final(cms.get(), data.get(), nullptr, flags) == 1,
            "CMS_final");
    if (form.unsigned_attribute) {
      CMS_unsigned_add1_attr_by_NID(signer, NID_id_smime_aa_timeStampToken, V_ASN1_OCTET_STRING,
                                    "stamp", 5);
    }
    return openssl::encode<i2d_CMS_ContentInfo>(cms.get());
  }
  std::vector<Bytes> roots() const { return {openssl::encode<i2d_X509>(root_.get())}; }

 private:
  openssl::Pkey root_key_{EVP_EC_gen("P-256")};
  openssl::Pkey key_;
  openssl::X509Owned root_ = make_certificate(root_key_.get(), "Root", nullptr, root_key_.get());
  openssl::X509Owned leaf_ = make_certificate(key_.get(), "TEAM", root_.get(), root_key_.get());
};

std::string outcome(const Result<CodeSigner>& signer) {
  return signer ? signer->organizational_unit : signer.error().id();
}

void check_forms(const Signer& signer, const std::vector<Form>& forms) {
  for (const Form& form : forms) {
    Form apart = form;
    apart.flags |= CMS_DETACHED;
    Bytes cms = signer.sign("code", apart);
    const auto verify = [&](std::string_view content) {
      return outcome(verify_code_signature(cms, as_bytes(content), signer.roots()));
    };
    EXPECT_EQ(verify("code"), "TEAM") << form.digest << " " << form.flags << form.pss;
    EXPECT_EQ(verify("Code"),
              (form.flags & CMS_NOATTR) != 0 ? "cms.bad-signature" : "cms.digest-mismatch");
    cms.insert(cms.end(), 16, std::byte{});  // room that the signing tool left
    EXPECT_EQ(verify("code"), "TEAM");
    const auto content = open_signed_content(signer.sign("code", form), signer.roots(), 1 << 20);
    ASSERT_TRUE(content) << content.error().text();
    EXPECT_EQ(as_text(*content), "code");
  }
}

TEST(CodeSignature, VerifiesWhatEcdsaSigned) {
  const Signer signer(openssl::Pkey(EVP_EC_gen("P-256")));
  check_forms(signer, {{},
                       {.digest = "SHA1"},
                       {.digest = "SHA512"},
                       {.flags = CMS_USE_KEYID},
                       {.flags = CMS_NOATTR},
                       {.unsigned_attribute = true}});
}

TEST(CodeSignature, VerifiesWhatRsaSigned) {
  const Signer signer(openssl::Pkey(EVP_RSA_gen(2048)));
  check_forms(signer, {{}, {.digest = "SHA1"}, {.digest = "SHA384"}, {.pss = true}});
}

TEST(CodeSignature, RefusesWhatNobodyTrustedSigned) {
  const Signer signer(openssl::Pkey(EVP_EC_gen("P-256")));
  const Signer other(openssl::Pkey(EVP_EC_gen("P-256")));
  const auto verify = [&](ByteView cms, const std::vector<Bytes>& roots) {
    return outcome(verify_code_signature(cms, as_bytes("code"), roots));
  };
  Bytes cms = signer.sign("code", {.flags = CMS_DETACHED});
  EXPECT_EQ(verify(cms, other.roots()), "cms.untrusted");
  EXPECT_EQ(verify(cms, {}), "cms.untrusted");
  cms.back() ^= std::byte{1};
  EXPECT_EQ(verify(cms, signer.roots()), "cms.bad-signature");
  EXPECT_EQ(verify(as_bytes("junk"), signer.roots()), "cms.malformed");
  EXPECT_EQ(verify(signer.sign("code", {.flags = CMS_DETACHED | CMS_NOCERTS}), signer.roots()),
            "cms.no-certificate");
}

}  // namespace
}  // namespace touchmark::pki
