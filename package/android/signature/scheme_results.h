// What verifying each scheme gave, and how the schemes of one package must agree.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "package/android/signature/scheme_v2.h"
#include "package/android/signature/scheme_v3.h"
#include "package/android/signature/scheme_v4.h"
#include "package/android/signature/signature.h"

namespace touchmark::package::signature {

// A scheme that the API levels do not look at, or that the package does not have, has no signers.
struct SchemeResults {
  std::vector<SignerCertificate> v1;
  std::vector<BlockSigner> v2;
  V3Result v3;
  V3Result v31;
  std::vector<V4Signer> v4;

  // The newer schemes that verified, for the older ones' stripping protection.
  std::set<SchemeId> found() const;
};

// v1 and v2 must be by the same signers; v3 by the same one or by one that descends from it; v4 by
// v3's or v2's.
Result<void> check_agreement(const SchemeResults& results);

// Schemes, signers and lineage.
SignatureReport report_of(const SchemeResults& results);

}  // namespace touchmark::package::signature
