// APK Signature Scheme v3 and v3.1: one crafted package for every refusal.
#include "package/android/signature/scheme_v3.h"

#include <gtest/gtest.h>

#include "package/android/signature/signing_block.h"
#include "package/android/signature/testing/signing_builder.h"

namespace touchmark::package::signature {
namespace {

using namespace testing;

constexpr SignatureOptions kV3Levels{28, 0, nullptr};
constexpr SdkRange kAllV3{28, kNewest};
constexpr std::uint32_t kLineage = 0x3ba06f8c;
constexpr std::uint32_t kRotationMinSdk = 0x559f8b02;
constexpr std::uint32_t kDevelopmentRelease = 0xc2a6b3ba;

Bytes encode(const std::vector<SignerSpec>& specs) {
  std::vector<Bytes> signers;
  for (const SignerSpec& spec : specs) signers.push_back(encode_signer(spec, plain_package()));
  return signers_value(signers);
}

std::string block_verdict(const Bytes& v3, const SignatureOptions& options = kV3Levels) {
  return verdict(plain_package().with_block({{kV3BlockId, v3}}), options);
}
std::string v3_verdict(const std::vector<SignerSpec>& specs,
                       const SignatureOptions& options = kV3Levels) {
  return block_verdict(encode(specs), options);
}
std::string v31_verdict(const std::vector<SignerSpec>& v3, const std::vector<SignerSpec>& v31,
                        const SignatureOptions& options = kV3Levels) {
  return verdict(plain_package().with_block({{kV3BlockId, encode(v3)}, {kV31BlockId, encode(v31)}}),
                 options);
}

TEST(SchemeV3, RefusesBrokenRecords) {
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3}}), "verified");
  EXPECT_EQ(block_verdict(Bytes(3)), "signature.v3.malformed-signers");
  EXPECT_EQ(block_verdict(signers_value({})), "signature.v3.no-signers");
  EXPECT_EQ(block_verdict(prefixed(u32_bytes(9))), "signature.v3.malformed-signer");
  EXPECT_EQ(block_verdict(signers_value({Bytes(8)})), "signature.v3.malformed-signer");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .raw_signatures = Bytes(5)}}),
            "signature.v3.malformed-signature");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .raw_signatures = Bytes()}}), "signature.v3.no-signatures");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .algorithms = {0x0999}}}),
            "signature.v3.no-supported-signatures");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .public_key = Bytes(9)}}),
            "signature.v3.malformed-public-key");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .edit_signature = [](Bytes& s) { s.pop_back(); }}}),
            "signature.v3.unusable-signature");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .public_key = ec_identity(1).public_key()}}),
            "signature.v3.bad-signature");
}

TEST(SchemeV3, RefusesBadSignedData) {
  const auto cut = [](Bytes& data) { data.resize(data.size() - 2); };
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .edit_signed_data = cut}}),
            "signature.v3.malformed-signed-data");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .certificates = std::vector<Bytes>{}}}),
            "signature.v3.no-certificates");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .certificates = std::vector<Bytes>{Bytes(9)}}}),
            "signature.v3.malformed-certificate");
  EXPECT_EQ(
      v3_verdict({{.sdk = kAllV3, .certificates = std::vector<Bytes>{ec_identity(1).certificate}}}),
      "signature.v3.public-key-mismatch");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .raw_digests = Bytes(6)}}),
            "signature.v3.malformed-digest");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .raw_digests = Bytes()}}),
            "signature.v3.algorithm-mismatch");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .attributes = Bytes(3)}}),
            "signature.v3.malformed-attribute");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .digest = Bytes(32)}}), "signature.v3.digest-mismatch");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .algorithms = {0x0423}}}), "signature.v3.misaligned-block");
}

TEST(SchemeV3, ApiLevelsAreSignedAndSound) {
  EXPECT_EQ(v3_verdict({{.sdk = SdkRange{30, 29}}}), "signature.v3.invalid-sdk-versions");
  EXPECT_EQ(v3_verdict({{.sdk = SdkRange{-1, 30}}}), "signature.v3.invalid-sdk-versions");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .signed_sdk = SdkRange{29, kNewest}}}),
            "signature.v3.min-sdk-mismatch");
  EXPECT_EQ(v3_verdict({{.sdk = kAllV3, .signed_sdk = SdkRange{28, 30}}}),
            "signature.v3.max-sdk-mismatch");
}

TEST(SchemeV3, SignersCoverTheLevelsAskedFor) {
  const auto for_levels = [](std::int64_t min, std::int64_t max, Bytes attributes = {}) {
    return SignerSpec{.sdk = SdkRange{min, max}, .attributes = std::move(attributes)};
  };
  EXPECT_EQ(v3_verdict({for_levels(28, 30), for_levels(31, kNewest)}), "verified");
  EXPECT_EQ(v3_verdict({for_levels(31, kNewest), for_levels(28, 30)}), "verified");
  EXPECT_EQ(v3_verdict({for_levels(28, 30), for_levels(32, kNewest)}),
            "signature.v3.inconsistent-sdk-versions");
  EXPECT_EQ(v3_verdict({for_levels(28, 30), for_levels(30, kNewest)}),
            "signature.v3.inconsistent-sdk-versions");
  // A development release carries the level of the release before it.
  const Bytes development = attribute(kDevelopmentRelease, {});
  EXPECT_EQ(v3_verdict({for_levels(28, 30), for_levels(30, kNewest, development)}), "verified");
  EXPECT_EQ(v3_verdict({for_levels(29, kNewest)}), "signature.v3.missing-sdk-versions");
  EXPECT_EQ(v3_verdict({for_levels(29, kNewest)}, {29, 0, nullptr}), "verified");
  EXPECT_EQ(v3_verdict({for_levels(28, 33)}), "signature.v3.missing-sdk-versions");
  EXPECT_EQ(v3_verdict({for_levels(28, 33)}, {28, 33, nullptr}), "verified");
}

SignerSpec with_lineage(const Bytes& lineage, const Identity& by, SdkRange sdk = kAllV3) {
  return {.by = &by, .sdk = sdk, .attributes = attribute(kLineage, lineage)};
}

TEST(SchemeV3, LineagesAreVerified) {
  const Identity& old_key = ec_identity(0);
  const Identity& new_key = ec_identity(1);
  const auto of = [&](std::vector<LineageNode> nodes) {
    return v3_verdict({with_lineage(encode_lineage(nodes), new_key)});
  };
  EXPECT_EQ(of({{&old_key}, {&new_key}}), "verified");
  EXPECT_EQ(of({{&rsa_identity()}, {&old_key}, {&new_key}}), "verified");
  EXPECT_EQ(of({{&old_key}}), "signature.v3.lineage-certificate-mismatch");
  EXPECT_EQ(of({}), "signature.v3.lineage-certificate-mismatch");
  EXPECT_EQ(of({{&new_key}, {&old_key}}), "signature.v3.lineage-certificate-mismatch");
  EXPECT_EQ(of({{&old_key}, {.identity = &new_key, .signature = Bytes(70)}}),
            "signature.v3.lineage-bad-signature");
  EXPECT_EQ(of({{&old_key}, {.identity = &new_key, .parent_algorithm = 0x0202}}),
            "signature.v3.lineage-bad-signature");
  EXPECT_EQ(of({{&new_key}, {&old_key}, {&new_key}}), "signature.v3.lineage-bad-signature");
  EXPECT_EQ(of({{.identity = &old_key, .child_algorithm = 0x0999}, {&new_key}}),
            "signature.v3.malformed-lineage");
  EXPECT_EQ(v3_verdict({with_lineage(encode_lineage({{&old_key}, {&new_key}}, 2), new_key)}),
            "signature.v3.malformed-lineage");
  EXPECT_EQ(v3_verdict({with_lineage({}, new_key)}), "signature.v3.malformed-lineage");
  Bytes cut = encode_lineage({{&old_key}, {&new_key}});
  cut.pop_back();
  EXPECT_EQ(v3_verdict({with_lineage(cut, new_key)}), "signature.v3.malformed-lineage");
}

TEST(SchemeV3, LineagesOfSeveralSignersAreOneLine) {
  const Identity& a = ec_identity(0);
  const Identity& b = ec_identity(1);
  const Identity& c = ec_identity(2);
  const Bytes a_b = encode_lineage({{&a}, {&b}});
  const Bytes a_b_c = encode_lineage({{&a}, {&b}, {&c}});
  const SdkRange older{28, 30};
  const SdkRange newer{31, kNewest};
  EXPECT_EQ(v3_verdict({with_lineage(a_b, b, older), with_lineage(a_b_c, c, newer)}), "verified");
  // A piece of the line is enough.
  EXPECT_EQ(
      v3_verdict({with_lineage(encode_lineage({{&a}}), a, older), with_lineage(a_b_c, c, newer)}),
      "verified");
  EXPECT_EQ(v3_verdict({with_lineage(a_b_c, c, older), with_lineage(a_b, b, newer)}),
            "signature.v3.inconsistent-lineages");
  const Bytes a_c = encode_lineage({{&a}, {&c}});
  EXPECT_EQ(v3_verdict({with_lineage(a_b, b, older), with_lineage(a_c, c, newer)}),
            "signature.v3.inconsistent-lineages");
  const Bytes c_alone = encode_lineage({{&c}});
  EXPECT_EQ(
      v3_verdict({with_lineage(encode_lineage({{&a}}), a, older), with_lineage(c_alone, c, newer)}),
      "signature.v3.inconsistent-lineages");
}

TEST(SchemeV3, OlderSchemesStartTheLineage) {
  const Unsigned package = plain_package();
  const Identity& a = ec_identity(0);
  const Identity& b = ec_identity(1);
  const auto with_v2 = [&](const std::vector<const Identity*>& v2, const SignerSpec& v3) {
    std::vector<Bytes> signers;
    for (const Identity* by : v2) signers.push_back(encode_signer({.by = by}, package));
    return verdict(
        package.with_block({{kV2BlockId, signers_value(signers)}, {kV3BlockId, encode({v3})}}),
        {24, 0, nullptr});
  };
  const SignerSpec rotated = with_lineage(encode_lineage({{&a}, {&b}}), b);
  const SignerSpec same{.by = &a, .sdk = kAllV3};
  EXPECT_EQ(with_v2({&a}, same), "verified");
  EXPECT_EQ(with_v2({&a}, rotated), "verified");
  EXPECT_EQ(with_v2({&b}, rotated), "signature.v3.past-signer-mismatch");
  EXPECT_EQ(with_v2({&b}, same), "signature.v3.past-signer-mismatch");
  EXPECT_EQ(with_v2({&a, &b}, same), "signature.v3.multiple-past-signers");
  const Bytes two =
      encode({{.by = &a, .sdk = SdkRange{28, 30}}, {.by = &b, .sdk = SdkRange{31, kNewest}}});
  EXPECT_EQ(verdict(package.with_block({{kV2BlockId, signers_value({encode_signer({}, package)})},
                                        {kV3BlockId, two}}),
                    {24, 0, nullptr}),
            "signature.v3.multiple-signers");
}

TEST(SchemeV31, BelongsToItsV3Block) {
  const Identity& a = ec_identity(0);
  const Identity& b = ec_identity(1);
  const Bytes names_33 = attribute(kRotationMinSdk, u32_bytes(33));
  const SignerSpec old_signer{.by = &a, .sdk = SdkRange{28, 32}, .attributes = names_33};
  const SignerSpec new_signer =
      with_lineage(encode_lineage({{&a}, {&b}}), b, SdkRange{33, kNewest});
  EXPECT_EQ(v31_verdict({old_signer}, {new_signer}), "verified");
  EXPECT_EQ(v3_verdict({old_signer}), "signature.v3.1.block-missing");
  EXPECT_EQ(v3_verdict({old_signer}, {28, 32, nullptr}), "verified");
  EXPECT_EQ(verdict(plain_package().with_block({{kV31BlockId, encode({new_signer})}}), kV3Levels),
            "signature.v3.1.without-v3");
  const SignerSpec names_34{
      .by = &a, .sdk = SdkRange{28, 33}, .attributes = attribute(kRotationMinSdk, u32_bytes(34))};
  EXPECT_EQ(v31_verdict({names_34}, {new_signer}), "signature.v3.1.rotation-sdk-mismatch");
  const SignerSpec cut{
      .by = &a, .sdk = SdkRange{28, 32}, .attributes = attribute(kRotationMinSdk, Bytes(2))};
  EXPECT_EQ(v31_verdict({cut}, {new_signer}), "signature.v3.malformed-attribute");
  // v3 must reach up to where v3.1 begins.
  const SignerSpec short_signer{.by = &a, .sdk = SdkRange{28, 31}, .attributes = names_33};
  EXPECT_EQ(v31_verdict({short_signer}, {new_signer}), "signature.v3.missing-sdk-versions");
}

TEST(SchemeV31, NamesTheNewSignerAndWarns) {
  const Identity& a = ec_identity(0);
  const Identity& b = ec_identity(1);
  const SignerSpec unnamed{
      .by = &a, .sdk = SdkRange{28, 32}, .attributes = attribute(kDevelopmentRelease, {})};
  const SignerSpec rotated = with_lineage(encode_lineage({{&a}, {&b}}), b, SdkRange{33, kNewest});
  const auto verified = report(plain_package().with_block({{kV3BlockId, encode({unnamed})},
                                                           {kV31BlockId, encode({rotated})}}),
                               kV3Levels);
  ASSERT_TRUE(verified) << verified.error().text();
  ASSERT_EQ(verified->signers.size(), 1u);
  EXPECT_EQ(verified->signers[0].certificate, b.certificate);
  EXPECT_EQ(verified->signers[0].scheme, "v3.1");
  ASSERT_EQ(verified->lineage.size(), 2u);
  EXPECT_EQ(verified->lineage[0].certificate, a.certificate);
  EXPECT_EQ(verified->lineage[0].capabilities, 23u);
  ASSERT_EQ(verified->warnings.size(), 2u);
  EXPECT_TRUE(verified->warnings[0].starts_with("signature.v3.development-release"));
  EXPECT_TRUE(verified->warnings[1].starts_with("signature.v3.rotation-unprotected"));
}

}  // namespace
}  // namespace touchmark::package::signature
