// The signature algorithms of APK Signature Scheme v2 and newer, and which of a signer's signatures
// a platform looks at.
// https://source.android.com/docs/security/features/apksigning/v2#signature-algorithm-ids
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "package/android/signature/api_level.h"
#include "package/android/signature/content_digest.h"
#include "pki/public_key.h"

namespace touchmark::package::signature {

struct BlockAlgorithm {
  std::uint32_t id;
  std::string_view name;
  pki::SignatureAlgorithm scheme;
  ContentDigest content_digest;
  std::int64_t min_sdk;      // the first API level that knows it in a signing block
  std::int64_t key_min_sdk;  // the first API level that can verify its signatures at all
};

// Nullptr for an id no platform knows.
const BlockAlgorithm* find_block_algorithm(std::uint32_t id);

// A platform verifies one signature per signer: the one with the strongest content digest of those
// it knows. `known` are a signer's signatures by algorithm; the answer has the index of the
// signature that each level of `range` picks, without repeats, in order of algorithm id. Empty when
// some level of the range would find none. `since` says from which level on an algorithm counts.
std::vector<std::size_t> signatures_to_verify(
    std::span<const BlockAlgorithm* const> known, SdkRange range,
    std::int64_t BlockAlgorithm::*since = &BlockAlgorithm::min_sdk);

}  // namespace touchmark::package::signature
