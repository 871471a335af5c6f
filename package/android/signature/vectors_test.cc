// AOSP's own test packages, each with the verdict of AOSP's verifier (tests/vectors/apksig).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "package/android/manifest.h"
#include "package/android/signature/error.h"
#include "package/android/signature/signature.h"
#include "package/package.h"

namespace touchmark::package::signature {
namespace {

const std::filesystem::path kFolder = "tests/vectors/apksig";
constexpr std::size_t kFiles = 188;

struct Vector {
  std::string file;
  std::string sha256;
  std::string verdict;
  std::string first_issue;
};

std::vector<Vector> read_vectors() {
  std::vector<Vector> vectors;
  std::ifstream in(kFolder / "expected.tsv");
  std::string line;
  std::getline(in, line);  // heading
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    Vector vector;
    std::getline(fields, vector.file, '\t');
    std::getline(fields, vector.sha256, '\t');
    std::getline(fields, vector.verdict, '\t');
    std::getline(fields, vector.first_issue, '\t');
    vectors.push_back(vector);
  }
  return vectors;
}

// Which of our reasons stand for AOSP's issue. One issue of AOSP's can be several of ours, since
// each enumerator here is one reason. AOSP's issues without an error here are warnings in both.
const std::multimap<std::string, std::string>& reasons_of_issues() {
  static const std::multimap<std::string, std::string> reasons{
      {"JAR_SIG_NO_MANIFEST", "signature.v1.no-manifest"},
      {"JAR_SIG_NO_SIGNATURES", "signature.v1.no-signatures"},
      {"JAR_SIG_MAX_SIGNATURES_EXCEEDED", "signature.v1.too-many-signers"},
      {"JAR_SIG_UNNNAMED_MANIFEST_SECTION", "signature.v1.unnamed-section"},
      {"JAR_SIG_DUPLICATE_MANIFEST_SECTION", "signature.v1.duplicate-section"},
      {"JAR_SIG_DUPLICATE_ZIP_ENTRY", "zip.duplicate-name"},
      {"JAR_SIG_MISSING_ZIP_ENTRY_REFERENCED_IN_MANIFEST", "signature.v1.entry-missing"},
      {"JAR_SIG_NO_SIGNERS", "signature.v1.no-signers"},
      {"JAR_SIG_PARSE_EXCEPTION", "signature.v1.malformed-block"},
      {"JAR_SIG_PARSE_EXCEPTION", "signature.v1.malformed-certificate"},
      {"JAR_SIG_PARSE_EXCEPTION", "signature.v1.ambiguous-attribute"},
      {"JAR_SIG_UNSUPPORTED_SIG_ALG", "signature.v1.unsupported-algorithm"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.certificate-missing"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.certificate-extension"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.certificate-usage"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.unusable-key"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.unusable-signature"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.attributes-too-old"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.malformed-attributes"},
      {"JAR_SIG_VERIFY_EXCEPTION", "signature.v1.missing-attribute"},
      {"JAR_SIG_DID_NOT_VERIFY", "signature.v1.bad-signature"},
      {"JAR_SIG_MISSING_APK_SIG_REFERENCED", "signature.v1.scheme-stripped"},
      {"JAR_SIG_MANIFEST_MAIN_SECTION_DIGEST_DID_NOT_VERIFY",
       "signature.v1.main-section-digest-mismatch"},
      {"JAR_SIG_MANIFEST_SECTION_DIGEST_DID_NOT_VERIFY", "signature.v1.section-digest-mismatch"},
      {"JAR_SIG_NO_ZIP_ENTRY_DIGEST_IN_SIG_FILE", "signature.v1.no-section-digest"},
      {"JAR_SIG_NO_ZIP_ENTRY_DIGEST_IN_MANIFEST", "signature.v1.entry-not-in-manifest"},
      {"JAR_SIG_ZIP_ENTRY_NOT_SIGNED", "signature.v1.entry-not-signed"},
      {"JAR_SIG_ZIP_ENTRY_SIGNERS_MISMATCH", "signature.v1.entry-signers-differ"},
      {"JAR_SIG_ZIP_ENTRY_DIGEST_DID_NOT_VERIFY", "signature.v1.entry-digest-mismatch"},
      {"JAR_SIG_NO_SIGNED_ZIP_ENTRIES", "signature.v1.no-signed-entries"},
      {"JAR_SIG_MISSING", "signature.v2.signer-not-in-v1"},
      {"NO_SIG_FOR_TARGET_SANDBOX_VERSION", "signature.sandbox-needs-scheme"},
      {"MIN_SIG_SCHEME_FOR_TARGET_SDK_NOT_MET", "signature.target-needs-scheme"},

      {"V2_SIG_MALFORMED_SIGNERS", "signature.v2.malformed-signers"},
      {"V2_SIG_NO_SIGNERS", "signature.v2.no-signers"},
      {"V2_SIG_MAX_SIGNATURES_EXCEEDED", "signature.v2.too-many-signers"},
      {"V2_SIG_MALFORMED_SIGNER", "signature.v2.malformed-signer"},
      {"V2_SIG_MALFORMED_SIGNER", "signature.v2.malformed-signed-data"},
      {"V2_SIG_MALFORMED_SIGNATURE", "signature.v2.malformed-signature"},
      {"V2_SIG_NO_SIGNATURES", "signature.v2.no-signatures"},
      {"V2_SIG_NO_SUPPORTED_SIGNATURES", "signature.v2.no-supported-signatures"},
      {"V2_SIG_MALFORMED_PUBLIC_KEY", "signature.v2.malformed-public-key"},
      {"V2_SIG_VERIFY_EXCEPTION", "signature.v2.unusable-signature"},
      {"V2_SIG_DID_NOT_VERIFY", "signature.v2.bad-signature"},
      {"V2_SIG_MALFORMED_CERTIFICATE", "signature.v2.malformed-certificate"},
      {"V2_SIG_NO_CERTIFICATES", "signature.v2.no-certificates"},
      {"V2_SIG_PUBLIC_KEY_MISMATCH_BETWEEN_CERTIFICATE_AND_SIGNATURES_RECORD",
       "signature.v2.public-key-mismatch"},
      {"V2_SIG_MALFORMED_DIGEST", "signature.v2.malformed-digest"},
      {"V2_SIG_SIG_ALG_MISMATCH_BETWEEN_SIGNATURES_AND_DIGESTS_RECORDS",
       "signature.v2.algorithm-mismatch"},
      {"V2_SIG_MALFORMED_ADDITIONAL_ATTRIBUTE", "signature.v2.malformed-attribute"},
      {"V2_SIG_APK_DIGEST_DID_NOT_VERIFY", "signature.v2.digest-mismatch"},
      {"V2_SIG_MISSING_APK_SIG_REFERENCED", "signature.v2.scheme-stripped"},
      {"V2_SIG_MISSING", "signature.v1.signer-not-in-v2"},

      {"V3_SIG_MALFORMED_SIGNERS", "signature.v3.malformed-signers"},
      {"V3_SIG_NO_SIGNERS", "signature.v3.no-signers"},
      {"V3_SIG_MALFORMED_SIGNER", "signature.v3.malformed-signer"},
      {"V3_SIG_MALFORMED_SIGNER", "signature.v3.malformed-signed-data"},
      {"V3_SIG_INVALID_SDK_VERSIONS", "signature.v3.invalid-sdk-versions"},
      {"V3_SIG_MALFORMED_SIGNATURE", "signature.v3.malformed-signature"},
      {"V3_SIG_NO_SIGNATURES", "signature.v3.no-signatures"},
      {"V3_SIG_NO_SUPPORTED_SIGNATURES", "signature.v3.no-supported-signatures"},
      {"V3_SIG_MALFORMED_PUBLIC_KEY", "signature.v3.malformed-public-key"},
      {"V3_SIG_VERIFY_EXCEPTION", "signature.v3.unusable-signature"},
      {"V3_SIG_DID_NOT_VERIFY", "signature.v3.bad-signature"},
      {"V3_MIN_SDK_VERSION_MISMATCH_BETWEEN_SIGNER_AND_SIGNED_DATA_RECORD",
       "signature.v3.min-sdk-mismatch"},
      {"V3_MAX_SDK_VERSION_MISMATCH_BETWEEN_SIGNER_AND_SIGNED_DATA_RECORD",
       "signature.v3.max-sdk-mismatch"},
      {"V3_SIG_MALFORMED_CERTIFICATE", "signature.v3.malformed-certificate"},
      {"V3_SIG_NO_CERTIFICATES", "signature.v3.no-certificates"},
      {"V3_SIG_PUBLIC_KEY_MISMATCH_BETWEEN_CERTIFICATE_AND_SIGNATURES_RECORD",
       "signature.v3.public-key-mismatch"},
      {"V3_SIG_MALFORMED_DIGEST", "signature.v3.malformed-digest"},
      {"V3_SIG_SIG_ALG_MISMATCH_BETWEEN_SIGNATURES_AND_DIGESTS_RECORDS",
       "signature.v3.algorithm-mismatch"},
      {"V3_SIG_MALFORMED_ADDITIONAL_ATTRIBUTE", "signature.v3.malformed-attribute"},
      {"V3_SIG_APK_DIGEST_DID_NOT_VERIFY", "signature.v3.digest-mismatch"},
      {"V3_INCONSISTENT_SDK_VERSIONS", "signature.v3.inconsistent-sdk-versions"},
      {"V3_MISSING_SDK_VERSIONS", "signature.v3.missing-sdk-versions"},
      {"V3_SIG_MALFORMED_LINEAGE", "signature.v3.malformed-lineage"},
      {"V3_SIG_POR_DID_NOT_VERIFY", "signature.v3.lineage-bad-signature"},
      {"V3_SIG_POR_CERT_MISMATCH", "signature.v3.lineage-certificate-mismatch"},
      {"V3_INCONSISTENT_LINEAGES", "signature.v3.inconsistent-lineages"},
      {"V3_SIG_PAST_SIGNERS_MISMATCH", "signature.v3.past-signer-mismatch"},
      {"V3_SIG_MULTIPLE_PAST_SIGNERS", "signature.v3.multiple-past-signers"},
      {"V3_SIG_MULTIPLE_SIGNERS", "signature.v3.multiple-signers"},
      {"V31_BLOCK_MISSING", "signature.v3.1.block-missing"},
      {"V31_ROTATION_MIN_SDK_MISMATCH", "signature.v3.1.rotation-sdk-mismatch"},
      {"V31_BLOCK_FOUND_WITHOUT_V3_BLOCK", "signature.v3.1.without-v3"},

      // AOSP's run had no RSA-PSS. With it, these packages fail for want of a v1 signature.
      {"NoSuchAlgorithmException", "signature.v1.no-manifest"},
  };
  return reasons;
}

// The container reader comes first and refuses more than AOSP's: where it speaks before AOSP does.
const std::map<std::string, std::string>& refused_as_container() {
  static const std::map<std::string, std::string> files{
      {"empty-unsigned.apk", "zip.empty"},
      {"v3-only-empty.apk", "zip.empty"},
      {"incorrect-manifest-size.apk", "zip.bomb"},
      {"v1v2v3-with-rsa-2048-lineage-3-signers-invalid-zip.apk", "zip.directory-bounds"},
      {"v2-only-garbage-between-cd-and-eocd.apk", "zip.directory-bounds"},
      {"v3-only-with-rsa-pkcs1-sha512-8192-digest-mismatch.apk", "zip.local-name"},
  };
  return files;
}

Result<SignatureReport> verify(const std::string& file, const SignatureOptions& options = {}) {
  const auto source = open_file(kFolder / file);
  if (!source) return pass(source);
  const auto archive = zip::ZipArchive::open(**source);
  if (!archive) return pass(archive);
  const auto manifest = android::read_manifest(*archive);
  if (!manifest) return pass(manifest);
  return verify_signatures(
      *archive, {manifest->min_sdk, manifest->target_sdk, manifest->target_sandbox_version},
      options);
}

std::string outcome(const std::string& file, const SignatureOptions& options = {}) {
  const auto report = verify(file, options);
  return report ? "verified" : report.error().id();
}

std::string schemes(const SignatureReport& report) {
  std::string joined;
  for (const std::string& scheme : report.schemes) joined += (joined.empty() ? "" : " ") + scheme;
  return joined;
}

TEST(ApkSigVectors, AreAllThere) {
  const auto vectors = read_vectors();
  ASSERT_EQ(vectors.size(), kFiles);
  for (const Vector& vector : vectors) {
    const auto bytes = read_file(kFolder / vector.file, 1 << 20);
    ASSERT_TRUE(bytes) << vector.file;
    EXPECT_EQ(hex_encode(crypto::sha256(*bytes)), vector.sha256) << vector.file;
  }
}

TEST(ApkSigVectors, GetAospsVerdict) {
  std::size_t verified = 0;
  for (const Vector& vector : read_vectors()) {
    const auto report = verify(vector.file);
    EXPECT_EQ(report.has_value(), vector.verdict == "verified")
        << vector.file << ": " << (report ? "verified" : report.error().text());
    verified += report ? 1 : 0;
  }
  EXPECT_EQ(verified, 106u);
}

TEST(ApkSigVectors, AreRefusedForAospsReason) {
  for (const Vector& vector : read_vectors()) {
    if (vector.verdict == "verified") continue;
    const std::string reason = outcome(vector.file);
    const auto container = refused_as_container().find(vector.file);
    if (container != refused_as_container().end()) {
      EXPECT_EQ(reason, container->second) << vector.file;
      continue;
    }
    const auto [begin, end] = reasons_of_issues().equal_range(vector.first_issue);
    const bool mapped =
        std::any_of(begin, end, [&](const auto& entry) { return entry.second == reason; });
    EXPECT_TRUE(mapped) << vector.file << ": " << reason << " is no " << vector.first_issue;
  }
}

// Which of the schemes count depends on the API levels asked for.
TEST(ApkSigVectors, SchemesOfTheLevelsAskedForCount) {
  const std::string v2 = "v2-only-with-ecdsa-sha256-p521.apk";
  EXPECT_EQ(outcome(v2), "signature.v1.no-manifest");
  EXPECT_EQ(outcome(v2, {23, 0}), "signature.v1.no-manifest");
  EXPECT_EQ(outcome(v2, {24, 0}), "verified");
  const std::string v3 = "v3-only-with-rsa-pkcs1-sha256-2048.apk";
  EXPECT_EQ(outcome(v3, {28, 0}), "verified");
  EXPECT_EQ(outcome(v3, {24, 27}), "signature.v1.no-manifest");
  EXPECT_EQ(outcome("v2-stripped.apk", {18, 23}), "verified");
  EXPECT_EQ(outcome("v2-stripped.apk", {18, 24}), "signature.v1.scheme-stripped");
  EXPECT_EQ(outcome("v3-stripped.apk", {24, 27}), "verified");
  EXPECT_EQ(outcome("v3-stripped.apk", {24, 28}), "signature.v2.scheme-stripped");
  EXPECT_EQ(outcome("v31-block-stripped-v3-attr-value-33.apk", {28, 32}), "verified");
  EXPECT_EQ(outcome(v3, {30, 29}), "signature.sdk-range");
}

TEST(ApkSigVectors, PssVerifiesWhereV2Counts) {
  for (const Vector& vector : read_vectors()) {
    if (vector.first_issue != "NoSuchAlgorithmException") continue;
    EXPECT_EQ(outcome(vector.file, {24, 0}), "verified") << vector.file;
  }
}

TEST(ApkSigVectors, OnlyAndroid7TriesFurtherSignersOfABlock) {
  const std::string file =
      "v1-only-with-signed-attrs-signerInfo1-wrong-content-type-signerInfo2-good.apk";
  EXPECT_EQ(outcome(file, {23, 0}), "signature.v1.bad-signature");
  EXPECT_EQ(outcome(file, {24, 0}), "verified");
}

TEST(ApkSigVectors, AlgorithmsCountFromTheLevelThatBroughtThem) {
  const std::string sha512 = "v1-only-with-rsa-pkcs1-sha512-1.2.840.113549.1.1.1-3072.apk";
  EXPECT_EQ(outcome(sha512, {18, 0}), "verified");
  EXPECT_EQ(outcome(sha512, {17, 0}), "signature.v1.unsupported-algorithm");
  const std::string dsa224 = "v1-only-with-dsa-sha224-1.2.840.10040.4.1-1024.apk";
  EXPECT_EQ(outcome(dsa224, {22, 0}), "verified");
  EXPECT_EQ(outcome(dsa224, {21, 0}), "signature.v1.unsupported-algorithm");
  const std::string md5 = "v1-only-with-rsa-pkcs1-md5-1.2.840.113549.1.1.4-1024.apk";
  EXPECT_EQ(outcome(md5, {1, 8}), "verified");
  EXPECT_EQ(outcome(md5, {8, 9}), "signature.v1.unsupported-algorithm");
  EXPECT_EQ(outcome(md5, {21, 0}), "verified");
}

TEST(ApkSigVectors, TheNewestSchemeNamesTheSignerAndTheLineage) {
  const auto rotated = verify("v31-rsa-2048_2-tgt-33-1-tgt-28.apk");
  ASSERT_TRUE(rotated) << rotated.error().text();
  EXPECT_EQ(schemes(*rotated), "v1 v2 v3 v3.1");
  ASSERT_EQ(rotated->signers.size(), 1u);
  EXPECT_EQ(rotated->signers[0].scheme, "v3.1");
  ASSERT_EQ(rotated->lineage.size(), 2u);
  EXPECT_EQ(rotated->lineage[1].certificate, rotated->signers[0].certificate);

  // A platform before v3.1 takes the key that signed before.
  const auto before = verify("v31-rsa-2048_2-tgt-33-1-tgt-28.apk", {24, 32});
  ASSERT_TRUE(before) << before.error().text();
  ASSERT_EQ(before->signers.size(), 1u);
  EXPECT_EQ(before->signers[0].certificate, rotated->lineage[0].certificate);

  // What is registered of it: whom platforms that do not know the rotation take as the signer.
  const auto file = open_file(kFolder / "v31-rsa-2048_2-tgt-33-1-tgt-28.apk");
  ASSERT_TRUE(file);
  const auto measured = measure(**file);
  ASSERT_TRUE(measured) << measured.error().text();
  EXPECT_EQ(measured->signers, std::vector{rotated->signers[0].certificate_sha256});
  EXPECT_EQ(measured->first_signer, before->signers[0].certificate_sha256);
  EXPECT_EQ(from_json(to_json(*measured)), *measured);
  Measurement without = *measured;
  without.first_signer.reset();
  EXPECT_EQ(digest(without), digest(*measured));
  EXPECT_EQ(from_json(to_json(without)), without);
  Json malformed = to_json(*measured);
  malformed["first_signer"] = "no digest";
  EXPECT_FALSE(from_json(malformed));

  const auto three = verify("v1v2v3-with-rsa-2048-lineage-3-signers.apk");
  ASSERT_TRUE(three) << three.error().text();
  EXPECT_EQ(three->lineage.size(), 3u);
  EXPECT_EQ(three->lineage.back().certificate, three->signers[0].certificate);
  for (const LineageCertificate& entry : three->lineage) {
    EXPECT_EQ(entry.capabilities & ~31u, 0u);
    EXPECT_NE(entry.capabilities & kCapabilityInstalledData, 0u);
  }

  const auto ten = verify("v1-only-10-signers.apk");
  ASSERT_TRUE(ten) << ten.error().text();
  EXPECT_EQ(ten->signers.size(), 10u);
}

// The reason against a package's stamp, "verified", or "none" without a stamp.
std::string stamp(const std::string& file) {
  const auto report = verify(file);
  if (!report) return report.error().id();
  if (report->stamp) return "verified";
  for (const std::string& warning : report->warnings) {
    if (warning.starts_with("signature.stamp.")) return warning.substr(0, warning.find(": "));
  }
  return "none";
}

TEST(ApkSigVectors, StampsAreVerifiedApart) {
  EXPECT_EQ(stamp("stamp-valid-timestamp-value.apk"), "verified");
  EXPECT_EQ(stamp("stamp-2-v31-tgt-signers.apk"), "verified");
  EXPECT_EQ(stamp("v1v2v3-rotated-v3-key-valid-stamp.apk"), "verified");
  EXPECT_EQ(stamp("stamp-apk-hash-mismatch-v3.apk"), "signature.stamp.bad-signature");
  EXPECT_EQ(stamp("stamp-certificate-mismatch.apk"), "signature.stamp.certificate-mismatch");
  EXPECT_EQ(stamp("stamp-int-timestamp-value.apk"), "signature.stamp.malformed-attribute");
  EXPECT_EQ(stamp("stamp-invalid-timestamp-value-less-than-zero.apk"),
            "signature.stamp.invalid-timestamp");
  EXPECT_EQ(stamp("stamp-timestamp-in-last-8-of-16-byte-buffer.apk"),
            "signature.stamp.invalid-timestamp");
  EXPECT_EQ(stamp("stamp-valid-timestamp-value-modified.apk"), "signature.stamp.bad-signature");
  EXPECT_EQ(stamp("stamp-only-unknown-sigs.apk"), "signature.stamp.no-signature");
  EXPECT_EQ(stamp("stamp-without-block.apk"), "signature.stamp.block-missing");
  EXPECT_EQ(stamp("golden-aligned-out.apk"), "none");

  const auto report = verify("stamp-valid-timestamp-value.apk");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stamp->time, 1644886584);
  EXPECT_EQ(report->stamp->certificate_sha256, crypto::sha256(report->stamp->certificate));
}

}  // namespace
}  // namespace touchmark::package::signature
