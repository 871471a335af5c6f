// The pieces of JAR signatures: PKCS #7, manifests, and which algorithms count where.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "package/android/signature/jar_algorithm.h"
#include "package/android/signature/jar_manifest.h"
#include "package/android/signature/testing/jar_builder.h"

namespace touchmark::package::signature {
namespace {

std::vector<JarSection> parse_text(std::string_view text) {
  Budget budget(text.size());
  return parse_jar_manifest(as_bytes(text), budget).value();
}

TEST(JarManifest, CutsSectionsAtEmptyLines) {
  const std::string text = "Main: 1\r\nOther: 2\r\n\r\nName: a\r\nX: y\r\n\r\n\r\nName: b\r\nX: z";
  const auto sections = parse_text(text);
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(text.substr(sections[0].offset, sections[0].size), "Main: 1\r\nOther: 2\r\n\r\n");
  EXPECT_EQ(text.substr(sections[1].offset, sections[1].size), "Name: a\r\nX: y\r\n\r\n");
  EXPECT_EQ(text.substr(sections[2].offset, sections[2].size), "Name: b\r\nX: z");
  EXPECT_EQ(sections[0].name(), nullptr);
  EXPECT_EQ(*sections[1].name(), "a");
  EXPECT_EQ(*sections[2].find("x"), "z");
  EXPECT_EQ(sections[2].find("y"), nullptr);
  EXPECT_TRUE(parse_text("").empty());
  EXPECT_TRUE(parse_text("\r\n\n\r").empty());
}

TEST(JarManifest, TakesEveryLineEnd) {
  const auto sections = parse_text("A: 1\rB: 2\nC: 3\r\n\rD: 4\n\nE: 5\r\r");
  ASSERT_EQ(sections.size(), 3u);
  EXPECT_EQ(sections[0].attributes.size(), 3u);
  EXPECT_EQ(*sections[0].find("C"), "3");
  EXPECT_EQ(*sections[1].find("D"), "4");
  EXPECT_EQ(*sections[2].find("E"), "5");
}

TEST(JarManifest, JoinsContinuationLinesAndKeepsSpaces) {
  const auto sections =
      parse_text("Name: a/very/\r\n long\r\n  name\r\nX : y \r\nno colon\r\nZ:1\r\n");
  ASSERT_EQ(sections.size(), 1u);
  EXPECT_EQ(*sections[0].name(), "a/very/long name");
  EXPECT_EQ(*sections[0].find("X "), "y ");
  EXPECT_EQ(sections[0].find("X"), nullptr);
  EXPECT_EQ(*sections[0].find("no colon"), "");
  EXPECT_EQ(*sections[0].find("Z:1"), "");
  // A first line that begins with a space continues nothing.
  EXPECT_EQ(parse_text(" A: 1\n")[0].attributes[0].first, " A");
}

TEST(JarManifest, NameCountsOnlyInFront) {
  const auto sections = parse_text("X: 1\nName: a\n\nNAME: b\n");
  EXPECT_EQ(sections[0].name(), nullptr);
  EXPECT_EQ(*sections[1].name(), "b");
}

std::string digests(std::string_view text, SdkRange range) {
  Budget budget(text.size());
  const auto found = jar_digests_to_verify(parse_text(text).at(0), "-Digest", range, budget);
  if (!found) return found.error().id();
  std::string names;
  for (const NamedDigest& named : *found) {
    names += std::string(names.empty() ? "" : " ") + crypto::digest_name(named.algorithm) + "=" +
             base64_encode(named.value);
  }
  return names;
}

TEST(JarDigests, SinceApiLevel18TheStrongestCounts) {
  const std::string all =
      "MD5-Digest: bWQ1\nSHA1-Digest: c2Ex\nSHA-256-Digest: MjU2\nSHA-384-Digest: Mzg0\n";
  EXPECT_EQ(digests(all, {18, kNewest}), "SHA2-384=Mzg0");
  EXPECT_EQ(digests("SHA-512-Digest: NTEy\n" + all, {18, kNewest}), "SHA2-512=NTEy");
  EXPECT_EQ(digests("MD5-Digest: bWQ1\n", {18, kNewest}), "");
  EXPECT_EQ(digests("SHA-1-Digest: c2Ex\n", {18, kNewest}), "");  // the name is SHA1 there
  EXPECT_EQ(digests("SHA1-Digest: *\n", {18, kNewest}), "signature.v1.malformed-digest");
}

TEST(JarDigests, BeforeThatTheListChose) {
  const std::string both = "SHA1-Digest: c2Ex\nSHA-256-Digest: MjU2\n";
  EXPECT_EQ(digests(both, {1, 17}), "SHA1=c2Ex");
  EXPECT_EQ(digests(both, {1, kNewest}), "SHA1=c2Ex SHA2-256=MjU2");
  EXPECT_EQ(digests("SHA1-Digest: c2Ex\n", {1, kNewest}), "SHA1=c2Ex");
  EXPECT_EQ(digests("SHA-256-Digest: MjU2\n", {1, kNewest}), "");
  EXPECT_EQ(digests("Digest-Algorithms: MD5 SHA-256\n" + both, {1, 17}), "SHA2-256=MjU2");
  EXPECT_EQ(digests("Digest-Algorithms: md5\tsha1\nmd5-Digest: bWQ1\n" + both, {1, 17}),
            "MD5=bWQ1");
  const std::string sha512 = "Digest-Algorithms: SHA-512\nSHA-512-Digest: NTEy\n";
  EXPECT_EQ(digests(sha512, {8, 17}), "");
  EXPECT_EQ(digests(sha512, {9, 17}), "SHA2-512=NTEy");
}

// The first API level from which on a pair is accepted, and whether level 8 accepts it too.
std::string accepted(std::string_view digest_oid, std::string_view signature_oid) {
  std::string text;
  for (std::int64_t sdk = 1; sdk <= 40; ++sdk) {
    const bool now = jar_algorithms_supported(digest_oid, signature_oid, {sdk, sdk});
    const bool before =
        sdk > 1 && jar_algorithms_supported(digest_oid, signature_oid, {sdk - 1, sdk - 1});
    if (now && !before) text += (text.empty() ? "" : ",") + std::to_string(sdk) + "-";
    if (!now && before) text += std::to_string(sdk - 1);
  }
  return text;
}

TEST(JarAlgorithms, CountAtTheLevelsThatAcceptThem) {
  const std::string rsa = "1.2.840.113549.1.1.";
  const std::string sha1 = "1.3.14.3.2.26";
  const std::string sha2 = "2.16.840.1.101.3.4.2.";  // .1 256, .2 384, .3 512, .4 224
  EXPECT_EQ(accepted("1.2.840.113549.2.5", rsa + "1"), "1-");
  EXPECT_EQ(accepted("1.2.840.113549.2.5", rsa + "4"), "1-8,21-");
  EXPECT_EQ(accepted(sha1, rsa + "5"), "1-");
  EXPECT_EQ(accepted(sha2 + "4", rsa + "1"), "1-8,21-");
  EXPECT_EQ(accepted(sha2 + "1", rsa + "1"), "1-8,18-");
  EXPECT_EQ(accepted(sha2 + "1", rsa + "11"), "1-8,18-");
  EXPECT_EQ(accepted(sha2 + "2", rsa + "1"), "18-");
  EXPECT_EQ(accepted(sha2 + "3", rsa + "13"), "21-");
  // Another digest in the signature's name than the signer's.
  EXPECT_EQ(accepted(sha1, rsa + "11"), "21-23");
  EXPECT_EQ(accepted(sha2 + "1", rsa + "5"), "21-21");
  EXPECT_EQ(accepted(sha2 + "4", rsa + "11"), "21-21");
  EXPECT_EQ(accepted(sha2 + "3", rsa + "12"), "21-21");
  EXPECT_EQ(accepted(sha1, "1.2.840.10040.4.1"), "1-");
  EXPECT_EQ(accepted(sha1, "1.2.840.10040.4.3"), "9-");
  EXPECT_EQ(accepted(sha2 + "1", "1.2.840.10040.4.1"), "22-");
  EXPECT_EQ(accepted(sha2 + "1", "2.16.840.1.101.3.4.3.2"), "21-");
  EXPECT_EQ(accepted(sha2 + "3", "2.16.840.1.101.3.4.3.2"), "21-23");
  EXPECT_EQ(accepted(sha2 + "2", "1.2.840.10040.4.1"), "");
  EXPECT_EQ(accepted(sha2 + "3", "2.16.840.1.101.3.4.3.4"), "");
  EXPECT_EQ(accepted(sha1, "1.2.840.10045.2.1"), "18-");
  EXPECT_EQ(accepted(sha2 + "4", "1.2.840.10045.2.1"), "21-");
  EXPECT_EQ(accepted(sha2 + "1", "1.2.840.10045.4.3.2"), "21-");
  EXPECT_EQ(accepted(sha1, "1.2.840.10045.4.3.2"), "21-23");
  EXPECT_EQ(accepted("1.2.3", rsa + "1"), "");
  EXPECT_EQ(accepted(sha1, ""), "");
  // Every level of a range must accept it.
  EXPECT_FALSE(jar_algorithms_supported(sha2 + "1", rsa + "1", {8, 18}));
  EXPECT_FALSE(jar_algorithms_supported(sha1, rsa + "11", {21, kNewest}));
}

}  // namespace
}  // namespace touchmark::package::signature
