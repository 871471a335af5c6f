// APK Signature Scheme v2: one crafted package for every refusal.
#include "package/android/signature/scheme_v2.h"

#include <gtest/gtest.h>

#include "package/android/signature/signing_block.h"
#include "package/android/signature/testing/signing_builder.h"

namespace touchmark::package::signature {
namespace {

using namespace testing;

constexpr SignatureOptions kV2Levels{24, 0, nullptr};
constexpr std::uint32_t kStrippingProtection = 0xbeeff00d;

std::string block_verdict(const Bytes& value, const SignatureOptions& options = kV2Levels) {
  return verdict(plain_package().with_block({{kV2BlockId, value}}), options);
}
std::string v2_verdict(const SignerSpec& spec, const SignatureOptions& options = kV2Levels) {
  return block_verdict(signers_value({encode_signer(spec, plain_package())}), options);
}
Bytes good_signer() { return encode_signer({}, plain_package()); }

TEST(SchemeV2, TakesEveryAlgorithm) {
  EXPECT_EQ(v2_verdict(SignerSpec{}), "verified");
  for (const std::uint32_t id : {0x0101u, 0x0103u}) {
    EXPECT_EQ(v2_verdict({.by = &rsa_identity(), .algorithms = {id}}), "verified") << id;
  }
  EXPECT_EQ(v2_verdict({.algorithms = {0x0202}}), "verified");
  EXPECT_EQ(v2_verdict({.algorithms = {0x0201, 0x0202}}), "verified");
  EXPECT_EQ(v2_verdict({.by = &rsa_identity(), .algorithms = {0x0104}}), "verified");
}

TEST(SchemeV2, RefusesBrokenLists) {
  EXPECT_EQ(block_verdict(Bytes(3)), "signature.v2.malformed-signers");
  EXPECT_EQ(block_verdict(u32_bytes(5)), "signature.v2.malformed-signers");
  EXPECT_EQ(block_verdict(u32_bytes(0xffffffff)), "signature.v2.malformed-signers");
  EXPECT_EQ(block_verdict(signers_value({})), "signature.v2.no-signers");
  EXPECT_EQ(block_verdict(prefixed(u32_bytes(100))), "signature.v2.malformed-signer");
  EXPECT_EQ(block_verdict(signers_value({Bytes(7)})), "signature.v2.malformed-signer");
  EXPECT_EQ(block_verdict(signers_value({good_signer(), Bytes()})),
            "signature.v2.malformed-signer");
  EXPECT_EQ(block_verdict(signers_value(std::vector<Bytes>(10, good_signer()))), "verified");
  EXPECT_EQ(block_verdict(signers_value(std::vector<Bytes>(11, good_signer()))),
            "signature.v2.too-many-signers");
}

TEST(SchemeV2, RefusesBadSignatures) {
  EXPECT_EQ(v2_verdict({.raw_signatures = Bytes(5)}), "signature.v2.malformed-signature");
  EXPECT_EQ(v2_verdict({.raw_signatures = Bytes()}), "signature.v2.no-signatures");
  EXPECT_EQ(v2_verdict({.algorithms = {0x0999}}), "signature.v2.no-supported-signatures");
  EXPECT_EQ(v2_verdict({.public_key = Bytes(20)}), "signature.v2.malformed-public-key");
  EXPECT_EQ(v2_verdict({.public_key = rsa_identity().public_key()}),
            "signature.v2.malformed-public-key");
  EXPECT_EQ(v2_verdict({.public_key = ec_identity(1).public_key()}), "signature.v2.bad-signature");
  const auto cut = [](Bytes& signature) { signature.pop_back(); };
  EXPECT_EQ(v2_verdict({.edit_signature = cut}), "signature.v2.unusable-signature");
  EXPECT_EQ(v2_verdict({.by = &rsa_identity(), .edit_signature = cut}),
            "signature.v2.unusable-signature");
  const auto flip = [](Bytes& signature) { signature.back() ^= std::byte{1}; };
  EXPECT_EQ(v2_verdict({.edit_signature = flip}), "signature.v2.bad-signature");
  EXPECT_EQ(v2_verdict({.by = &rsa_identity(), .edit_signature = flip}),
            "signature.v2.bad-signature");
}

// Verity digests came with API level 28: a platform before it finds no signature it knows.
TEST(SchemeV2, OlderLevelsDoNotKnowVerity) {
  EXPECT_EQ(v2_verdict({.algorithms = {0x0423}}), "signature.v2.no-supported-signatures");
  EXPECT_EQ(v2_verdict({.algorithms = {0x0423}}, {28, 0, nullptr}),
            "signature.v2.misaligned-block");
}

TEST(SchemeV2, RefusesBadSignedData) {
  const auto cut = [](Bytes& data) { data.resize(data.size() - 2); };
  EXPECT_EQ(v2_verdict({.edit_signed_data = cut}), "signature.v2.malformed-signed-data");
  EXPECT_EQ(v2_verdict({.certificates = std::vector<Bytes>{}}), "signature.v2.no-certificates");
  EXPECT_EQ(v2_verdict({.certificates = std::vector<Bytes>{Bytes(9)}}),
            "signature.v2.malformed-certificate");
  EXPECT_EQ(v2_verdict({.certificates = std::vector<Bytes>{ec_identity(1).certificate}}),
            "signature.v2.public-key-mismatch");
  EXPECT_EQ(v2_verdict({.raw_digests = Bytes(6)}), "signature.v2.malformed-digest");
  EXPECT_EQ(v2_verdict({.raw_digests = Bytes()}), "signature.v2.algorithm-mismatch");
  EXPECT_EQ(v2_verdict({.digest_algorithms = std::vector<std::uint32_t>{0x0202}}),
            "signature.v2.algorithm-mismatch");
  EXPECT_EQ(v2_verdict({.attributes = Bytes(3)}), "signature.v2.malformed-attribute");
  EXPECT_EQ(v2_verdict({.attributes = prefixed(Bytes(3))}), "signature.v2.malformed-attribute");
  EXPECT_EQ(v2_verdict({.digest = Bytes(32)}), "signature.v2.digest-mismatch");
  EXPECT_EQ(v2_verdict({.digest = Bytes()}), "signature.v2.digest-mismatch");
}

// Of several digests only those that a verified signature vouches for are compared.
TEST(SchemeV2, ComparesTheDigestsOfTheSignaturesThatCount) {
  const Unsigned package = plain_package();
  SignerSpec spec{.algorithms = {0x0201, 0x0202}};
  const auto with_digests = [&](bool good256, bool good512) {
    Bytes digests;
    for (const auto& [id, good] : {std::pair{0x0201u, good256}, std::pair{0x0202u, good512}}) {
      const Bytes value = good ? package.content_digest(id) : Bytes(32);
      append(digests, prefixed(concat({u32_bytes(id), prefixed(value)})));
    }
    spec.raw_digests = digests;
    return v2_verdict(spec);
  };
  EXPECT_EQ(with_digests(true, true), "verified");
  EXPECT_EQ(with_digests(false, true), "verified");  // SHA-512 is the stronger one
  EXPECT_EQ(with_digests(true, false), "signature.v2.digest-mismatch");
}

TEST(SchemeV2, StrippingProtectionNamesNewerSchemes) {
  const Bytes names_v3 = attribute(kStrippingProtection, u32_bytes(3));
  EXPECT_EQ(v2_verdict({.attributes = names_v3}), "signature.v2.scheme-stripped");
  EXPECT_EQ(v2_verdict({.attributes = names_v3}, {24, 27, nullptr}), "verified");
  EXPECT_EQ(v2_verdict({.attributes = attribute(kStrippingProtection, u32_bytes(9))}), "verified");
  EXPECT_EQ(v2_verdict({.attributes = attribute(kStrippingProtection, Bytes(2))}),
            "signature.v2.malformed-attribute");
}

TEST(SchemeV2, WarnsOfTheUnknown) {
  const SignerSpec spec{.algorithms = {0x0201, 0x0999}, .attributes = attribute(0x1234, Bytes(2))};
  const Unsigned package = plain_package();
  const auto verified = report(
      package.with_block({{kV2BlockId, signers_value({encode_signer(spec, package)})}}), kV2Levels);
  ASSERT_TRUE(verified) << verified.error().text();
  ASSERT_EQ(verified->warnings.size(), 2u);
  EXPECT_TRUE(verified->warnings[0].starts_with("signature.unknown-algorithm: v2 signer 1"));
  EXPECT_TRUE(verified->warnings[1].starts_with("signature.unknown-attribute: v2 signer 1"));
}

TEST(SchemeV2, ManifestMayAskForIt) {
  const ManifestFacts sandbox{.min_sdk = 24, .target_sdk = 26, .target_sandbox_version = 2};
  const Unsigned package = plain_package();
  const Bytes nothing = to_bytes(package.zip().build());
  EXPECT_EQ(verdict(nothing, {}, sandbox), "signature.sandbox-needs-scheme");
  EXPECT_EQ(verdict(nothing, {24, 25, nullptr}, sandbox), "signature.v1.no-manifest");
  const Bytes signed_package =
      package.with_block({{kV2BlockId, signers_value({encode_signer({}, package)})}});
  EXPECT_EQ(verdict(signed_package, {}, sandbox), "verified");
}

}  // namespace
}  // namespace touchmark::package::signature
