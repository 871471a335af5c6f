// Proof of rotation: a chain of signing certificates in which each old key signs the next one.
// https://source.android.com/docs/security/features/apksigning/v3#proof-of-rotation
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "package/android/signature/error.h"
#include "package/android/signature/signature.h"

namespace touchmark::package::signature {

inline constexpr std::size_t kMaxLineageCertificates = 256;

// Oldest first. Every link is verified; no certificate stands twice.
Result<std::vector<LineageCertificate>> read_lineage(ByteView attribute);

// The one line of descent that all of `lineages` are pieces of, or kV3InconsistentLineages.
Result<std::vector<LineageCertificate>> merge_lineages(
    const std::vector<std::vector<LineageCertificate>>& lineages);

}  // namespace touchmark::package::signature
