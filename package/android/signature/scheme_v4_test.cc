// The v4 signature file: one crafted file for every refusal.
#include "package/android/signature/scheme_v4.h"

#include <gtest/gtest.h>

#include "package/android/signature/merkle_tree.h"
#include "package/android/signature/scheme_v3.h"
#include "package/android/signature/signing_block.h"
#include "package/android/signature/testing/jar_builder.h"
#include "package/package.h"

namespace touchmark::package::signature {
namespace {

using namespace testing;

Bytes merkle_tree_of(const Bytes& package, Bytes* root) {
  Bytes pages(merkle_tree_bytes(package.size()));
  const auto source = from_memory(package);
  const auto top = merkle_root(
      {.size = package.size(),
       .read = [&](std::uint64_t at, std::span<std::byte> out) { return source->read_at(at, out); },
       .salt = {},
       .threads = 2,
       .visit = [&](std::uint64_t at, ByteView made) -> Result<void> {
         std::copy(made.begin(), made.end(), pages.begin() + static_cast<std::ptrdiff_t>(at));
         return {};
       }});
  *root = *top;
  return pages;
}

struct V4Spec {
  std::vector<const Identity*> by{&ec_identity()};
  Bytes package{};         // that is hashed
  Bytes content_digest{};  // of the v3 or v2 signature
  std::uint32_t version = 2;
  std::uint32_t hash = 1;
  Bytes salt{};
  std::uint32_t algorithm = 0;  // instead of the signer's
  std::optional<Bytes> public_key{};
  std::optional<Bytes> certificate{};
  std::function<void(Bytes&)> edit_root{};
  std::function<void(Bytes&)> edit_tree{};
  std::function<void(Bytes&)> edit_signature{};
  bool with_tree = true;
};

Bytes signing_info(const V4Spec& spec, const Identity& by, const Bytes& hashing) {
  const Bytes shown = concat({prefixed(spec.content_digest),
                              prefixed(spec.certificate.value_or(by.certificate)), prefixed({})});
  const Bytes body = concat({u32_bytes(spec.package.size()), u32_bytes(0), hashing, shown});
  Bytes signature = by.sign(concat({u32_bytes(body.size() + 4), body}));
  if (spec.edit_signature) spec.edit_signature(signature);
  return concat({shown, prefixed(spec.public_key.value_or(by.public_key())),
                 u32_bytes(spec.algorithm != 0 ? spec.algorithm : by.algorithm),
                 prefixed(signature)});
}

Bytes encode_v4(const V4Spec& spec) {
  Bytes root;
  Bytes tree = merkle_tree_of(spec.package, &root);
  if (spec.edit_root) spec.edit_root(root);
  if (spec.edit_tree) spec.edit_tree(tree);
  const Bytes hashing =
      concat({u32_bytes(spec.hash), Bytes{std::byte{12}}, prefixed(spec.salt), prefixed(root)});
  Bytes infos = signing_info(spec, *spec.by.at(0), hashing);
  for (std::size_t i = 1; i < spec.by.size(); ++i) {
    append(infos,
           concat({u32_bytes(kV31BlockId), prefixed(signing_info(spec, *spec.by[i], hashing))}));
  }
  Bytes file = concat({u32_bytes(spec.version), prefixed(hashing), prefixed(infos)});
  if (spec.with_tree) append(file, prefixed(tree));
  return file;
}

Bytes v3_value(const SignerSpec& spec) {
  return signers_value({encode_signer(spec, plain_package())});
}
// One for all tests: every ECDSA signature differs.
const Bytes& signed_package() {
  static const Bytes package =
      plain_package().with_block({{kV3BlockId, v3_value({.sdk = SdkRange{28, kNewest}})}});
  return package;
}
V4Spec good() {
  return {.package = signed_package(), .content_digest = plain_package().content_digest(0x0201)};
}

std::string file_verdict(const Bytes& file, const Bytes& package = signed_package()) {
  const auto source = from_memory(file);
  return verdict(package, {28, 0, source.get()});
}
std::string v4_verdict(const std::function<void(V4Spec&)>& edit) {
  V4Spec spec = good();
  edit(spec);
  return file_verdict(encode_v4(spec));
}

TEST(SchemeV4, VerifiesWithAndWithoutItsTree) {
  const Bytes file = encode_v4(good());
  EXPECT_EQ(file_verdict(file), "verified");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.with_tree = false; }), "verified");
  const auto source = from_memory(file);
  const auto verified = report(signed_package(), {28, 0, source.get()});
  ASSERT_TRUE(verified) << verified.error().text();
  EXPECT_EQ(verified->schemes, (std::vector<std::string>{"v3", "v4"}));
}

TEST(SchemeV4, RefusesBrokenFiles) {
  const Bytes file = encode_v4(good());
  const std::size_t tree = file.size() - merkle_tree_bytes(signed_package().size()) - 4;
  for (std::size_t size = 0; size < file.size(); size += size < 200 ? 1 : 97) {
    if (size == tree) continue;  // where a file without tree ends
    const std::string reason = file_verdict({file.begin(), file.begin() + std::ptrdiff_t(size)});
    EXPECT_EQ(reason, "signature.v4.malformed") << size;
  }
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.version = 3; }), "signature.v4.unsupported-version");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.hash = 2; }), "signature.v4.unsupported-hash");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.salt = Bytes(8); }), "signature.v4.unsupported-hash");
}

TEST(SchemeV4, RefusesBadSignatures) {
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.algorithm = 0x999; }), "signature.v4.unknown-algorithm");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.algorithm = 0x0103; }),
            "signature.v4.malformed-public-key");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.public_key = Bytes(3); }),
            "signature.v4.malformed-public-key");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.edit_signature = [](Bytes& b) { b.pop_back(); }; }),
            "signature.v4.unusable-signature");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.public_key = ec_identity(1).public_key(); }),
            "signature.v4.bad-signature");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.certificate = Bytes(3); }),
            "signature.v4.malformed-certificate");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.certificate = ec_identity(1).certificate; }),
            "signature.v4.public-key-mismatch");
}

TEST(SchemeV4, BelongsToThePackage) {
  const auto flip = [](Bytes& bytes) { bytes.back() ^= std::byte{1}; };
  EXPECT_EQ(v4_verdict([&](V4Spec& s) { s.edit_root = flip; }), "signature.v4.root-mismatch");
  EXPECT_EQ(v4_verdict([&](V4Spec& s) { s.edit_tree = flip; }), "signature.v4.tree-mismatch");
  EXPECT_EQ(v4_verdict([&](V4Spec& s) { s.edit_tree = [](Bytes& b) { b.resize(1); }; }),
            "signature.v4.tree-mismatch");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.content_digest = Bytes(32); }),
            "signature.v4.digest-mismatch");
  EXPECT_EQ(v4_verdict([](V4Spec& s) { s.by = {&ec_identity(1)}; }),
            "signature.v4.signer-mismatch");
  EXPECT_EQ(v4_verdict([](V4Spec& s) {
              s.by = {&ec_identity(), &ec_identity()};
            }),
            "signature.v4.wrong-signers");
  // Of a package with v1 alone.
  const Bytes jar = to_bytes(jar_signed({}).build());
  EXPECT_EQ(file_verdict(encode_v4({.package = jar}), jar), "signature.v4.without-base");
}

TEST(SchemeV4, HasASecondSignerForV31) {
  const Identity& a = ec_identity(0);
  const Identity& b = ec_identity(1);
  const Bytes lineage = encode_lineage({{&a}, {&b}});
  const Bytes package = plain_package().with_block(
      {{kV3BlockId, v3_value({.by = &a, .sdk = SdkRange{28, 32}})},
       {kV31BlockId, v3_value({.by = &b,
                               .sdk = SdkRange{33, kNewest},
                               .attributes = attribute(0x3ba06f8c, lineage)})}});
  V4Spec spec = good();
  spec.package = package;
  EXPECT_EQ(file_verdict(encode_v4(spec), package), "signature.v4.wrong-signers");
  spec.by = {&a, &b};
  EXPECT_EQ(file_verdict(encode_v4(spec), package), "verified");
  spec.by = {&a, &a};
  EXPECT_EQ(file_verdict(encode_v4(spec), package), "signature.v4.signer-mismatch");
}

TEST(SchemeV4, RepeatsTheStrongestDigest) {
  BlockSigner signer;
  EXPECT_TRUE(digest_for_v4(signer).empty());
  signer.digests = {{0x0201, Bytes(1)}, {0x0423, Bytes(2)}, {0x0999, Bytes(4)}};
  EXPECT_EQ(digest_for_v4(signer).size(), 2u);
  signer.digests.push_back({0x0202, Bytes(3)});
  EXPECT_EQ(digest_for_v4(signer).size(), 3u);
}

}  // namespace
}  // namespace touchmark::package::signature
