#include "package/android/signature/block_algorithm.h"

#include <algorithm>
#include <array>
#include <map>

namespace touchmark::package::signature {
namespace {

using crypto::DigestAlgorithm;
using pki::KeyType;
using pki::RsaPadding;
using pki::SignatureAlgorithm;

constexpr SignatureAlgorithm kRsaSha256{KeyType::kRsa, DigestAlgorithm::kSha256,
                                        RsaPadding::kPkcs1};
constexpr SignatureAlgorithm kRsaSha512{KeyType::kRsa, DigestAlgorithm::kSha512,
                                        RsaPadding::kPkcs1};
constexpr SignatureAlgorithm kPssSha256{KeyType::kRsa, DigestAlgorithm::kSha256, RsaPadding::kPss};
constexpr SignatureAlgorithm kPssSha512{KeyType::kRsa, DigestAlgorithm::kSha512, RsaPadding::kPss};
constexpr SignatureAlgorithm kEcdsaSha256{KeyType::kEc, DigestAlgorithm::kSha256, {}};
constexpr SignatureAlgorithm kEcdsaSha512{KeyType::kEc, DigestAlgorithm::kSha512, {}};
constexpr SignatureAlgorithm kDsaSha256{KeyType::kDsa, DigestAlgorithm::kSha256, {}};

using enum ContentDigest;

constexpr std::array<BlockAlgorithm, 10> kAlgorithms{{
    {0x0101, "RSA-PSS with SHA-256", kPssSha256, kChunkedSha256, kNougat, kMarshmallow},
    {0x0102, "RSA-PSS with SHA-512", kPssSha512, kChunkedSha512, kNougat, kMarshmallow},
    {0x0103, "RSA with SHA-256", kRsaSha256, kChunkedSha256, kNougat, 1},
    {0x0104, "RSA with SHA-512", kRsaSha512, kChunkedSha512, kNougat, 1},
    {0x0201, "ECDSA with SHA-256", kEcdsaSha256, kChunkedSha256, kNougat, kHoneycomb},
    {0x0202, "ECDSA with SHA-512", kEcdsaSha512, kChunkedSha512, kNougat, kHoneycomb},
    {0x0301, "DSA with SHA-256", kDsaSha256, kChunkedSha256, kNougat, 1},
    {0x0421, "RSA with SHA-256 over verity", kRsaSha256, kVeritySha256, kPie, 1},
    {0x0423, "ECDSA with SHA-256 over verity", kEcdsaSha256, kVeritySha256, kPie, kHoneycomb},
    {0x0425, "DSA with SHA-256 over verity", kDsaSha256, kVeritySha256, kPie, 1},
}};

}  // namespace

const BlockAlgorithm* find_block_algorithm(std::uint32_t id) {
  const auto* found = std::find_if(kAlgorithms.begin(), kAlgorithms.end(),
                                   [id](const BlockAlgorithm& a) { return a.id == id; });
  return found == kAlgorithms.end() ? nullptr : found;
}

std::vector<std::size_t> signatures_to_verify(std::span<const BlockAlgorithm* const> known,
                                              SdkRange range, std::int64_t BlockAlgorithm::*since) {
  // The first of the strongest, for each API level that brought new algorithms. The enumerators of
  // ContentDigest stand in order of strength.
  std::map<std::int64_t, std::size_t> best;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const std::int64_t from = known[i]->*since;
    if (from > range.max) continue;
    const auto [at, is_first] = best.try_emplace(from, i);
    if (!is_first && known[i]->content_digest > known[at->second]->content_digest) at->second = i;
  }
  if (best.empty() || best.begin()->first > range.min) return {};
  std::vector<std::size_t> picked;
  for (const auto& [sdk, index] : best) picked.push_back(index);
  std::stable_sort(picked.begin(), picked.end(),
                   [&](std::size_t a, std::size_t b) { return known[a]->id < known[b]->id; });
  return picked;
}

}  // namespace touchmark::package::signature
