// Which algorithms each API level accepts in JAR signatures.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "package/android/signature/api_level.h"
#include "package/android/signature/jar_manifest.h"
#include "pki/public_key.h"

namespace touchmark::package::signature {

// By OID; nothing for what no API level accepts.
std::optional<crypto::DigestAlgorithm> jar_digest(std::string_view oid);
// `signature_oid` may name the digest too (sha256WithRSAEncryption) or only the kind of key.
std::optional<pki::SignatureAlgorithm> jar_signature_scheme(std::string_view digest_oid,
                                                            std::string_view signature_oid);
// Whether every level of `range` accepts this pair in a signature block.
bool jar_algorithms_supported(std::string_view digest_oid, std::string_view signature_oid,
                              SdkRange range);

struct NamedDigest {
  crypto::DigestAlgorithm algorithm;
  Bytes value;
};
// The digests in `section` that the levels of `range` would check: attributes
// "<algorithm><suffix>", such as SHA1-Digest. Before API level 18 the attribute Digest-Algorithms
// chose; since then it is the strongest of SHA-512, SHA-384, SHA-256 and SHA-1. Empty when some
// level would find none. BudgetError.
Result<std::vector<NamedDigest>> jar_digests_to_verify(const JarSection& section,
                                                       std::string_view suffix, SdkRange range,
                                                       Budget& budget);

}  // namespace touchmark::package::signature
