// APK Signature Scheme v4: a file beside the package (app.apk.idsig) with an fs-verity tree over
// the whole package, signed by the key of its v3 or v2 signer. Android uses it to start an app
// before all of it has arrived. https://source.android.com/docs/security/features/apksigning/v4
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/android/signature/block_signer.h"
#include "package/android/signature/signer_certificate.h"

namespace touchmark::package::signature {

struct V4Signer {
  SignerCertificate certificate;
  Bytes apk_digest;  // of the v3 or v2 signature that this one belongs to
};

// Verifies the file against the package. The first signer goes with the v3 (or v2) signer, a second
// one with v3.1's.
Result<std::vector<V4Signer>> verify_v4(const Source& package, const Source& signature_file);

// The content digest of a v3 or v2 signer that v4 repeats; empty when it has none.
ByteView digest_for_v4(const BlockSigner& signer);

}  // namespace touchmark::package::signature
