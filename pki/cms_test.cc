// Signed code in every form in which Apple's tools, or OpenSSL in their place, may write it.
// Receipts are tested where they are used, in verifier/evidence.
#include "pki/cms.h"

#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "crypto/openssl.h"
#include "formats/testing/der_writer.h"
#include "tests/support/cost.h"

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

// Root, intermediate and signer, the intermediate signed by the root with any digest.
class Chain {
 public:
  Chain(const EVP_MD* digest, openssl::Pkey intermediate_key = openssl::Pkey(EVP_RSA_gen(2048)))
      : intermediate_key_(std::move(intermediate_key)) {
    X509_set_issuer_name(intermediate_.get(), X509_get_subject_name(root_.get()));
    require(X509_sign(intermediate_.get(), root_key_.get(), digest) > 0, "X509_sign");
    leaf_ = make_certificate(key_.get(), "TEAM", intermediate_.get(), intermediate_key_.get());
  }

  Bytes sign(std::string_view content) const {
    const openssl::Bio data = openssl::memory_bio(as_bytes(content));
    constexpr unsigned kFlags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL;
    const Cms cms(CMS_sign(leaf_.get(), key_.get(), nullptr, data.get(), kFlags));
    require(cms && CMS_add1_cert(cms.get(), intermediate_.get()) == 1 &&
                CMS_final(cms.get(), data.get(), nullptr, kFlags) == 1,
            "CMS_final");
    return openssl::encode<i2d_CMS_ContentInfo>(cms.get());
  }
  std::string verdict() const {
    return outcome(verify_code_signature(sign("code"), as_bytes("code"),
                                         {openssl::encode<i2d_X509>(root_.get())}));
  }

 private:
  openssl::Pkey root_key_{EVP_RSA_gen(2048)};
  openssl::Pkey intermediate_key_;
  openssl::Pkey key_{EVP_RSA_gen(2048)};
  openssl::X509Owned root_ = make_certificate(root_key_.get(), "Root", nullptr, root_key_.get());
  openssl::X509Owned intermediate_ =
      make_certificate(intermediate_key_.get(), "Intermediate", nullptr, intermediate_key_.get());
  openssl::X509Owned leaf_;
};

// Apple's intermediates of before 2016; OpenSSL's security levels above 0 refuse them.
TEST(CodeSignature, TheProductSaysHowStrongAChainMustBe) {
  EXPECT_EQ(Chain(EVP_sha256()).verdict(), "TEAM");
  EXPECT_EQ(Chain(EVP_sha384()).verdict(), "TEAM");
  EXPECT_EQ(Chain(EVP_sha1()).verdict(), "TEAM");
  EXPECT_EQ(Chain(EVP_md5()).verdict(), "cms.untrusted");
  EXPECT_EQ(Chain(EVP_sha256(), openssl::Pkey(EVP_RSA_gen(1024))).verdict(), "TEAM");
  EXPECT_EQ(Chain(EVP_sha256(), openssl::Pkey(EVP_RSA_gen(768))).verdict(), "cms.untrusted");
}

namespace writer = touchmark::testing;

Bytes attribute(const char* oid, const Bytes& value) {
  const openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(oid, 1));
  return writer::sequence({openssl::encode<i2d_ASN1_OBJECT>(object.get()), writer::set({value})});
}
Bytes algorithm(const char* oid) {
  const openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(oid, 1));
  return writer::sequence({openssl::encode<i2d_ASN1_OBJECT>(object.get())});
}
Bytes sha256(ByteView data) { return crypto::digest(crypto::DigestAlgorithm::kSha256, data); }

// What is signed are the attributes in the order in which they stand, whether or not that is DER's.
TEST(CodeSignature, SignedAttributesAreDigestedAsTheyStand) {
  const openssl::Pkey root_key(EVP_EC_gen("P-256"));
  const openssl::Pkey key(EVP_EC_gen("P-256"));
  const auto root = make_certificate(root_key.get(), "Root", nullptr, root_key.get());
  const auto leaf = make_certificate(key.get(), "TEAM", root.get(), root_key.get());
  const Bytes digest = attribute("1.2.840.113549.1.9.4", writer::octets(sha256(as_bytes("code"))));
  const openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free> data(OBJ_txt2obj("1.2.840.113549.1.7.1", 1));
  const Bytes data_oid = openssl::encode<i2d_ASN1_OBJECT>(data.get());
  const Bytes type = attribute("1.2.840.113549.1.9.3", data_oid);
  ASSERT_LT(type.size(), digest.size());  // so that DER has the type first
  const Bytes sorted = writer::join({type, digest});
  const Bytes unsorted = writer::join({digest, type});
  const auto verdict = [&](const Bytes& standing, const Bytes& as_signed) {
    const Bytes set = writer::element(der::kSet, as_signed);
    const openssl::DigestContext context(EVP_MD_CTX_new());
    Bytes signature(128);
    std::size_t size = signature.size();
    require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                EVP_DigestSign(context.get(), uchars(std::span(signature)), &size, uchars(set),
                               set.size()) == 1,
            "signature");
    signature.resize(size);
    const Bytes issuer = openssl::encode<i2d_X509_NAME>(X509_get_issuer_name(leaf.get()));
    const Bytes signer = writer::sequence(
        {writer::number(1), writer::sequence({issuer, writer::number(2)}),
         algorithm("2.16.840.1.101.3.4.2.1"), writer::element(der::context(0), standing),
         algorithm("1.2.840.10045.4.3.2"), writer::octets(signature)});
    const Bytes cms = writer::sequence(
        {openssl::encode<i2d_ASN1_OBJECT>(
             openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free>(OBJ_txt2obj("1.2.840.113549.1.7.2", 1))
                 .get()),
         writer::explicit_tag(
             0, writer::sequence(
                    {writer::number(1), writer::set({algorithm("2.16.840.1.101.3.4.2.1")}),
                     writer::sequence({data_oid}),
                     writer::element(der::context(0), openssl::encode<i2d_X509>(leaf.get())),
                     writer::set({signer})}))});
    return outcome(
        verify_code_signature(cms, as_bytes("code"), {openssl::encode<i2d_X509>(root.get())}));
  };
  EXPECT_EQ(verdict(sorted, sorted), "TEAM");
  EXPECT_EQ(verdict(unsorted, unsorted), "TEAM");
  EXPECT_EQ(verdict(unsorted, sorted), "cms.bad-signature");
}

// Elements within elements, many small ones, and certificates of empty extensions.
TEST(CodeSignature, HostileEncodingsAreCheap) {
  const auto repeated = [](std::string_view piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += piece;
    return out;
  };
  const std::string in_each_other = repeated("\x30\x80", 450'000);
  std::string fifteen_deep;
  while (fifteen_deep.size() < 900'000) {
    fifteen_deep += repeated("\x30\x80", 14) + repeated(std::string_view("\0\0", 2), 14);
  }
  const auto wrap = [](const std::string& certificates) {
    const auto oid = [](const char* text) {
      const openssl::Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(text, 1));
      return openssl::encode<i2d_ASN1_OBJECT>(object.get());
    };
    return writer::sequence(
        {oid("1.2.840.113549.1.7.2"),
         writer::explicit_tag(
             0, writer::sequence({writer::number(1), writer::set({}),
                                  writer::sequence({oid("1.2.840.113549.1.7.1")}),
                                  writer::element(der::context(0), as_bytes(certificates)),
                                  writer::set({writer::sequence({writer::number(1)})})}))});
  };
  const Bytes extension = writer::sequence({algorithm("1.2.3"), writer::octets("")});
  std::string extensions;
  while (extensions.size() < 900'000) extensions += as_text(extension);
  for (const Bytes& cms :
       {to_bytes(in_each_other), wrap(in_each_other), wrap(fifteen_deep), wrap(extensions),
        wrap(repeated(std::string_view("\x05\0", 2), 450'000))}) {
    ASSERT_LT(cms.size(), 1'000'000U);
    const writer::Cost cost =
        writer::cost_of([&] { return outcome(verify_code_signature(cms, as_bytes("code"), {})); });
    EXPECT_TRUE(cost.outcome.starts_with("cms.")) << cost.outcome;
    if (!writer::kCostsAreTrue) continue;
    EXPECT_LT(cost.memory_mib, 64);
    EXPECT_LT(cost.seconds, 10);
  }
}

}  // namespace
}  // namespace touchmark::pki
