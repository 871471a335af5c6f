// App bundles (.aab): what a developer uploads. The store makes the packages that devices install
// out of it and signs them with the app-signing certificate, so a bundle's own signature, by the
// upload key, says nothing about them.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "formats/zip/zip.h"
#include "package/bundle/resources_proto.h"
#include "package/model/measurement.h"

namespace touchmark::package::bundle {

bool is_bundle(const zip::ZipArchive& archive);
// Under which name a file of the bundle is a part; nothing when it is none.
std::optional<std::string> bundle_part_name(const zip::ZipEntry& entry);

// The parts have the names that they get on a device: those of the base module their path there,
// those of another module "<module>!/" before it. `signers`: the app-signing certificates, SHA-256
// of the DER. Without any the measurement has no signer, and nothing installed matches it.
Result<Measurement> measure_bundle(const zip::ZipArchive& archive,
                                   const std::vector<Sha256Digest>& signers);

}  // namespace touchmark::package::bundle
