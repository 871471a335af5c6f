// Content digests and hash trees against the plain reading of their definitions.
#include "package/android/signature/content_digest.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/parallel.h"
#include "crypto/digest.h"
#include "package/android/signature/error.h"
#include "package/android/signature/merkle_tree.h"
#include "package/android/signature/signing_block.h"
#include "package/android/signature/testing/signing_builder.h"
#include "package/package.h"

namespace touchmark::package::signature {
namespace {

using testing::concat;
using testing::u32_bytes;

constexpr std::size_t kMiB = 1 << 20;

Bytes pattern(std::size_t size) {
  Bytes out(size);
  std::uint32_t state = 1;
  for (std::byte& byte : out) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  return out;
}

struct File {
  ContentLayout layout;
  Bytes bytes;
  Bytes digested;  // block cut out, end record's offset set back
};

// Entries, then a block, a central directory and an end record of these sizes.
File make_file(std::size_t entries, std::size_t block, std::size_t directory) {
  File file;
  file.bytes = pattern(entries + block + directory + 22);
  Bytes end(file.bytes.end() - 22, file.bytes.end());
  file.layout = {entries, entries + block, entries + block + directory, end};
  const Bytes offset = u32_bytes(entries);
  std::copy(offset.begin(), offset.end(), end.begin() + 16);
  file.digested.assign(file.bytes.begin(), file.bytes.begin() + std::ptrdiff_t(entries));
  append(file.digested, ByteView(file.bytes).subspan(entries + block, directory));
  append(file.digested, end);
  return file;
}

Bytes plain_chunked(const File& file, crypto::DigestAlgorithm algorithm) {
  const std::size_t entries = file.layout.block_offset;
  const std::size_t end = file.digested.size() - 22;
  Bytes digests;
  std::size_t count = 0;
  for (const auto& [begin, stop] :
       {std::pair{std::size_t{0}, entries}, {entries, end}, {end, file.digested.size()}}) {
    for (std::size_t at = begin; at < stop; at += kMiB, ++count) {
      const ByteView chunk = ByteView(file.digested).subspan(at, std::min(kMiB, stop - at));
      append(digests,
             crypto::digest(algorithm, concat({Bytes{std::byte{0xa5}}, u32_bytes(chunk.size()),
                                               to_bytes(chunk)})));
    }
  }
  return crypto::digest(algorithm, concat({Bytes{std::byte{0x5a}}, u32_bytes(count), digests}));
}

Bytes page_digests(Bytes data, std::size_t salt) {
  data.resize((data.size() + 4095) / 4096 * 4096);
  Bytes digests;
  for (std::size_t at = 0; at < data.size(); at += 4096) {
    append(digests,
           crypto::digest(crypto::DigestAlgorithm::kSha256,
                          concat({Bytes(salt), to_bytes(ByteView(data).subspan(at, 4096))})));
  }
  return digests;
}

// Level by level, each padded to whole pages; even one page of data has a level above it.
Bytes plain_root(const Bytes& data, std::size_t salt) {
  Bytes level = page_digests(data, salt);
  do {
    level = page_digests(level, salt);
  } while (level.size() > 32);
  return level;
}

TEST(ContentDigester, FollowsTheDefinition) {
  for (const std::size_t entries : {std::size_t{1}, kMiB - 1, kMiB, kMiB + 1, 5 * kMiB + 77}) {
    for (const unsigned threads : {1u, 3u}) {
      const File file = make_file(entries, 4096, 300);
      const auto source = from_memory(file.bytes);
      ContentDigester digester(*source, file.layout, threads);
      ASSERT_TRUE(digester.compute({ContentDigest::kChunkedSha256, ContentDigest::kChunkedSha512}));
      EXPECT_EQ(digester.get(ContentDigest::kChunkedSha256),
                plain_chunked(file, crypto::DigestAlgorithm::kSha256));
      EXPECT_EQ(digester.get(ContentDigest::kChunkedSha512),
                plain_chunked(file, crypto::DigestAlgorithm::kSha512));
    }
  }
}

TEST(ContentDigester, VerityIsTheRootAndTheSize) {
  for (const std::size_t pages : {1, 2, 127, 128, 129, 256, 257, 16384 + 3}) {
    const File file = make_file(pages * 4096, 8192, 1000);
    const auto source = from_memory(file.bytes);
    ContentDigester digester(*source, file.layout, 2);
    ASSERT_TRUE(digester.compute({ContentDigest::kVeritySha256}));
    Bytes expected = plain_root(file.digested, 8);
    append(expected, concat({u32_bytes(file.digested.size()), u32_bytes(0)}));
    EXPECT_EQ(digester.get(ContentDigest::kVeritySha256), expected) << pages;
  }
}

TEST(ContentDigester, PassesReadErrorsUp) {
  File file = make_file(3 * kMiB, 4096, 300);
  file.bytes.resize(2 * kMiB);
  const auto source = from_memory(file.bytes);
  ContentDigester digester(*source, file.layout, 2);
  for (const ContentDigest id : {ContentDigest::kChunkedSha256, ContentDigest::kVeritySha256}) {
    const auto computed = digester.compute({id});
    ASSERT_FALSE(computed);
    EXPECT_EQ(computed.error().id(), "source.past-end");
  }
}

TEST(MerkleTree, ShowsItsPagesInOrder) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, 128 * std::size_t{4096},
                                 128 * std::size_t{4096} + 1, 3 * kMiB + 5}) {
    const Bytes data = pattern(size);
    Bytes tree(merkle_tree_bytes(size));
    const auto root =
        merkle_root({.size = size,
                     .read = [&](std::uint64_t at, std::span<std::byte> out) -> Result<void> {
                       std::copy_n(data.begin() + std::ptrdiff_t(at), out.size(), out.begin());
                       return {};
                     },
                     .salt = {},
                     .threads = 2,
                     .visit = [&](std::uint64_t at, ByteView pages) -> Result<void> {
                       std::copy(pages.begin(), pages.end(), tree.begin() + std::ptrdiff_t(at));
                       return {};
                     }});
    ASSERT_TRUE(root);
    EXPECT_EQ(*root, plain_root(data, 0)) << size;
    // The root is the digest of the first page, which holds the digests of the pages below.
    EXPECT_EQ(*root, crypto::digest(crypto::DigestAlgorithm::kSha256, ByteView(tree).first(4096)))
        << size;
    // The lowest level comes last.
    Bytes lowest = data;
    lowest.resize((size + 4095) / 4096 * 4096);
    const std::size_t level = (lowest.size() / 4096 * 32 + 4095) / 4096 * 4096;
    EXPECT_TRUE(std::ranges::equal(
        ByteView(tree).last(level).first(32),
        crypto::digest(crypto::DigestAlgorithm::kSha256, ByteView(lowest).first(4096))))
        << size;
  }
}

TEST(ForEachParallel, ReturnsTheFirstFailureWhateverTheTiming) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> calls = 0;
    const auto done = for_each_parallel(1000, 4, [&] {
      return [&](std::size_t index) -> Result<void> {
        ++calls;
        if (index >= 7 && index % 3 == 1) {
          return fail(SignatureError::kV1NoManifest, std::to_string(index));
        }
        return {};
      };
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message(), "7");
    EXPECT_LT(calls, 1000);
  }
  EXPECT_TRUE(for_each_parallel(0, 4, [] { return [](std::size_t) { return Result<void>(); }; }));
}

// Signed with verity, as apksigner --verity-enabled does: the block on page borders.
TEST(ContentDigester, VeritySignaturesVerify) {
  using namespace testing;
  ZipFile zip = plain_package().zip();
  zip.entries.push_back(stored("assets/filler", std::string(4096, 'x')));
  std::string built = zip.build();
  const auto offset_of_directory = [](const std::string& file) {
    return static_cast<std::size_t>(static_cast<unsigned char>(file[file.size() - 6])) |
           static_cast<std::size_t>(static_cast<unsigned char>(file[file.size() - 5])) << 8;
  };
  const std::size_t missing = 4096 - offset_of_directory(built) % 4096;
  zip.entries.back() = stored("assets/filler", std::string(4096 + missing, 'x'));
  const Unsigned package(zip);
  ASSERT_EQ(offset_of_directory(zip.build()) % 4096, 0u);
  const Bytes value = signers_value(
      {encode_signer({.sdk = SdkRange{28, kNewest}, .algorithms = {0x0423}}, package)});
  const auto size = signing_block({{kV3BlockId, value}, {kPaddingBlockId, {}}}).size();
  const Bytes padding(4096 - size % 4096);
  const auto signed_as = [&](const Bytes& pad) {
    return verdict(package.with_block({{kV3BlockId, value}, {kPaddingBlockId, pad}}),
                   {28, 0, nullptr});
  };
  EXPECT_EQ(signed_as(padding), "verified");
  EXPECT_EQ(signed_as({}), "signature.v3.misaligned-block");
}

}  // namespace
}  // namespace touchmark::package::signature
