// JAR signing (v1): digests of every entry in META-INF/MANIFEST.MF, signed through META-INF/*.SF.
// The only scheme before Android 7, and the fallback of newer platforms when no newer scheme is
// there.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "formats/zip/zip.h"
#include "package/android/signature/api_level.h"
#include "package/android/signature/scheme_v2.h"
#include "package/android/signature/signer_certificate.h"

namespace touchmark::package::signature {

// Manifest, signature file and signature block larger than this are refused.
inline constexpr std::size_t kMaxJarManifestBytes = 16 << 20;
inline constexpr std::size_t kMaxJarBlockBytes = 1 << 20;
inline constexpr std::string_view kJarManifestName = "META-INF/MANIFEST.MF";

// The certificates of those who signed every entry outside META-INF/. `found`: the newer schemes
// that verified before.
Result<std::vector<SignerCertificate>> verify_v1(const zip::ZipArchive& archive, SdkRange range,
                                                 const std::set<SchemeId>& found,
                                                 std::vector<std::string>& warnings);

}  // namespace touchmark::package::signature
