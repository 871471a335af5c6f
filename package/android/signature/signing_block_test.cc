// Where the APK Signing Block is looked for, and what hides it.
#include "package/android/signature/signing_block.h"

#include <gtest/gtest.h>

#include "package/android/signature/testing/signing_builder.h"
#include "package/package.h"

namespace touchmark::package::signature {
namespace {

using namespace testing;

using Entries = std::vector<std::pair<std::uint32_t, Bytes>>;

Bytes package_with(const Bytes& block) {
  ZipFile zip = plain_package().zip();
  zip.before_directory = touchmark::to_string(block);
  return to_bytes(zip.build());
}

// The value of entry 7; "none" without a block, "absent" without the entry, or the refusal.
std::string seven(const Bytes& package) {
  const auto source = from_memory(package);
  const auto archive = zip::ZipArchive::open(*source);
  if (!archive) return archive.error().id();
  const auto block = SigningBlock::find(*archive);
  if (!block) return block.error().id();
  if (!*block) return "none";
  const auto value = (*block)->read(*source, 7);
  if (!value) return value.error().id();
  return *value ? touchmark::to_string(**value) : "absent";
}

TEST(SigningBlock, FindsTheFirstEntryWithAnId) {
  EXPECT_EQ(seven(package_with(signing_block({{7, to_bytes("a")}}))), "a");
  EXPECT_EQ(seven(package_with(signing_block({{6, {}}, {7, to_bytes("a")}, {7, {}}}))), "a");
  EXPECT_EQ(seven(package_with(signing_block({{7, {}}}))), "");
  EXPECT_EQ(seven(package_with(signing_block({{6, {}}}))), "absent");
  EXPECT_EQ(seven(package_with(signing_block({}))), "absent");
}

TEST(SigningBlock, AFrameThatDoesNotFitIsNoBlock) {
  const Bytes good = signing_block({{7, to_bytes("a")}});
  EXPECT_EQ(seven(to_bytes(plain_package().zip().build())), "none");
  for (const std::size_t at :
       {std::size_t{0}, good.size() - 24, good.size() - 16, good.size() - 1}) {
    Bytes changed = good;
    changed[at] ^= std::byte{1};
    EXPECT_EQ(seven(package_with(changed)), "none") << at;
  }
  // Larger than the file, in both copies of the size.
  Bytes huge = good;
  huge[5] = huge[good.size() - 24 + 5] = std::byte{1};
  EXPECT_EQ(seven(package_with(huge)), "none");
}

TEST(SigningBlock, AnOverrunHidesWhatFollows) {
  Bytes block = signing_block({{6, to_bytes("abcd")}, {7, to_bytes("a")}});
  block[8] = std::byte{200};  // the first entry's size
  EXPECT_EQ(seven(package_with(block)), "absent");
  block[8] = std::byte{3};  // no room for an id
  EXPECT_EQ(seven(package_with(block)), "absent");
  block = signing_block({{7, to_bytes("a")}, {6, to_bytes("abcd")}});
  block[8 + 13] = std::byte{200};
  EXPECT_EQ(seven(package_with(block)), "a");
}

TEST(SigningBlock, IsBounded) {
  EXPECT_EQ(seven(package_with(signing_block({{7, Bytes(kMaxBlockEntryBytes + 1)}}))),
            "signature.block.too-large");
  // Nobody reads an entry of another id, so its size does not matter.
  EXPECT_EQ(
      seven(package_with(signing_block({{6, Bytes(kMaxBlockEntryBytes + 1)}, {7, to_bytes("a")}}))),
      "a");
  EXPECT_EQ(seven(package_with(signing_block(Entries(kMaxBlockEntries, {6, {}})))), "absent");
  EXPECT_EQ(seven(package_with(signing_block(Entries(kMaxBlockEntries + 1, {6, {}})))),
            "signature.block.too-many-entries");
}

TEST(SigningBlock, TruncationIsAWarning) {
  const Unsigned package = plain_package();
  ZipFile zip = package.zip();
  Bytes block =
      signing_block({{kV2BlockId, signers_value({encode_signer({}, package)})}, {6, Bytes(4)}});
  block[block.size() - 24 - 16] = std::byte{200};
  zip.before_directory = touchmark::to_string(block);
  const auto verified = report(to_bytes(zip.build()), {24, 0, nullptr});
  ASSERT_TRUE(verified) << verified.error().text();
  ASSERT_EQ(verified->warnings.size(), 1u);
  EXPECT_TRUE(verified->warnings[0].starts_with("signature.block.truncated"));
}

}  // namespace
}  // namespace touchmark::package::signature
