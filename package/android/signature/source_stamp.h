// The source stamp: a second signature, by whoever delivered the package (a store), over the
// digests that the signature schemes signed. It says where a package came from and is no condition
// for installing it, so nothing here refuses a package.
#pragma once

#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "package/android/signature/api_level.h"
#include "package/android/signature/block_signer.h"
#include "package/android/signature/signature.h"

namespace touchmark::package::signature {

inline constexpr std::string_view kStampEntryName = "stamp-cert-sha256";
inline constexpr std::size_t kMaxStampEntryBytes = 4096;

// By number of the scheme (1, 2, 3): what the stamp signed for it, made by the functions below.
using StampedDigests = std::map<std::uint32_t, Bytes>;
Bytes stamped_digests(const std::vector<BlockSigner>& signers);
Bytes stamped_manifest_digest(ByteView jar_manifest);

// `block` is the value of the stamp's entry in the signing block, `certificate_digest` the content
// of the ZIP entry kStampEntryName. Fails with the first kStamp... reason.
Result<SourceStamp> verify_source_stamp(ByteView block, ByteView certificate_digest,
                                        const StampedDigests& digests, SdkRange range);

}  // namespace touchmark::package::signature
