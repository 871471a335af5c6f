// APK Signature Scheme v2: https://source.android.com/docs/security/features/apksigning/v2
#pragma once

#include <set>
#include <string>
#include <vector>

#include "package/android/signature/api_level.h"
#include "package/android/signature/block_signer.h"

namespace touchmark::package::signature {

// More signers than this are refused (v1 and v2), as platforms do since 2022.
inline constexpr std::size_t kMaxSigners = 10;

// Numbers by which the older schemes name newer ones in their stripping protection.
enum class SchemeId : std::uint32_t { kV2 = 2, kV3 = 3, kV31 = 31 };

// `block` is the value of the v2 entry. `range`: the API levels that
// would look at v2, `found` the newer schemes that verified.
Result<std::vector<BlockSigner>> verify_v2(ByteView block, SdkRange range,
                                           const std::set<SchemeId>& found,
                                           ContentDigester& content,
                                           std::vector<std::string>& warnings);

}  // namespace touchmark::package::signature
