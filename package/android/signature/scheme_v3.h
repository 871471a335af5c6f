// APK Signature Scheme v3 and v3.1: https://source.android.com/docs/security/features/apksigning/v3
// and .../apksigning/v3-1. A signer is for a range of API levels, and may carry the lineage that
// links its certificate to the ones it replaced. v3.1 is a second block of the same form that only
// Android 13 and newer read; it holds the new key while v3 keeps the old one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "package/android/signature/block_signer.h"
#include "package/android/signature/lineage.h"

namespace touchmark::package::signature {

struct V3Result {
  std::vector<BlockSigner> signers;
  std::vector<LineageCertificate> lineage;  // of all signers together; empty without rotation
};

struct V3Request {
  bool is_v31 = false;
  SdkRange range;  // the API levels to cover
  // v3 only: the lowest API level that a v3.1 signer is for, when the package has a v3.1 block.
  std::optional<std::int64_t> rotation_min_sdk;
};

// `block` is the value of the v3 or v3.1 entry.
Result<V3Result> verify_v3(ByteView block, const V3Request& request, ContentDigester& content,
                           std::vector<std::string>& warnings);

}  // namespace touchmark::package::signature
