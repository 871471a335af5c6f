// JAR signatures: one crafted package for every refusal.
#include "package/android/signature/scheme_v1.h"

#include <gtest/gtest.h>

#include "package/android/signature/signing_block.h"
#include "package/android/signature/testing/jar_builder.h"

namespace touchmark::package::signature {
namespace {

using namespace testing;

constexpr SignatureOptions kV1Levels{18, 23, nullptr};
const std::string kContentType = "1.2.840.113549.1.9.3";
const std::string kMessageDigest = "1.2.840.113549.1.9.4";
const std::string kData = "1.2.840.113549.1.7.1";

std::string v1_verdict(const JarSpec& spec, const SignatureOptions& options = kV1Levels) {
  return verdict(to_bytes(jar_signed(spec).build()), options);
}
std::string block_verdict(const JarBlockSpec& block, const SignatureOptions& options = kV1Levels) {
  return v1_verdict({.signers = {block}}, options);
}

std::function<void(std::string&)> replace(const std::string& what, const std::string& with) {
  return [=](std::string& text) {
    const std::size_t at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
  };
}
// Without the whole-manifest digest, the sections are checked one by one.
std::function<void(std::string&)> by_section(const std::function<void(std::string&)>& edit = {}) {
  return [=](std::string& text) {
    replace("SHA-256-Digest-Manifest:", "X:")(text);
    if (edit) edit(text);
  };
}

TEST(SchemeV1, NeedsManifestAndSignature) {
  EXPECT_EQ(v1_verdict({}), "verified");
  EXPECT_EQ(verdict(to_bytes(plain_package().zip().build()), kV1Levels),
            "signature.v1.no-manifest");
  EXPECT_EQ(v1_verdict({.signers = {}}), "signature.v1.no-signatures");
  EXPECT_EQ(v1_verdict({.signers = std::vector<JarBlockSpec>(10)}), "verified");
  EXPECT_EQ(v1_verdict({.signers = std::vector<JarBlockSpec>(11)}),
            "signature.v1.too-many-signers");
  ZipFile without_file = jar_signed({});
  std::erase_if(without_file.entries,
                [](const ZipFileEntry& entry) { return entry.local.name.ends_with(".SF"); });
  EXPECT_EQ(verdict(to_bytes(without_file.build()), kV1Levels), "signature.v1.no-signatures");
}

TEST(SchemeV1, ManifestNamesEveryEntryOnce) {
  const auto more = [](const std::string& text) {
    return JarSpec{.edit_manifest = [text](std::string& manifest) { manifest += text; }};
  };
  EXPECT_EQ(v1_verdict(more("X: y\r\n\r\n")), "signature.v1.unnamed-section");
  EXPECT_EQ(v1_verdict(more("Name: classes.dex\r\n\r\n")), "signature.v1.duplicate-section");
  EXPECT_EQ(v1_verdict(more("Name: other\r\n\r\n")), "signature.v1.entry-missing");
  EXPECT_EQ(v1_verdict({.entries = {}}), "signature.v1.no-signed-entries");
  EXPECT_EQ(v1_verdict({.extra_files = {{"assets/new", "x"}}}),
            "signature.v1.entry-not-in-manifest");
  EXPECT_EQ(v1_verdict({.extra_files = {{"META-INF/new", "x"}}}), "verified");
  EXPECT_EQ(v1_verdict({.extra_files = {{"folder/", ""}}}), "verified");
  EXPECT_EQ(v1_verdict({.edit_manifest = replace("SHA-256-Digest", "SHA-999-Digest")}),
            "signature.v1.entry-not-in-manifest");
  EXPECT_EQ(v1_verdict({.edit_manifest = replace("SHA-256-Digest: ", "SHA-256-Digest: !")}),
            "signature.v1.malformed-digest");
  EXPECT_EQ(v1_verdict({.edit_manifest = replace(digest_text("code"), digest_text("other"))}),
            "signature.v1.entry-digest-mismatch");
}

TEST(SchemeV1, SizesAreBounded) {
  EXPECT_EQ(
      v1_verdict({.edit_manifest = [](std::string& text) { text += std::string(17 << 20, '\n'); }}),
      "signature.v1.file-too-large");
}

TEST(SchemeV1, BlockIsPkcs7) {
  ZipFile zip = jar_signed(
      {.signers = {},
       .extra_files = {{"META-INF/S0.SF", "Signature-Version: 1"}, {"META-INF/S0.EC", "nothing"}}});
  EXPECT_EQ(verdict(to_bytes(zip.build()), kV1Levels), "signature.v1.malformed-block");
  EXPECT_EQ(block_verdict({.signers = 0}), "signature.v1.no-signers");
  EXPECT_EQ(block_verdict({.certificates = std::vector<Bytes>{octet_value(Bytes(3))}}),
            "signature.v1.malformed-certificate");
  EXPECT_EQ(block_verdict({.digest_oid = "1.2.3"}), "signature.v1.unsupported-algorithm");
  EXPECT_EQ(block_verdict({.serial = 7}), "signature.v1.certificate-missing");
  EXPECT_EQ(block_verdict({.certificates = std::vector<Bytes>{}}),
            "signature.v1.certificate-missing");
  EXPECT_EQ(block_verdict({.by = &rsa_identity()}), "signature.v1.unusable-key");
  EXPECT_EQ(block_verdict({.by = &rsa_identity(), .signature_oid = "1.2.840.113549.1.1.1"}),
            "verified");
  EXPECT_EQ(block_verdict({.edit_signature = [](Bytes& s) { s.pop_back(); }}),
            "signature.v1.unusable-signature");
  EXPECT_EQ(block_verdict({.edit_signature = [](Bytes& s) { s.back() ^= std::byte{1}; }}),
            "signature.v1.bad-signature");
}

Identity with_extension(const std::string& oid, bool critical, const Bytes& content) {
  Identity identity = ec_identity(5);
  touchmark::testing::CertificateSpec spec;
  spec.subject = spec.issuer = {{"CN", "extended"}};
  spec.ca = std::nullopt;
  if (!critical) spec.extensions = {{oid, content}};
  identity.certificate = make_certificate(spec, identity.key, identity.key);
  if (!critical) return identity;
  const unsigned char* at = uchars(ByteView(identity.certificate));
  const openssl::Owned<X509, X509_free> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(identity.certificate.size())));
  touchmark::testing::add_extension(parsed.get(), oid.c_str(), true, content);
  X509_sign(parsed.get(), identity.key.get(), EVP_sha256());
  unsigned char* der = nullptr;
  const int size = i2d_X509(parsed.get(), &der);
  identity.certificate = to_bytes(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return identity;
}

TEST(SchemeV1, CertificateMustAllowSigning) {
  const auto usage = [](int first_byte) {
    return Bytes{std::byte{3}, std::byte{2}, std::byte{5}, static_cast<std::byte>(first_byte)};
  };
  const Identity signing = with_extension("2.5.29.15", false, usage(0x80));
  const Identity repudiation = with_extension("2.5.29.15", false, usage(0x40));
  const Identity encryption = with_extension("2.5.29.15", false, usage(0x20));
  EXPECT_EQ(block_verdict({.by = &signing}), "verified");
  EXPECT_EQ(block_verdict({.by = &repudiation}), "verified");
  EXPECT_EQ(block_verdict({.by = &encryption}), "signature.v1.certificate-usage");
  const Identity unknown = with_extension("1.2.3.4", true, Bytes(2));
  const Identity unknown_optional = with_extension("1.2.3.4", false, Bytes(2));
  EXPECT_EQ(block_verdict({.by = &unknown}), "signature.v1.certificate-extension");
  EXPECT_EQ(block_verdict({.by = &unknown_optional}), "verified");
}

// What is signed is then the attributes, one of which is the digest of the file.
TEST(SchemeV1, SignedAttributes) {
  constexpr SignatureOptions kSince19{19, 0, nullptr};
  std::string file;
  jar_signed({.edit_signature_file = [&](std::string& text) { file = text; }});
  const Bytes type = jar_attribute(kContentType, {oid_value(kData)});
  const Bytes sha256_of_file = crypto::digest(crypto::DigestAlgorithm::kSha256, as_bytes(file));
  const Bytes right = jar_attribute(kMessageDigest, {octet_value(sha256_of_file)});
  const Bytes wrong = jar_attribute(kMessageDigest, {octet_value(Bytes(32))});
  const auto with = [&](std::vector<Bytes> attributes, const SignatureOptions& options) {
    return block_verdict({.signed_attributes = std::move(attributes)}, options);
  };
  EXPECT_EQ(with({type, right}, kSince19), "verified");
  EXPECT_EQ(with({type, right}, kV1Levels), "signature.v1.attributes-too-old");
  EXPECT_EQ(with({type, wrong}, kSince19), "signature.v1.bad-signature");
  EXPECT_EQ(with({type}, kSince19), "signature.v1.missing-attribute");
  EXPECT_EQ(with({right}, kSince19), "signature.v1.missing-attribute");
  EXPECT_EQ(with({right}, {19, 23, nullptr}), "verified");  // the type counts since 24
  EXPECT_EQ(with({jar_attribute(kContentType, {oid_value("1.2.3")}), right}, kSince19),
            "signature.v1.bad-signature");
  EXPECT_EQ(with({type, right, right}, kSince19), "signature.v1.ambiguous-attribute");
  EXPECT_EQ(with({type, jar_attribute(kMessageDigest,
                                      {octet_value(sha256_of_file), octet_value(sha256_of_file)})},
                 kSince19),
            "signature.v1.ambiguous-attribute");
  EXPECT_EQ(with({octet_value(Bytes(3))}, kSince19), "signature.v1.malformed-attributes");
}

TEST(SchemeV1, SignatureFileDigestsTheManifest) {
  EXPECT_EQ(v1_verdict({.edit_signature_file = by_section()}), "verified");
  EXPECT_EQ(v1_verdict({.edit_signature_file = [](std::string& text) { text.clear(); }}),
            "signature.v1.empty-signature-file");
  EXPECT_EQ(v1_verdict({.edit_signature_file =
                            by_section(replace("Main-Attributes: ", "Main-Attributes: AAAA"))}),
            "signature.v1.main-section-digest-mismatch");
  const auto wrong_section = [](std::string& text) {
    const std::size_t at = text.find("SHA-256-Digest: ") + 16;
    text.replace(at, 44, digest_text("other"));
  };
  EXPECT_EQ(v1_verdict({.edit_signature_file = by_section(wrong_section)}),
            "signature.v1.section-digest-mismatch");
  // The digest over the whole manifest makes those of the sections unnecessary.
  EXPECT_EQ(v1_verdict({.edit_signature_file = wrong_section}), "verified");
  EXPECT_EQ(v1_verdict({.edit_signature_file =
                            by_section(replace("SHA-256-Digest: ", "SHA-999-Digest: "))}),
            "signature.v1.no-section-digest");
}

TEST(SchemeV1, FaultyFilesArePassedOver) {
  EXPECT_EQ(v1_verdict({.edit_signature_file = replace("Signature-Version", "Other")}),
            "signature.v1.no-signatures");
  const auto more = [](const std::string& text) {
    return [text](std::string& file) { file += text; };
  };
  EXPECT_EQ(v1_verdict({.edit_signature_file = more("X: y\r\n\r\n")}),
            "signature.v1.no-signatures");
  EXPECT_EQ(v1_verdict({.edit_signature_file = more("Name: classes.dex\r\n\r\n")}),
            "signature.v1.no-signatures");
  EXPECT_EQ(v1_verdict({.edit_signature_file = by_section(more("Name: other\r\n\r\n"))}),
            "signature.v1.no-signatures");
}

TEST(SchemeV1, EntriesAreSignedByTheSameSigners) {
  const auto drop = [](const std::string& entry) {
    return [entry](std::string& file) {
      const std::size_t at = file.find("Name: " + entry);
      file.erase(at, file.find("\r\n\r\n", at) + 4 - at);
    };
  };
  EXPECT_EQ(v1_verdict({.edit_signature_file = drop("classes.dex")}),
            "signature.v1.entry-not-signed");
  // A second signer that signs one of the two entries.
  JarSpec second;
  std::string file;
  second.edit_signature_file = [&](std::string& text) {
    drop("classes.dex")(text);
    file = text;
  };
  jar_signed(second);
  ZipFile zip = jar_signed({});
  zip.entries.push_back(stored("META-INF/T.SF", file));
  const Bytes block = encode_jar_block({.by = &ec_identity(1)}, to_bytes(file));
  zip.entries.push_back(stored("META-INF/T.EC", as_text(block)));
  EXPECT_EQ(verdict(to_bytes(zip.build()), kV1Levels), "signature.v1.entry-signers-differ");
}

TEST(SchemeV1, StrippingProtectionNamesNewerSchemes) {
  const auto named = [](const std::string& list, const SignatureOptions& options) {
    return v1_verdict({.signature_file_extra = "X-Android-APK-Signed: " + list + "\r\n"}, options);
  };
  constexpr SignatureOptions kUpTo27{18, 27, nullptr};
  EXPECT_EQ(named("2", kV1Levels), "verified");
  EXPECT_EQ(named("2", kUpTo27), "signature.v1.scheme-stripped");
  EXPECT_EQ(named(" 9 , +2,", kUpTo27), "signature.v1.scheme-stripped");
  EXPECT_EQ(named("3, two, 9", kUpTo27), "verified");
  EXPECT_EQ(named("3", {18, 0, nullptr}), "signature.v1.scheme-stripped");
}

TEST(SchemeV1, AgreesWithV2) {
  const auto both = [](std::vector<JarBlockSpec> v1, std::vector<const Identity*> v2) {
    const Unsigned package(jar_signed({.signers = std::move(v1)}));
    std::vector<Bytes> signers;
    for (const Identity* by : v2) signers.push_back(encode_signer({.by = by}, package));
    return verdict(package.with_block({{kV2BlockId, signers_value(signers)}}), {18, 0, nullptr});
  };
  const Identity* a = &ec_identity(0);
  const Identity* b = &ec_identity(1);
  EXPECT_EQ(both({{.by = a}}, {a}), "verified");
  EXPECT_EQ(both({{.by = a}, {.by = b}}, {b, a}), "verified");
  EXPECT_EQ(both({{.by = a}, {.by = b}}, {a}), "signature.v1.signer-not-in-v2");
  EXPECT_EQ(both({{.by = a}}, {a, b}), "signature.v2.signer-not-in-v1");
}

TEST(SchemeV1, IsNotEnoughForNewTargets) {
  const Bytes package = to_bytes(jar_signed({}).build());
  const ManifestFacts target29{.min_sdk = 24, .target_sdk = 29, .target_sandbox_version = 1};
  const ManifestFacts target30{.min_sdk = 24, .target_sdk = 30, .target_sandbox_version = 1};
  EXPECT_EQ(verdict(package, {}, target29), "verified");
  EXPECT_EQ(verdict(package, {}, target30), "signature.target-needs-scheme");
  EXPECT_EQ(verdict(package, {0, 29, nullptr}, target30), "verified");
}

TEST(SchemeV1, Warns) {
  const Bytes package = to_bytes(
      jar_signed({.extra_files = {{"META-INF/a", ""}, {"META-INF/b", ""}, {"META-INF/X.RSA", ""}}})
          .build());
  const auto verified = report(package, kV1Levels);
  ASSERT_TRUE(verified) << verified.error().text();
  ASSERT_EQ(verified->warnings.size(), 2u);
  EXPECT_EQ(verified->warnings[0],
            "signature.v1.file-missing: META-INF/X.RSA without META-INF/X.SF");
  EXPECT_EQ(verified->warnings[1],
            "signature.v1.unprotected-entries: 3 in META-INF/ that v1 does not cover, the first "
            "META-INF/a");
}

}  // namespace
}  // namespace touchmark::package::signature
